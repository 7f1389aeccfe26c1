//! A panic ends what panicked, and nothing else.

use crate::net::{recv, send, unix_pair};
use crate::support::{Shard, each_driver, on_each_turn};
use ringgate_rt::{Stream, at_end_of_turn, counters, task};
use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::mpsc;

/// The shard does what it is asked to, and has counted so many panics.
fn assert_alive(shard: &Shard, panics: u64) {
    let (ours, mut theirs) = unix_pair();
    let echo = shard.begin(move || async move {
        let mut stream = Stream::from_fd(ours).expect("adopted");
        let bytes = recv(&mut stream).await.expect("received");
        send(&mut stream, &bytes).await.expect("sent");
        counters::shared().panics.get()
    });
    theirs.write_all(b"alive?").expect("written");
    let mut back = [0; 6];
    theirs.read_exact(&mut back).expect("an answer");
    assert_eq!(&back, b"alive?");
    assert_eq!(crate::support::wait(&echo), panics);
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("injected, in a drop");
    }
}

#[test]
fn in_a_task_and_what_it_owned_is_dropped() {
    each_driver(|shard| {
        let (ours, mut theirs) = unix_pair();
        let (give, dropped) = mpsc::channel::<()>();
        shard.run(|| async move {
            task::spawn(async move {
                let _give = give;
                let mut stream = Stream::from_fd(ours).expect("adopted");
                let _ = recv(&mut stream).await;
                panic!("injected");
            });
        });
        theirs.write_all(b"x").expect("written");
        assert!(dropped.recv().is_err(), "dropped without a message");
        assert_eq!(theirs.read(&mut [0; 8]).ok(), Some(0), "its stream is closed");
        assert_alive(shard, 1);
    });
}

#[test]
fn in_the_drop_of_a_finished_future() {
    each_driver(|shard| {
        shard.run(|| async {
            task::spawn(async {
                let _held = PanicsInDrop;
            });
            task::yield_now().await;
        });
        assert_alive(shard, 1);
    });
}

#[test]
fn with_a_payload_that_panics_when_it_is_dropped() {
    each_driver(|shard| {
        shard.run(|| async {
            task::spawn(async { std::panic::panic_any(PanicsInDrop) });
            task::yield_now().await;
        });
        assert_alive(shard, 2);
    });
}

#[test]
fn in_the_drop_of_a_task_that_nobody_can_wake_any_more() {
    each_driver(|shard| {
        shard.run(|| async {
            task::spawn(async {
                let _held = PanicsInDrop;
                // Keeps no waker, so that the task is dropped where it is suspended.
                std::future::pending::<()>().await;
            });
            task::yield_now().await;
        });
        assert_alive(shard, 0);
    });
}

#[test]
fn in_a_message() {
    each_driver(|shard| {
        shard.send(|| panic!("injected, in a message"));
        assert_alive(shard, 1);
    });
}

#[test]
fn in_a_hook_and_the_next_hook_still_runs() {
    each_driver(|shard| {
        let ran = shard.run(|| async {
            let ran = Rc::new(Cell::new(false));
            let hook = ran.clone();
            at_end_of_turn(|| panic!("injected, in a hook"));
            at_end_of_turn(move || hook.set(true));
            task::yield_now().await;
            ran.get()
        });
        assert!(ran);
        assert_alive(shard, 1);
    });
}

#[test]
fn in_the_end_of_a_turn() {
    each_driver(|shard| {
        shard.run(|| async {
            let mut done = false;
            on_each_turn(move || {
                if !std::mem::replace(&mut done, true) {
                    panic!("injected, at the end of a turn");
                }
            });
        });
        assert_alive(shard, 1);
    });
}
