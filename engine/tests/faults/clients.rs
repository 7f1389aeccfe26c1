//! Clients that leave, or send more than the service wants.

use crate::support::service::ok;
use crate::support::{Client, Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::io::Write;
use std::time::{Duration, Instant};

on_both_drivers!(
    a_reset_while_the_service_thinks_ends_its_connection,
    a_reset_in_the_middle_of_an_upload_ends_the_services_connection,
    a_client_that_leaves_in_the_middle_of_an_answer_ends_the_services_connection,
    a_half_close_still_gets_its_answer,
    a_half_close_in_the_middle_of_a_body_ends_the_exchange,
    an_early_answer_reaches_a_client_that_is_still_sending,
    an_early_answer_of_a_service_that_closes_at_once_does_not_hang_the_client,
);

/// A service that reads requests and never answers those to `/wait`.
fn thinking() -> Service {
    Service::start(|connection| {
        while let Some(request) = connection.request() {
            if request.target == "/wait" {
                connection.wait_for_end();
                return;
            }
            connection.send(ok("good"));
        }
    })
}

fn a_reset_while_the_service_thinks_ends_its_connection(driver: Choice) {
    // On a new connection, and on one that is in the middle of many requests.
    for before in [0, 1, 3] {
        let service = thinking();
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        for _ in 0..before {
            assert_eq!(client.get("/").status, 200);
        }
        client.send("GET /wait HTTP/1.1\r\nhost: h\r\n\r\n");
        service.wait_for_requests(before + 1);
        client.reset();
        let begun = Instant::now();
        wait_for("the service's connection to end", || (service.ended() == 1).then_some(()));
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        assert_eq!(gate.log(before + 1)[before]["fault"], "client_gone");
    }
}

fn a_reset_in_the_middle_of_an_upload_ends_the_services_connection(driver: Choice) {
    let service = Service::start(|connection| {
        if connection.head().is_some() {
            connection.wait_for_end();
        }
    });
    let gate = Plan::to(&service).start(driver);
    for n in 1..=2 {
        let mut client = gate.client();
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\nsome");
        service.wait_for_requests(n);
        client.reset();
        wait_for("the service's connection to end", || (service.ended() == n).then_some(()));
        assert_eq!(gate.log(n)[n - 1]["fault"], "client_gone");
    }
}

fn a_client_that_leaves_in_the_middle_of_an_answer_ends_the_services_connection(driver: Choice) {
    let service = Service::answering(|_| ok(vec![b'a'; 64 << 20]));
    let gate = Plan::to(&service).start(driver);
    for (n, reset) in [(1, true), (2, false)] {
        let mut client = gate.client();
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
        client.wire.exactly(100_000).expect("the beginning of the answer");
        if reset {
            client.reset();
        } else {
            drop(client);
        }
        wait_for("the service's connection to end", || (service.ended() == n).then_some(()));
        assert_eq!(gate.log(n)[n - 1]["fault"], "client_gone");
    }
}

fn a_half_close_still_gets_its_answer(driver: Choice) {
    let service = Service::start(|connection| {
        while connection.request().is_some() {
            // Longer than it takes to see the half-close, and to begin to look for clients that have left.
            std::thread::sleep(Duration::from_millis(900));
            connection.send(ok("after all"));
        }
    });
    let gate = Plan::to(&service).start(driver);
    for before in 0..2 {
        let mut client = gate.client();
        for _ in 0..before {
            assert_eq!(client.get("/").text(), "after all");
        }
        client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody");
        client.half_close();
        assert_eq!(client.answer().text(), "after all");
        client.end();
    }
}

fn a_half_close_in_the_middle_of_a_body_ends_the_exchange(driver: Choice) {
    let service = Service::start(|connection| {
        if connection.head().is_some() {
            connection.wait_for_end();
        }
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 8\r\n\r\nbody");
    service.wait_for_requests(1);
    client.half_close();
    client.end_after_bytes();
    wait_for("the service's connection to end", || (service.ended() == 1).then_some(()));
}

/// Uploads 50 MB whatever comes back, on a thread of its own.
fn upload(client: &Client) -> std::thread::JoinHandle<usize> {
    let mut sending = client.wire.stream.try_clone().expect("a copy");
    std::thread::spawn(move || {
        let bytes = 50_000_000;
        let head = format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {bytes}\r\n\r\n");
        let (mut sent, chunk) = (0, vec![b'u'; 64 << 10]);
        let mut goes_on = sending.write_all(head.as_bytes()).is_ok();
        while goes_on && sent < bytes {
            let n = chunk.len().min(bytes - sent);
            goes_on = sending.write_all(&chunk[..n]).is_ok();
            sent += n;
        }
        sent
    })
}

const TOO_LARGE: &str = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\n\r\nlarge";

fn an_early_answer_reaches_a_client_that_is_still_sending(driver: Choice) {
    let service = Service::start(|connection| {
        // Only the head is read; the connection stays open, its window closed.
        if connection.head().is_some() && connection.send(TOO_LARGE) {
            wait_for("the gateway to close", || {
                let gone = connection.wire.stream.sock().take_error().ok()?.is_some();
                (gone || !connection.send("")).then_some(())
            });
        }
    });
    let gate = Plan::to(&service).limits("body_bytes: off").start(driver);
    let mut client = gate.client();
    let uploading = upload(&client);
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (413, "large"));
    assert_eq!(answer.fields.get("connection"), Some("close"));
    client.end_after_bytes();
    uploading.join().expect("no panic");
    assert_eq!(gate.log(1)[0]["status"], 413);
}

fn an_early_answer_of_a_service_that_closes_at_once_does_not_hang_the_client(driver: Choice) {
    let service = Service::start(|connection| {
        if connection.head().is_some() {
            connection.send(TOO_LARGE);
        }
    });
    let gate = Plan::to(&service).limits("body_bytes: off").start(driver);
    let mut client = gate.client();
    let uploading = upload(&client);
    // The reset that follows may overtake the answer on its way to the gateway.
    let status = client.answer().status;
    assert!([413, 502].contains(&status), "{status}");
    client.end_after_bytes();
    uploading.join().expect("no panic");
}
