//! Memory of idle connections.

use crate::support::process::Process;
use crate::support::service::ok;
use crate::support::tls::{self, Version};
use crate::support::{Authority, Client, Plan, STUCK, Service};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

const WANTED: usize = 5000;
const EACH_BYTES_MAX: u64 = 1024;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";

/// Sends a request on every connection, in lots, and reads every answer.
fn ask_all(clients: &mut [TcpStream]) {
    for lot in clients.chunks_mut(64) {
        for client in lot.iter_mut() {
            client.write_all(REQUEST).expect("the gateway takes a request");
        }
        for client in lot {
            let mut got = Vec::new();
            while !got.ends_with(b"good") {
                let mut room = [0; 1024];
                let n = client.read(&mut room).expect("an answer");
                assert!(n > 0, "closed without an answer: {:?}", String::from_utf8_lossy(&got));
                got.extend_from_slice(&room[..n]);
            }
            assert!(got.starts_with(b"HTTP/1.1 200 "), "{:?}", String::from_utf8_lossy(&got));
        }
    }
}

#[test]
fn an_idle_connection_costs_a_kibibyte_at_most() {
    let _alone = crate::alone();
    let service = Service::answering(|_| ok("good"));
    // This process and the gateway's have a limit each.
    let limit = ringgate_rt::descriptors::raise_limit(WANTED as u64 + 500).expect("a limit") as usize;
    let count = WANTED.min(limit.saturating_sub(500));
    if count < WANTED {
        eprintln!("SCALED DOWN: {count} connections and not {WANTED}: the limit on descriptors is {limit}");
    }
    let limits = format!("connections: {}, idle_timeout: 10m, header_timeout: 10m", count + 100);
    let process = Process::start(crate::BINARY, &Plan::to(&service).limits(&limits).text(), "auto");
    // Before the first: all that the connections do not cost.
    let connect = |_| {
        let client = TcpStream::connect(process.address()).expect("a connection");
        client.set_read_timeout(Some(STUCK)).expect("a time limit");
        client
    };
    let mut warm: Vec<TcpStream> = (0..64).map(connect).collect();
    for _ in 0..20 {
        ask_all(&mut warm);
    }
    let before = process.rss_kib();
    assert!(before <= 32 * 1024, "{before} KiB before the first idle connection");
    let mut clients: Vec<TcpStream> = Vec::new();
    while clients.len() < count - warm.len() {
        let mut lot: Vec<TcpStream> = (0..64).map(connect).collect();
        ask_all(&mut lot);
        clients.append(&mut lot);
    }

    let bound = before + clients.len() as u64 * EACH_BYTES_MAX / 1024;
    // Each keeps what a busy connection has for a moment.
    let begun = Instant::now();
    let mut idle = process.rss_kib();
    while idle > bound && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(20));
        idle = process.rss_kib();
    }
    let each = idle.saturating_sub(before) * 1024 / clients.len() as u64;
    eprintln!("{} idle connections: {each} bytes each, {before} KiB before", clients.len());
    assert!(idle <= bound, "{each} bytes for each of {} idle connections", clients.len());
    ask_all(&mut clients);
    ask_all(&mut warm);
}

/// Connections over TLS: each costs keys besides, which the ciphers have in memory of their own.
#[test]
fn an_idle_tls_connection_costs_twelve_kibibytes_at_most() {
    const WANTED: usize = 1000;
    const EACH_BYTES_MAX: u64 = 12 * 1024;
    let _alone = crate::alone();
    let service = Service::answering(|_| ok("good"));
    ringgate_rt::descriptors::raise_limit(2 * WANTED as u64 + 500).expect("a limit");
    let authority = Authority::new("of idle connections");
    let certificate = authority.certificate("site", &["localhost"]);
    let listener = format!("tls: {{ certificates: [{certificate}] }}");
    let limits = "idle_timeout: 10m, header_timeout: 10m";
    let plan = Plan::to(&service).limits(limits).listener(&listener);
    for version in [Version::Tls13, Version::Tls12] {
        let process = Process::start(crate::BINARY, &plan.text(), "auto");
        let config = Arc::new(tls::client_config(&authority, version));
        let visit = || {
            let mut client = tls::client(process.address(), &config, "localhost");
            assert_eq!(client.get("/").status, 200);
            client
        };
        // Before the first: all that the connections do not cost.
        let warm: Vec<Client> = (0..64).map(|_| visit()).collect();
        let before = process.rss_kib();
        let mut clients: Vec<Client> = (0..WANTED).map(|_| visit()).collect();
        let bound = before + WANTED as u64 * EACH_BYTES_MAX / 1024;
        let begun = Instant::now();
        let mut idle = process.rss_kib();
        while idle > bound && begun.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
            idle = process.rss_kib();
        }
        let each = idle.saturating_sub(before) * 1024 / WANTED as u64;
        eprintln!("{WANTED} idle connections, {version:?}: {each} bytes each, {before} KiB before");
        assert!(idle <= bound, "{version:?}: {each} bytes for each of {WANTED} idle connections");
        for client in clients.iter_mut().step_by(10) {
            assert_eq!(client.get("/").status, 200);
        }
        drop(warm);
    }
}
