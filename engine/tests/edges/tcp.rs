//! Plain bytes over a listener: both ways, half-closed, silent, without a service, over a reload, beside TLS.

use crate::plan::{Nobody, at, page, text, wait_for_count};
use crate::sites::{Folder, Secure, Site, tls, trusting};
use crate::support::client::End;
use crate::support::service::Connection;
use crate::support::{Client, Gate, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

on_both_drivers!(
    bytes_go_both_ways_and_either_side_may_finish_first,
    silence_ends_a_connection_and_traffic_does_not,
    without_a_service_the_client_is_reset,
    a_removed_listener_drains,
    a_reload_touches_no_connection_that_stays,
    endpoints_take_turns_and_one_that_is_down_is_passed_over,
    tls_that_ends_here_goes_on_as_plain_bytes,
    tls_begins_again_to_the_service,
);

const CONNECTIONS: &str = "ringgate_tcp_connections_total";
const BYTES: &str = "ringgate_tcp_bytes_total";
const TCP: &str = "tcp: { upstream: s }";

/// Sends back what comes, and its last words after the client's.
fn echo() -> Service {
    Service::start(|connection| {
        echo_all(connection);
        connection.send("bye");
    })
}

/// Says one thing, and closes.
fn saying(what: &'static str) -> Service {
    Service::start(move |connection| {
        connection.send(what);
    })
}

fn echo_all(connection: &mut Connection) {
    while connection.wire.fill().is_ok_and(|n| n > 0) {
        let bytes = std::mem::take(&mut connection.wire.pending);
        if !connection.send(bytes) {
            return;
        }
    }
}

fn gate(endpoints: &[&str], driver: Choice) -> Gate {
    Gate::start(&text(&[TCP], &[("s", &at(endpoints))], ""), driver)
}

/// Reads what comes until the end.
#[track_caller]
fn rest(client: &mut Client) -> Vec<u8> {
    assert_eq!(client.end_after_bytes(), End::Closed);
    std::mem::take(&mut client.wire.pending)
}

fn bytes_go_both_ways_and_either_side_may_finish_first(driver: Choice) {
    const MANY: usize = 3 << 20;
    let service = echo();
    let gate = gate(&[&service.endpoint()], driver);
    let sent: Vec<u8> = (0..MANY).map(|n| (n * 7 / 3) as u8).collect();
    let mut client = gate.client();
    let mut writer = client.wire.stream.try_clone().unwrap();
    let copy = sent.clone();
    let writing = std::thread::spawn(move || {
        writer.write_all(&copy).unwrap();
        writer.sock().shutdown(std::net::Shutdown::Write).unwrap();
    });
    let got = rest(&mut client);
    writing.join().unwrap();
    assert!(got[..MANY] == sent && got[MANY..] == *b"bye", "{} bytes", got.len());
    wait_for_count(&gate, CONNECTIONS, "ended", 1.0);
    let counted = page(&gate);
    assert_eq!(counted.sum(BYTES, &["l0", "\"in\""]), MANY as f64);
    assert_eq!(counted.sum(BYTES, &["l0", "\"out\""]), (MANY + 3) as f64);
    let line = &gate.log(1)[0];
    for (key, value) in [("protocol", "TCP"), ("listener", "l0"), ("upstream", "s"), ("client", "127.0.0.1")] {
        assert_eq!(line[key], value, "{line}");
    }
    assert_eq!(line["endpoint"], service.endpoint());
    assert_eq!((line["bytes_in"].as_u64(), line["bytes_out"].as_u64()), (Some(MANY as u64), Some(MANY as u64 + 3)));
    assert!(line["fault"].is_null(), "{line}");

    // The service finishes first: what the client still says gets there.
    let (tell, told) = std::sync::mpsc::channel();
    let service = Service::start(move |connection| {
        connection.send("all that I have");
        connection.wire.stream.sock().shutdown(std::net::Shutdown::Write).unwrap();
        let mut heard = Vec::new();
        connection.wire.stream.read_to_end(&mut heard).unwrap();
        tell.send(heard).unwrap();
    });
    let gate = Gate::start(&text(&[TCP], &[("s", &at(&[&service.endpoint()]))], ""), driver);
    let mut client = gate.client();
    assert_eq!(rest(&mut client), b"all that I have");
    client.send("thanks");
    client.half_close();
    assert_eq!(told.recv().unwrap(), b"thanks");
    wait_for_count(&gate, CONNECTIONS, "ended", 1.0);
}

fn silence_ends_a_connection_and_traffic_does_not(driver: Choice) {
    const IDLE: Duration = Duration::from_millis(500);
    let service = echo();
    let listener = "tcp: { upstream: s, idle_timeout: 500ms }";
    let gate = Gate::start(&text(&[listener], &[("s", &at(&[&service.endpoint()]))], ""), driver);
    let mut client = gate.client();
    let begun = Instant::now();
    // Longer than the timeout, with pauses that are shorter.
    while begun.elapsed() < IDLE * 2 {
        client.send("x");
        client.wire.exactly(1).expect("the echo");
        std::thread::sleep(IDLE / 10);
    }
    client.send("x");
    client.wire.exactly(1).expect("the echo");
    let silent = Instant::now();
    client.end();
    assert!(silent.elapsed() >= IDLE - Duration::from_millis(20), "{:?}", silent.elapsed());
    wait_for("the service's side to end", || (service.ended() == 1).then_some(()));
    wait_for_count(&gate, CONNECTIONS, "ended", 1.0);
}

fn without_a_service_the_client_is_reset(driver: Choice) {
    let nobody = Nobody::new();
    let gate = gate(&[&nobody.endpoint()], driver);
    // It says nothing: a send that meets the reset would take it away from the read.
    assert_eq!(gate.client().end(), End::Reset);
    wait_for_count(&gate, CONNECTIONS, "failed", 1.0);
    assert_eq!(page(&gate).get("ringgate_faults_total{fault=\"upstream_connect_failed\"}"), 1.0);
    assert_eq!(page(&gate).sum(CONNECTIONS, &["l0", "ended"]), 0.0);
    let line = &gate.log(1)[0];
    assert_eq!(line["fault"], "upstream_connect_failed", "{line}");
}

fn a_removed_listener_drains(driver: Choice) {
    let service = echo();
    let endpoints = at(&[&service.endpoint()]);
    let upstreams = [("s", endpoints.as_str())];
    let drain = "reload: { drain: 400ms }";
    let mut gate = Gate::start(&text(&[TCP, ""], &upstreams, drain), driver);
    let address = gate.address();
    let mut client = gate.client();
    client.send("a");
    client.wire.exactly(1).expect("the echo");
    // `l0` is another listener now.
    let without = text(&["", ""], &upstreams, drain).replace("name: l0", "name: other");
    let begun = Instant::now();
    gate.reload(&without).expect("a good file");
    client.send("b");
    assert_eq!(client.wire.exactly(1).expect("it goes on for a while"), b"b");
    client.end();
    assert!(begun.elapsed() >= Duration::from_millis(380), "{:?}", begun.elapsed());
    let line = &gate.log(1)[0];
    assert_eq!((&line["fault"], &line["bytes_in"]), (&"route_removed".into(), &2.into()), "{line}");
    std::net::TcpStream::connect(address).expect_err("nobody accepts there any more");
}

fn a_reload_touches_no_connection_that_stays(driver: Choice) {
    let (first, second) = (echo(), saying("second"));
    let plan = |service: &Service, address: &str| {
        text(&[TCP], &[("s", &at(&[&service.endpoint()]))], "reload: { drain: 1s }").replace("127.0.0.1:0", address)
    };
    let mut gate = Gate::start(&plan(&first, "127.0.0.1:0"), driver);
    let address = gate.address();
    let mut client = gate.client();
    client.send("a");
    client.wire.exactly(1).expect("the echo");
    gate.reload(&plan(&second, &address.to_string())).expect("a good file");
    assert_eq!(rest(&mut Client::connect(address)), b"second");
    // Beyond the drain: its listener is still there.
    std::thread::sleep(Duration::from_millis(1200));
    client.send("b");
    assert_eq!(client.wire.exactly(1).expect("it goes on"), b"b");
    client.half_close();
    assert_eq!(rest(&mut client), b"bye");
}

fn endpoints_take_turns_and_one_that_is_down_is_passed_over(driver: Choice) {
    let (a, b) = (saying("a"), saying("b"));
    let nobody = Nobody::new();
    let down = nobody.endpoint();
    let gate = gate(&[&a.endpoint(), &down, &b.endpoint()], driver);
    let mut count = [0, 0];
    for _ in 0..20 {
        match rest(&mut gate.client()).as_slice() {
            b"a" => count[0] += 1,
            b"b" => count[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(count.iter().all(|n| *n >= 6), "{count:?}");
    let down = format!("endpoint=\"{down}\"");
    assert!(page(&gate).sum("ringgate_upstream_connect_failures_total", &[&down, "upstream_connect_failed"]) >= 1.0);
}

fn tls_that_ends_here_goes_on_as_plain_bytes(driver: Choice) {
    let (service, site) = (echo(), Site::new(&["db.test"]));
    let folder = Folder::with(&[("db", &site)]);
    let listener = format!("{TCP}, {}", tls("db", ""));
    let gate =
        folder.gate(&text(&[&listener], &[("s", &at(&[&service.endpoint()]))], "access_log: { tls: on }"), driver);
    let mut config = trusting(&[&site]);
    // Whatever a client offers on top: bytes have no name.
    config.alpn_protocols = vec![b"h2".to_vec(), b"postgresql".to_vec()];
    let mut client = Secure::connect(gate.address(), "db.test", config).expect("a handshake");
    assert_eq!(client.wire.stream.conn.alpn_protocol(), None);
    client.send("select 1");
    assert_eq!(client.wire.exactly(8).expect("the echo"), b"select 1");
    client.wire.stream.conn.send_close_notify();
    client.wire.stream.flush().unwrap();
    while client.wire.fill().expect("an end by close_notify") > 0 {}
    assert_eq!(client.wire.pending, b"bye");
    wait_for_count(&gate, "ringgate_tls_handshakes_total", "full", 1.0);
    wait_for_count(&gate, CONNECTIONS, "ended", 1.0);
    let line = &gate.log(1)[0];
    assert_eq!((&line["host"], &line["server_name"]), (&"db.test".into(), &"db.test".into()), "{line}");
    assert_eq!((&line["tls_version"], &line["bytes_in"]), (&"TLSv1.3".into(), &8.into()), "{line}");
}

fn tls_begins_again_to_the_service(driver: Choice) {
    let site = Site::new(&["db.internal"]);
    let service = site.service(|stream| {
        let mut bytes = [0; 64];
        while let Ok(n @ 1..) = stream.read(&mut bytes) {
            stream.write_all(&bytes[..n]).unwrap();
        }
    });
    let folder = Folder::with(&[("db", &site)]);
    let upstream =
        |name: &str| format!("endpoints: [\"{}\"], tls: {{ ca: db.pem, server_name: {name} }}", service.endpoint());
    let gate = folder.gate(&text(&[TCP], &[("s", &upstream("db.internal"))], ""), driver);
    let mut client = gate.client();
    client.send("ping");
    assert_eq!(client.wire.exactly(4).expect("the echo"), b"ping");
    client.half_close();
    assert_eq!(rest(&mut client), b"");
    // A certificate for another name: nothing is said to that service.
    let gate = folder.gate(&text(&[TCP], &[("s", &upstream("other.internal"))], ""), driver);
    let mut client = gate.client();
    assert_eq!(client.end(), End::Reset);
    wait_for_count(&gate, CONNECTIONS, "failed", 1.0);
    assert_eq!(page(&gate).get("ringgate_faults_total{fault=\"upstream_tls_failed\"}"), 1.0);
    assert_eq!(page(&gate).sum("ringgate_upstream_connect_failures_total", &["upstream_tls_failed"]), 1.0);
}
