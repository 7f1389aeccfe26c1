//! Changes of protocol: when a connection becomes a tunnel, and when it must not.

use crate::support::client::End;
use crate::support::service::ok;
use crate::support::{Client, Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use std::time::Duration;

on_both_drivers!(
    a_tunnel_carries_bytes_both_ways,
    bytes_behind_the_request_wait_for_the_services_101,
    bytes_behind_the_101_come_with_it,
    each_side_may_end_on_its_own,
    a_reset_ends_both_sides,
    a_tunnel_carries_much_both_ways_at_once,
    a_refused_upgrade_is_an_answer_like_any_other,
    a_101_that_nobody_asked_for_is_refused,
    a_101_without_its_upgrade_is_refused,
    a_101_before_the_request_is_whole_is_refused,
    an_upgrade_that_connection_does_not_name_stays_behind,
    an_upgrade_to_h2c_stays_behind,
    http_1_0_can_not_upgrade,
    a_silent_tunnel_wakes_up_again,
    a_busy_connection_can_upgrade,
);

const REQUEST: &str =
    "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n";
const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nx-mine: 1\r\n\r\n";

/// A service that agrees to any upgrade and sends back what comes.
fn echo() -> Service {
    Service::echoing(SWITCH)
}

#[track_caller]
fn switched(client: &mut Client) {
    client.send(REQUEST);
    let answer = client.answer();
    assert_eq!(answer.status, 101);
    assert_eq!((answer.fields.get("upgrade"), answer.fields.get("connection")), (Some("websocket"), Some("upgrade")));
    assert_eq!(answer.fields.get("x-mine"), Some("1"));
    assert!(!answer.fields.has("content-length") && !answer.fields.has("transfer-encoding"));
}

fn a_tunnel_carries_bytes_both_ways(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    switched(&mut client);
    for text in ["hello", "GET / HTTP/1.1\r\n\r\n", "\0\n\r"] {
        client.send(text);
        assert_eq!(client.wire.exactly(text.len()).expect("an echo"), text.as_bytes());
    }
    client.half_close();
    assert_eq!(client.end(), End::Closed);
    let request = service.only_request();
    assert_eq!((request.fields.get("upgrade"), request.fields.get("connection")), (Some("websocket"), Some("upgrade")));
    let line = &gate.log(1)[0];
    assert_eq!((&line["status"], &line["bytes_in"], &line["bytes_out"]), (&101.into(), &26.into(), &26.into()));
}

fn bytes_behind_the_request_wait_for_the_services_101(driver: Choice) {
    let service = Service::start(|connection| {
        connection.head();
        // Nothing may come before the service has agreed.
        let early = std::mem::take(&mut connection.wire.pending);
        let _ = connection.wire.stream.set_timeouts(Duration::from_millis(300));
        let more = connection.wire.fill().unwrap_or(0);
        let _ = connection.wire.stream.set_timeouts(crate::support::STUCK);
        connection.send(SWITCH);
        connection.send(format!("{} {more}", early.len()));
        let n = connection.wire.pending.len();
        let got = connection.wire.exactly("early bytes".len() + n).unwrap_or_default();
        connection.send(got);
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    client.send(format!("{REQUEST}early "));
    client.send("bytes");
    assert_eq!(client.answer().status, 101);
    assert_eq!(client.wire.exactly(3).expect("a count"), b"0 0", "bytes that were forwarded before the 101");
    assert_eq!(client.wire.exactly(11).expect("an echo"), b"early bytes");
}

fn bytes_behind_the_101_come_with_it(driver: Choice) {
    let service = Service::start(|connection| {
        connection.request();
        connection.send(format!("{SWITCH}first words"));
        connection.wait_for_end();
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    switched(&mut client);
    assert_eq!(client.wire.exactly(11).expect("words"), b"first words");
}

fn each_side_may_end_on_its_own(driver: Choice) {
    // The client first: the service still has something to say.
    let service = Service::start(|connection| {
        connection.request();
        connection.send(SWITCH);
        while connection.wire.fill().unwrap_or(0) > 0 {}
        let said = connection.wire.pending.len();
        connection.send(format!("you said {said} bytes"));
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    switched(&mut client);
    client.send("12345");
    client.half_close();
    assert_eq!(client.end_after_bytes(), End::Closed);
    assert_eq!(client.wire.pending, b"you said 5 bytes");

    // The service first.
    let service = Service::start(|connection| {
        connection.request();
        connection.send(format!("{SWITCH}bye"));
        let _ = connection.wire.stream.sock().shutdown(std::net::Shutdown::Write);
        while connection.wire.fill().unwrap_or(0) > 0 {}
        assert_eq!(connection.wire.pending, b"and to you");
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    switched(&mut client);
    assert_eq!(client.end_after_bytes(), End::Closed);
    assert_eq!(client.wire.pending, b"bye");
    client.send("and to you");
    client.half_close();
    crate::support::wait_for("the service to end", || (service.ended() == 1).then_some(()));
    assert_eq!(gate.log(1)[0]["bytes_in"], 10);
}

fn a_reset_ends_both_sides(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    switched(&mut client);
    client.reset();
    crate::support::wait_for("the service to see it", || (service.ended() == 1).then_some(()));

    let service = Service::start(|connection| {
        connection.request();
        connection.send(SWITCH);
        connection.wire.fill().expect("a word");
        connection.reset_on_close();
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    switched(&mut client);
    client.send("go");
    client.end();
}

fn a_tunnel_carries_much_both_ways_at_once(driver: Choice) {
    const BYTES: usize = 20 << 20;
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    switched(&mut client);
    let mut sender = client.wire.stream.try_clone().expect("a copy");
    let sent = crate::support::bodies::Noise::new(7).bytes(BYTES);
    std::thread::scope(|scope| {
        scope.spawn(|| std::io::Write::write_all(&mut sender, &sent).expect("the gateway takes it"));
        let got = client.wire.exactly(BYTES).expect("all of it");
        assert!(got == sent, "the bytes differ");
    });
}

fn a_refused_upgrade_is_an_answer_like_any_other(driver: Choice) {
    for (status, reason) in [(200, "OK"), (403, "Forbidden"), (426, "Upgrade Required")] {
        let text = format!("HTTP/1.1 {status} {reason}\r\ncontent-length: 2\r\n\r\nno");
        let service = Service::answering(move |_| text.clone().into_bytes());
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        // What follows is the next request, not a stream's first bytes.
        client.send(format!("{REQUEST}GET /next HTTP/1.1\r\nHost: h\r\n\r\n"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (status, "no"));
        assert!(!answer.fields.has("upgrade"));
        assert_eq!(client.answer().status, status);
        let targets: Vec<String> = service.requests().into_iter().map(|r| r.target).collect();
        assert_eq!(targets, ["/chat", "/next"]);
        assert_eq!(service.connections(), 1);
    }
}

fn a_101_that_nobody_asked_for_is_refused(driver: Choice) {
    let service =
        Service::answering(|_| format!("{SWITCH}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil").into_bytes());
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..2 {
        let answer = client.get("/");
        assert_eq!((answer.status, &answer.json()["error"]), (502, &"upstream_bad_answer".into()));
    }
    assert_eq!(service.connections(), 2);
}

fn a_101_without_its_upgrade_is_refused(driver: Choice) {
    let other = "upgrade: other\r\nconnection: upgrade\r\n";
    let both = "upgrade: websocket, other\r\nconnection: upgrade\r\n";
    for head in ["connection: upgrade\r\n", "upgrade: websocket\r\n", "", other, both] {
        let service =
            Service::answering(move |_| format!("HTTP/1.1 101 Switching Protocols\r\n{head}\r\n").into_bytes());
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        client.send(format!("{REQUEST}bytes"));
        assert_eq!(client.answer().status, 502, "{head:?}");
    }
}

fn a_101_before_the_request_is_whole_is_refused(driver: Choice) {
    let service = Service::start(|connection| {
        connection.head();
        connection.send(SWITCH);
        connection.wait_for_end();
    });
    let gate = Plan::to(&service).start(driver);
    for (framing, part) in [("content-length: 10", "abc"), ("transfer-encoding: chunked", "3\r\nabc\r\n")] {
        let mut client = gate.client();
        client.send(REQUEST.replace("Sec-WebSocket-Key: x", framing) + part);
        assert_eq!(client.answer().status, 502, "{framing}");
        client.end();
    }
}

fn an_upgrade_that_connection_does_not_name_stays_behind(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).start(driver);
    let answer = gate.client().exchange("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(answer.status, 200);
    let fields = service.only_request().fields;
    assert!(!fields.has("upgrade") && !fields.has("connection"), "{fields:?}");
}

fn an_upgrade_to_h2c_stays_behind(driver: Choice) {
    let service = Service::answering(|_| ok("plain"));
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for upgrade in ["h2c", "H2C", "h2c, websocket", "websocket, h2c", " ,h2c"] {
        let answer = client.exchange(format!(
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\
             Connection: Upgrade, HTTP2-Settings\r\n\r\n"
        ));
        assert_eq!(answer.text(), "plain", "{upgrade}");
    }
    for request in service.requests() {
        // A service that took it would speak HTTP/2 through a tunnel, past every check that the gateway makes.
        let upgrade = request.fields.all("upgrade").join(",").to_ascii_lowercase();
        assert!(!upgrade.contains("h2c") && !request.fields.has("http2-settings"), "{:?}", request.fields);
    }
}

fn http_1_0_can_not_upgrade(driver: Choice) {
    let service = Service::answering(|_| ok("plain"));
    let gate = Plan::to(&service).start(driver);
    let answer = gate.client().exchange(REQUEST.replace("HTTP/1.1", "HTTP/1.0"));
    assert_eq!(answer.text(), "plain");
    assert!(!service.only_request().fields.has("upgrade"));
}

fn a_silent_tunnel_wakes_up_again(driver: Choice) {
    let service = echo();
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    switched(&mut client);
    for word in ["one", "two", "three"] {
        // Longer than a direction keeps its buffer.
        client.silent_for(Duration::from_millis(350));
        client.send(word);
        assert_eq!(client.wire.exactly(word.len()).expect("an echo"), word.as_bytes());
    }
}

fn a_busy_connection_can_upgrade(driver: Choice) {
    let service = Service::start(|connection| {
        while let Some(request) = connection.request() {
            if request.target != "/chat" {
                connection.send(ok(&request.target));
                continue;
            }
            connection.send(SWITCH);
            while connection.wire.fill().unwrap_or(0) > 0 {
                let bytes = std::mem::take(&mut connection.wire.pending);
                connection.send(bytes);
            }
        }
    });
    let gate = Plan::to(&service).start(driver);
    // The bytes behind the request in the same write, and in one of their own.
    for apart in [false, true] {
        let mut client = gate.client();
        for n in 0..5 {
            assert_eq!(client.get(&format!("/{n}")).text(), format!("/{n}"));
        }
        if apart {
            client.send(format!("GET /last HTTP/1.1\r\nHost: h\r\n\r\n{REQUEST}"));
            client.send("early bytes");
        } else {
            client.send(format!("GET /last HTTP/1.1\r\nHost: h\r\n\r\n{REQUEST}early bytes"));
        }
        assert_eq!(client.answer().text(), "/last");
        assert_eq!(client.answer().status, 101);
        assert_eq!(client.wire.exactly(11).expect("an echo"), b"early bytes");
        client.half_close();
        assert_eq!(client.end(), End::Closed);
    }
}
