//! Services that let the gateway wait.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::time::{Duration, Instant};

on_both_drivers!(
    a_service_that_does_not_answer_gives_504,
    the_timeout_ends_with_the_answers_head,
    the_timeout_begins_when_the_request_is_whole,
    a_part_of_a_head_is_no_answer,
    informational_answers_do_not_stop_the_clock,
);

fn a_service_that_does_not_answer_gives_504(driver: Choice) {
    let service = Service::start(|connection| {
        connection.request();
        connection.wait_for_end();
    });
    for timeout in [100, 700] {
        let gate = Plan::to(&service).forward(&format!("timeout: {timeout}ms")).start(driver);
        let took = (0..3).map(|_| {
            let mut client = gate.client();
            let begun = Instant::now();
            let answer = client.get("/");
            let took = begun.elapsed();
            assert_eq!((answer.status, &answer.json()["error"]), (504, &"upstream_timeout".into()));
            assert!(took >= Duration::from_millis(timeout), "{took:?} of {timeout} ms");
            took
        });
        let shortest = took.min().expect("three times");
        assert!(shortest < Duration::from_millis(timeout + 150), "{shortest:?} for {timeout} ms");
    }
    // The request is given up at the service too.
    wait_for("the service to see it", || (service.ended() == 6).then_some(()));
}

fn the_timeout_ends_with_the_answers_head(driver: Choice) {
    let service = Service::start(|connection| {
        connection.request();
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n");
        std::thread::sleep(Duration::from_millis(900));
        connection.send("late");
    });
    let gate = Plan::to(&service).forward("timeout: 200ms").start(driver);
    assert_eq!(gate.client().get("/").text(), "late");
}

fn the_timeout_begins_when_the_request_is_whole(driver: Choice) {
    let service = Service::answering(|request| ok(&request.body));
    let gate = Plan::to(&service).forward("timeout: 300ms").start(driver);
    let mut client = gate.client();
    client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\n");
    for byte in ["a", "b", "c"] {
        client.silent_for(Duration::from_millis(400));
        client.send(byte);
    }
    assert_eq!(client.answer().text(), "abc");
}

fn a_part_of_a_head_is_no_answer(driver: Choice) {
    let service = Service::start(|connection| {
        connection.request();
        // A byte now and then.
        for byte in "HTTP/1.1 200 OK\r\nx-endless: ".bytes().chain(std::iter::repeat(b'y')) {
            if !connection.send([byte]) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let gate = Plan::to(&service).forward("timeout: 300ms").start(driver);
    let begun = Instant::now();
    assert_eq!(gate.client().get("/").status, 504);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

fn informational_answers_do_not_stop_the_clock(driver: Choice) {
    let service = Service::start(|connection| {
        connection.request();
        while connection.send("HTTP/1.1 102 Processing\r\n\r\n") {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let gate = Plan::to(&service).forward("timeout: 500ms").start(driver);
    let mut client = gate.client();
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    let last = loop {
        let answer = client.answer();
        if answer.status != 102 {
            break answer;
        }
    };
    assert_eq!(last.status, 504);
}
