//! What wakes a shard that sleeps: messages from other threads, and deadlines.

use crate::net::{recv, recv_exactly, send, unix_pair};
use crate::support::{Job, Shard, each_driver, wait};
use ringgate_rt::timer::{self, Timer};
use ringgate_rt::{Stream, at_end_of_turn, clock, task};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_message_always_wakes_a_sleeping_shard() {
    each_driver(|shard| {
        // Each round waits for its answer, so that the shard is about to sleep, or asleep, when the next one comes.
        let (answer, answers) = mpsc::channel();
        for n in 0..20_000 {
            let answer = answer.clone();
            shard.send(move || answer.send(n).expect("the test listens"));
            assert_eq!(answers.recv_timeout(Duration::from_secs(20)), Ok(n), "a wake-up was lost");
        }
    });
}

#[test]
fn messages_of_many_threads_all_arrive() {
    const THREADS: usize = 4;
    const EACH: usize = 10_000;
    each_driver(|shard| {
        let (answer, answers) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let (jobs, answer) = (shard.jobs.clone(), answer.clone());
                scope.spawn(move || {
                    for n in 0..EACH {
                        let answer = answer.clone();
                        let mut job: Job = Box::new(move || {
                            answer.send(n).expect("the test listens");
                        });
                        while let Err(back) = jobs.send(job) {
                            job = back;
                            thread::yield_now();
                        }
                    }
                });
            }
        });
        let mut sum = 0;
        for _ in 0..THREADS * EACH {
            sum += answers.recv_timeout(Duration::from_secs(20)).expect("a message was lost");
        }
        assert_eq!(sum, THREADS * EACH * (EACH - 1) / 2);
    });
}

#[test]
fn a_task_that_sends_itself_messages_does_not_keep_the_loop() {
    each_driver(|shard| {
        let (ours, mut theirs) = unix_pair();
        let jobs = shard.jobs.clone();
        let echo = shard.begin(move || async move {
            let mut stream = Stream::from_fd(ours).expect("adopted");
            fn again(jobs: ringgate_rt::mailbox::Sender<Job>) {
                let next = jobs.clone();
                let _ = jobs.send(Box::new(move || again(next)));
            }
            again(jobs);
            let bytes = recv(&mut stream).await.expect("received");
            send(&mut stream, &bytes).await.expect("sent");
        });
        theirs.write_all(b"ping").expect("written");
        wait(&echo);
    });
}

/// How late the future that `make` makes is, by its own account: the best of a few runs, since the machine may be busy.
fn least_late<F>(shard: &Shard, make: impl Fn() -> F + Copy + Send + 'static) -> Duration
where
    F: Future<Output = Duration> + 'static,
{
    let late = (0..5).map(|_| shard.run(make)).min();
    late.expect("five runs")
}

#[test]
fn deadlines_fire_on_time_when_nothing_else_happens() {
    each_driver(|shard| {
        for millis in [1, 15, 40, 95] {
            let late = least_late(shard, move || async move {
                let wanted = Duration::from_millis(millis);
                let start = Instant::now();
                timer::sleep(wanted).await;
                start.elapsed().checked_sub(wanted).expect("never early")
            });
            assert!(late < Duration::from_millis(25), "{late:?} late");
        }
    });
}

#[test]
fn a_deadline_set_after_a_long_turn_is_not_late_by_its_length() {
    each_driver(|shard| {
        let late = least_late(shard, || async {
            // The turn's clock is read, then 100 ms of work follow.
            let deadline = clock::now().after(Duration::from_millis(130));
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(100) {}
            let timer = Timer::new();
            timer.set(deadline);
            poll_fn(|cx| timer.poll(cx)).await;
            start.elapsed().saturating_sub(Duration::from_millis(130))
        });
        assert!(late < Duration::from_millis(30), "{late:?} late");
    });
}

#[test]
fn a_deadline_set_at_the_end_of_a_turn_fires() {
    each_driver(|shard| {
        let late = least_late(shard, || async {
            let timer = Rc::new(Timer::new());
            let start = Instant::now();
            let mut set = false;
            poll_fn(|cx| {
                if !std::mem::replace(&mut set, true) {
                    let timer = timer.clone();
                    at_end_of_turn(move || timer.set_after(Duration::from_millis(20)));
                }
                timer.poll(cx)
            })
            .await;
            start.elapsed().saturating_sub(Duration::from_millis(20))
        });
        assert!(late < Duration::from_millis(30), "{late:?} late");
    });
}

#[test]
fn a_task_that_yields_for_ever_starves_nobody() {
    each_driver(|shard| {
        let (ours, mut theirs) = unix_pair();
        let served = shard.begin(move || async move {
            let stop = Rc::new(Cell::new(false));
            let stopped = stop.clone();
            task::spawn(async move {
                while !stopped.get() {
                    task::yield_now().await;
                }
            });
            let mut stream = Stream::from_fd(ours).expect("adopted");
            for _ in 0..100 {
                let bytes = recv_exactly(&mut stream, 4).await.expect("received");
                send(&mut stream, &bytes).await.expect("sent");
            }
            stop.set(true);
        });
        let mut back = [0; 4];
        for _ in 0..100 {
            theirs.write_all(b"ping").expect("written");
            theirs.read_exact(&mut back).expect("an answer");
            assert_eq!(&back, b"ping");
        }
        wait(&served);
    });
}
