//! Exchanges as they are in practice: what a client sends, what a service answers.

use ringgate::harness::{Harness, Service};
use ringgate_config::Config;
use std::io;

/// A kind of exchange.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name in reports and on the command line.
    pub name: &'static str,
    /// The request's head; its body is as long as the head says.
    pub head: &'static str,
    /// Bytes of the request's body.
    pub request_bytes: usize,
    /// Bytes of the answer's body.
    pub answer_bytes: usize,
}

/// Every kind.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "get_1k",
        head: "GET /1k HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n",
        request_bytes: 0,
        answer_bytes: 1024,
    },
    // Ten fields, as a browser sends them.
    Scenario {
        name: "browser_1k",
        head: "GET /articles/2026/10/how-a-ring-works?from=feed HTTP/1.1\r\n\
               Host: www.example.com\r\n\
               User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0\r\n\
               Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
               Accept-Language: en-GB,en;q=0.8,de;q=0.5\r\n\
               Accept-Encoding: gzip, deflate, br, zstd\r\n\
               Referer: https://www.example.com/articles\r\n\
               Connection: keep-alive\r\n\
               Cookie: session=6f1d2c3b4a596877; theme=dark; consent=necessary\r\n\
               Upgrade-Insecure-Requests: 1\r\n\
               Sec-Fetch-Site: same-origin\r\n\r\n",
        request_bytes: 0,
        answer_bytes: 1024,
    },
    Scenario {
        name: "post_16k",
        head: "POST /upload HTTP/1.1\r\n\
               Host: 127.0.0.1:8080\r\n\
               Content-Type: application/octet-stream\r\n\
               Content-Length: 16384\r\n\r\n",
        request_bytes: 16384,
        answer_bytes: 2,
    },
];

/// Whether each exchange writes a line of the access log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLines {
    /// It does.
    On,
    /// It does not.
    Off,
}

/// A gateway in the middle of exchanges of one kind.
pub struct Exchange {
    harness: Harness,
    request: Vec<u8>,
    scenario: Scenario,
}

impl Scenario {
    /// The kind with this name.
    pub fn named(name: &str) -> Option<Scenario> {
        SCENARIOS.iter().find(|scenario| scenario.name == name).copied()
    }

    /// A gateway that has been warmed up by some exchanges.
    ///
    /// # Errors
    /// A configuration that is refused, an answer that is not what the service sent.
    pub fn start(self, log: LogLines) -> io::Result<Exchange> {
        let harness = Harness::new(&config(plain(log))?, self.service())?;
        let mut exchange = Exchange { harness, request: self.request(), scenario: self };
        for _ in 0..100 {
            exchange.checked()?;
        }
        Ok(exchange)
    }

    pub(crate) fn request(self) -> Vec<u8> {
        let mut request = self.head.as_bytes().to_vec();
        request.resize(request.len() + self.request_bytes, b'x');
        request
    }

    /// Answers as nginx does for a small file, once a whole request has come.
    pub(crate) fn service(self) -> Service {
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\n\
             Server: nginx/1.22.1\r\n\
             Date: Tue, 24 Nov 2026 15:56:16 GMT\r\n\
             Content-Type: application/octet-stream\r\n\
             Content-Length: {}\r\n\
             Last-Modified: Mon, 02 Nov 2026 10:00:00 GMT\r\n\
             Connection: keep-alive\r\n\
             ETag: \"6907266b-400\"\r\n\
             Accept-Ranges: bytes\r\n\r\n",
            self.answer_bytes
        )
        .into_bytes();
        answer.resize(answer.len() + self.answer_bytes, b'y');
        // Every request is as long as the first: looking for its end again would be measured with the gateway.
        let mut whole = None;
        Box::new(move |received, out| {
            if whole.is_none() {
                let head = received.windows(4).position(|window| window == b"\r\n\r\n");
                whole = head.map(|at| at + 4 + self.request_bytes);
            }
            match whole {
                Some(whole) if received.len() >= whole => {
                    out.extend_from_slice(&answer);
                    whole
                }
                _ => 0,
            }
        })
    }
}

impl Exchange {
    /// One exchange. Returns the bytes of the answer, head and body.
    #[inline]
    pub fn run(&mut self) -> usize {
        self.harness.exchange(&self.request, |_| {})
    }

    /// One exchange whose answer is looked at.
    fn checked(&mut self) -> io::Result<()> {
        let mut answer = Vec::new();
        self.harness.exchange(&self.request, |piece| answer.extend_from_slice(piece));
        let body = vec![b'y'; self.scenario.answer_bytes];
        match answer.starts_with(b"HTTP/1.1 200 OK\r\n") && answer.ends_with(&body) {
            true => Ok(()),
            false => Err(io::Error::other(format!("an answer that is not the service's: {answer:?}"))),
        }
    }

    /// Connections that were made to the service.
    pub fn connections(&self) -> usize {
        self.harness.connections()
    }
}

/// Parses a configuration.
///
/// # Errors
/// If it is refused; the error says why.
pub fn config(text: &str) -> io::Result<Config> {
    ringgate_config::parse("bench.yaml", text, &|_| None).map_err(|errors| io::Error::other(errors.to_string()))
}

pub(crate) fn plain(log: LogLines) -> &'static str {
    match log {
        LogLines::Off => concat!(include_str!("../../examples/minimal.yaml"), "\naccess_log: off\n"),
        LogLines::On => include_str!("../../examples/minimal.yaml"),
    }
}
