//! The order of things within a turn of the loop.

use crate::net::{recv, tcp_pair};
use crate::support::{each_driver, on_each_turn, wait};
use ringgate_rt::{Buf, Stream, Transport, at_end_of_turn, task};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io::Write;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

/// What happened, in order.
#[derive(Clone, Default)]
struct Events(Rc<RefCell<Vec<&'static str>>>);

impl Events {
    fn note(&self, what: &'static str) {
        self.0.borrow_mut().push(what);
    }

    fn take(&self) -> Vec<&'static str> {
        self.0.take()
    }
}

#[test]
fn the_hook_runs_after_every_task_that_was_ready_when_the_turn_began() {
    each_driver(|shard| {
        let events = shard.run(|| async {
            let events = Events::default();
            let waiting: Rc<RefCell<Vec<Waker>>> = Rc::default();
            for name in ["first", "second", "third"] {
                let (events, waiting) = (events.clone(), waiting.clone());
                task::spawn(async move {
                    let mut woken = false;
                    poll_fn(|cx| {
                        if std::mem::replace(&mut woken, true) {
                            return Poll::Ready(());
                        }
                        waiting.borrow_mut().push(cx.waker().clone());
                        Poll::Pending
                    })
                    .await;
                    events.note(name);
                    let hook = events.clone();
                    at_end_of_turn(move || hook.note("hook"));
                });
            }
            while waiting.borrow().len() < 3 {
                task::yield_now().await;
            }
            // All of them become ready at the end of a turn, for the next one.
            at_end_of_turn(move || waiting.take().into_iter().for_each(Waker::wake));
            while events.0.borrow().len() < 6 {
                task::yield_now().await;
            }
            events.take()
        });
        assert_eq!(events, ["first", "second", "third", "hook", "hook", "hook"]);
    });
}

#[test]
fn hooks_run_in_the_order_in_which_they_were_asked_for() {
    each_driver(|shard| {
        let events = shard.run(|| async {
            let events = Events::default();
            for name in ["first", "second", "third"] {
                let hook = events.clone();
                at_end_of_turn(move || hook.note(name));
            }
            let hook = events.clone();
            at_end_of_turn(move || {
                let again = hook.clone();
                at_end_of_turn(move || again.note("asked for in a hook"));
            });
            task::yield_now().await;
            events.take()
        });
        assert_eq!(events, ["first", "second", "third", "asked for in a hook"]);
    });
}

#[test]
fn what_a_hook_sends_is_sent_before_the_shard_sleeps() {
    each_driver(|shard| {
        let (ours, mut theirs) = tcp_pair();
        let turns = shard.run(|| async move {
            let events = Events::default();
            let seen = events.clone();
            on_each_turn(move || seen.note("end of turn"));
            let mut stream = Stream::from_fd(ours).expect("adopted");
            // Nobody waits for anything but this answer: had the send not been started before the ring was entered, it
            // would never come.
            let stream = Rc::new(RefCell::new({
                stream.start_recv(Buf::standard());
                stream
            }));
            let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
            let (sender, hook) = (stream.clone(), events.clone());
            at_end_of_turn(move || {
                hook.note("hook");
                let mut buf = Buf::standard();
                buf.append(b"from the hook");
                let mut sender = sender.borrow_mut();
                sender.start_send(buf);
                // On epoll it begins with this.
                let _ = sender.poll_send(&mut Context::from_waker(&waker));
            });
            let echo = std::thread::spawn(move || {
                let mut bytes = [0; 13];
                std::io::Read::read_exact(&mut theirs, &mut bytes).expect("sent");
                theirs.write_all(&bytes).expect("written");
                theirs
            });
            let (result, buf) = poll_fn(|cx| {
                let mut stream = stream.borrow_mut();
                if stream.send_pending() {
                    let _ = stream.poll_send(cx);
                }
                stream.poll_recv(cx)
            })
            .await;
            assert_eq!(result.expect("received"), 13);
            assert_eq!(buf.data(), b"from the hook");
            on_each_turn(|| {});
            drop(echo.join());
            events.take()
        });
        let first_end = turns.iter().position(|e| *e == "end of turn");
        let hook = turns.iter().position(|e| *e == "hook");
        assert!(hook.is_some() && hook < first_end, "{turns:?}");
    });
}

#[test]
fn messages_are_taken_at_the_end_of_a_turn() {
    each_driver(|shard| {
        let (ours, mut theirs) = tcp_pair();
        let (give, order) = mpsc::channel();
        let reader = {
            let give = give.clone();
            shard.begin(move || async move {
                let mut stream = Stream::from_fd(ours).expect("adopted");
                recv(&mut stream).await.expect("received");
                give.send("task").expect("the test listens");
            })
        };
        shard.send(move || give.send("message").expect("the test listens"));
        assert_eq!(wait(&order), "message", "while the task waits");
        theirs.write_all(b"x").expect("written");
        wait(&reader);
        assert_eq!(wait(&order), "task");
    });
}
