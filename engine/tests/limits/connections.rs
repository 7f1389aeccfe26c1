//! `connections`: at the limit accepting pauses, and goes on when a connection ends.

use crate::support::service::ok;
use crate::support::{Client, Plan, STUCK, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::time::Duration;

on_both_drivers!(
    at_the_limit_accepting_pauses_until_a_connection_ends,
    many_more_clients_than_places_are_all_served,
    the_limit_holds_over_all_shards,
);

const GET: &str = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";

fn echo() -> Service {
    Service::answering(|_| ok("good"))
}

fn at_the_limit_accepting_pauses_until_a_connection_ends(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("connections: 2").start(driver);
    let mut first = gate.client();
    assert_eq!(first.get("/").status, 200);
    let mut second = gate.client();
    assert_eq!(second.get("/").status, 200);
    let mut third = gate.client();
    third.send(GET);
    let mut fourth = gate.client();
    fourth.send(GET);
    third.silent_for(Duration::from_millis(200));
    fourth.silent_for(Duration::from_millis(10));
    // Those that have a place go on meanwhile.
    assert_eq!(first.get("/").status, 200);
    drop(first);
    let (mut served, mut waiting) = one_is_served(third, fourth);
    waiting.silent_for(Duration::from_millis(200));
    second.reset();
    assert_eq!(waiting.answer().status, 200);
    assert_eq!(served.get("/").status, 200);
}

/// Waits for the answer of either of two clients, and returns that one first.
#[track_caller]
fn one_is_served(mut one: Client, mut other: Client) -> (Client, Client) {
    let has_answer = |client: &mut Client| {
        client.wire.stream.sock().set_read_timeout(Some(Duration::from_millis(10))).expect("a time limit");
        let came = client.wire.fill().is_ok();
        client.wire.stream.sock().set_read_timeout(Some(STUCK)).expect("a time limit");
        came
    };
    let one_it_is = wait_for("an answer", || match (has_answer(&mut one), has_answer(&mut other)) {
        (false, false) => None,
        (first, second) => {
            assert!(first != second, "both are served");
            Some(first)
        }
    });
    let (mut served, waiting) = if one_it_is { (one, other) } else { (other, one) };
    assert_eq!(served.answer().status, 200);
    (served, waiting)
}

fn many_more_clients_than_places_are_all_served(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).limits("connections: 3").start(driver);
    let address = gate.address();
    let clients: Vec<_> = (0..60)
        .map(|n| {
            std::thread::spawn(move || {
                let mut client = Client::connect(address);
                let close = if n % 2 == 0 { "connection: close\r\n" } else { "" };
                client.exchange(format!("GET / HTTP/1.1\r\nhost: h\r\n{close}\r\n")).status
            })
        })
        .collect();
    for client in clients {
        assert_eq!(client.join().expect("no panic"), 200);
    }
}

fn the_limit_holds_over_all_shards(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).two_shards().limits("connections: 4").start(driver);
    let mut clients: Vec<Client> = (0..8).map(|_| gate.client()).collect();
    for client in &mut clients {
        client.send(GET);
    }
    let answered = |client: &mut Client, time: Duration| {
        client.wire.stream.sock().set_read_timeout(Some(time)).expect("a time limit");
        client.try_answer().is_ok_and(|answer| answer.status == 200)
    };
    let mut waiting = Vec::new();
    let mut served = Vec::new();
    for mut client in clients {
        if answered(&mut client, Duration::from_millis(500)) { served.push(client) } else { waiting.push(client) }
    }
    assert_eq!((served.len(), waiting.len()), (4, 4));
    drop(served);
    for mut client in waiting {
        assert!(answered(&mut client, STUCK));
    }
}
