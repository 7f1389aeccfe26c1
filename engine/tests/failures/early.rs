//! Answers that come before the request is whole.

use crate::support::service::ok;
use crate::support::{Client, Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use std::io::Write;

on_both_drivers!(
    an_early_answer_is_delivered,
    an_early_answer_is_delivered_though_the_service_closes,
    an_early_answer_reaches_a_client_that_reads_only_in_the_end,
    an_early_answer_with_a_long_body_is_delivered_whole,
    an_upload_goes_on_while_its_answer_comes,
);

const BYTES: usize = 40 << 20;

fn gate(service: &Service, driver: Choice) -> crate::support::Gate {
    Plan::to(service).limits("body_bytes: 1GiB").start(driver)
}

/// Uploads in one thread while it reads in this.
fn upload(client: &mut Client, read: impl FnOnce(&mut Client)) {
    let mut sender = client.wire.stream.try_clone().expect("a copy");
    std::thread::scope(|scope| {
        let sending = scope.spawn(move || {
            let _ =
                sender.write_all(format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {BYTES}\r\n\r\n").as_bytes());
            // It may be cut off, once the answer is there.
            let _ = sender.write_all(&vec![b'u'; BYTES]);
        });
        read(client);
        let _ = client.wire.stream.sock().shutdown(std::net::Shutdown::Both);
        sending.join().expect("no panic");
    });
}

const REFUSAL: &str = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 8\r\nconnection: close\r\n\r\ntoo much";

fn an_early_answer_is_delivered(driver: Choice) {
    let service = Service::start(|connection| {
        connection.head();
        connection.send(REFUSAL.replace("connection: close\r\n", ""));
        connection.wait_for_end();
    });
    let gate = gate(&service, driver);
    let mut client = gate.client();
    upload(&mut client, |client| {
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (413, "too much"));
        assert_eq!(answer.fields.get("connection"), Some("close"));
    });
    let line = &gate.log(1)[0];
    assert_eq!((&line["status"], line["fault"].is_null()), (&413.into(), true), "{line}");
}

fn an_early_answer_is_delivered_though_the_service_closes(driver: Choice) {
    // Bytes that it has not read make its close a reset.
    let service = Service::start(|connection| {
        connection.head();
        connection.send(REFUSAL);
    });
    let gate = gate(&service, driver);
    for _ in 0..5 {
        let mut client = gate.client();
        upload(&mut client, |client| {
            let answer = client.answer();
            assert_eq!((answer.status, answer.text()), (413, "too much"));
        });
    }
}

fn an_early_answer_reaches_a_client_that_reads_only_in_the_end(driver: Choice) {
    let service = Service::start(|connection| {
        connection.head();
        connection.send(REFUSAL);
        connection.wait_for_end();
    });
    let gate = gate(&service, driver);
    for bytes in [100_000, 4 << 20, BYTES] {
        let mut client = gate.client();
        client.send(format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {bytes}\r\n\r\n"));
        let _ = client.try_send(vec![b'u'; bytes]);
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (413, "too much"), "{bytes} bytes");
    }
}

fn an_early_answer_with_a_long_body_is_delivered_whole(driver: Choice) {
    let service = Service::start(|connection| {
        connection.head();
        connection.send(ok(vec![b'd'; BYTES]));
        connection.wait_for_end();
    });
    let gate = gate(&service, driver);
    let mut client = gate.client();
    upload(&mut client, |client| {
        let answer = client.answer();
        assert_eq!(answer.status, 200);
        assert!(answer.body.len() == BYTES && answer.body.iter().all(|b| *b == b'd'));
    });
}

fn an_upload_goes_on_while_its_answer_comes(driver: Choice) {
    // The answer's head and a part of its body come first, the rest of it when the request is whole.
    let service = Service::start(|connection| {
        connection.head();
        connection.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nearly\r\n");
        let whole = connection.wire.exactly(BYTES).is_ok_and(|body| body.iter().all(|b| *b == b'u'));
        let word = if whole { "4\r\nlate\r\n0\r\n\r\n" } else { "" };
        connection.send(word);
    });
    let gate = gate(&service, driver);
    let mut client = gate.client();
    upload(&mut client, |client| assert_eq!(client.answer().text(), "earlylate"));
}
