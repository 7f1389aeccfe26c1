//! What can only be tested with a hand inside: a panic in the middle of an exchange, the size of a connection.

use crate::control::{Gateway, Options};
use crate::proxy::{Arrival, Place, serve};
use ringgate_rt::driver::Choice;
use ringgate_rt::{Address, Sockets, Stream};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A service that answers every request on every connection with 200 and two bytes.
fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer_all(stream));
        }
    });
    address
}

fn answer_all(mut stream: TcpStream) {
    let mut seen = Vec::new();
    let mut bytes = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut bytes) {
        seen.extend_from_slice(&bytes[..n]);
        while let Some(end) = seen.windows(4).position(|w| w == b"\r\n\r\n") {
            seen.drain(..end + 4);
            if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_err() {
                return;
            }
        }
    }
}

fn ask(stream: &mut TcpStream, path: &str) -> std::io::Result<String> {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\nok") {
        if stream.read(&mut byte)? == 0 {
            break;
        }
        answer.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn a_panic_in_one_exchange_ends_only_that_one() {
    for driver in [Choice::Auto, Choice::Epoll] {
        let yaml = format!(
            "runtime: {{ cores: [0] }}\nlisteners: [{{ name: a, address: \"127.0.0.1:0\" }}]\n\
             upstreams: {{ s: {{ endpoints: [\"{}\"] }} }}\n\
             routes: [{{ name: all, match: {{ path: \"/*\" }}, forward: {{ upstream: s }} }}]\naccess_log: off\n",
            service()
        );
        let config = ringgate_config::parse("test.yaml", &yaml, &|_| None).expect("a good file");
        let options = Options { driver, unpinned: true, ..Options::default() };
        let gateway = Gateway::start(&config, options).expect("started");
        let Address::Tcp(at) = gateway.listeners[0].address else { panic!("a TCP listener") };
        let connect = || {
            let stream = TcpStream::connect(at).expect("connected");
            stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
            stream
        };
        let mut bystander = connect();
        assert!(ask(&mut bystander, "/").expect("answered").starts_with("HTTP/1.1 200"));
        for _ in 0..3 {
            let mut victim = connect();
            assert!(!ask(&mut victim, "/panic").unwrap_or_default().contains("200"), "it panicked");
            assert!(ask(&mut bystander, "/").expect("answered").starts_with("HTTP/1.1 200"));
            assert!(ask(&mut connect(), "/").expect("answered").starts_with("HTTP/1.1 200"));
        }
        assert_eq!(gateway.counters.iter().map(|c| c.panics.get()).sum::<u64>(), 3);
        drop(bystander);
        gateway.stop(Some(Duration::from_secs(10)));
    }
}

#[test]
fn an_idle_connection_is_a_small_future() {
    fn size_of_output<A, B, C, F: Future>(_: fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }
    let size = size_of_output(serve::<Sockets> as fn(Place<Sockets>, Stream, Arrival) -> _);
    assert!(size < 400, "a connection's future takes {size} bytes");
}
