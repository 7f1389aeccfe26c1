//! The admin API of a real process: every call, every refusal, and what must not notice any of it.

#![allow(clippy::expect_used)]

mod changes;
mod clients;
mod listening;
mod reads;
mod refusals;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use support::process::Process;
use support::service::ok;
use support::{Answer, Client, Service};

const BINARY: &str = env!("CARGO_BIN_EXE_ringgate");

/// The token of every gateway here that has one. It must be in no answer and in no line.
const TOKEN: &str = "open-sesame-4711";

/// A gateway with an admin API, and a service behind it.
struct Gate {
    process: Process,
    service: Service,
    /// Members of `admin`, for a reload.
    admin: String,
}

impl Gate {
    /// The admin API on a port of 127.0.0.1, with the token.
    #[track_caller]
    fn start() -> Gate {
        Gate::with(&format!("address: \"127.0.0.1:0\", token: {TOKEN}"))
    }

    /// These members of `admin`.
    #[track_caller]
    fn with(admin: &str) -> Gate {
        let service = Service::answering(|_| ok("served"));
        let text = text(admin, &service.endpoint(), "");
        Gate { process: Process::start(BINARY, &text, "auto"), service, admin: admin.to_owned() }
    }

    /// Another file: these members of `admin`, these further lines.
    #[track_caller]
    fn rewrite(&self, admin: &str, other: &str) {
        self.process.rewrite(&text(admin, &self.service.endpoint(), other));
    }

    #[track_caller]
    fn admin(&self) -> Client {
        connect(self.process.admin())
    }

    /// Sends a request with these further field lines; with the token.
    #[track_caller]
    fn change(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask(&format!("{method} {path}"), &format!("authorization: Bearer {TOKEN}\r\n"), body)
    }

    #[track_caller]
    fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "", "")
    }

    /// Sends a request on a connection of its own.
    #[track_caller]
    fn ask(&self, method_and_path: &str, fields: &str, body: &str) -> Answer {
        ask(self.process.admin(), method_and_path, fields, body)
    }

    #[track_caller]
    fn generation(&self) -> u64 {
        self.get("/config").json()["generation"].as_u64().expect("a number")
    }
}

/// A file with `/ready` for the gateway's readiness and all else for the service.
fn text(admin: &str, endpoint: &str, other: &str) -> String {
    let core = ringgate_rt::cores::allowed()[0];
    let admin = if admin.is_empty() { String::new() } else { format!("admin: {{ {admin} }}\n") };
    format!(
        "{admin}runtime: {{ cores: [{core}] }}\nlimits: {{ connections: 200 }}\n\
         listeners: [{{ name: plain, address: \"127.0.0.1:0\" }}]\n\
         upstreams: {{ origin: {{ endpoints: [{endpoint:?}] }} }}\n\
         routes:\n  - {{ name: ready, match: {{ path: /ready }}, respond: {{ health: ready }} }}\n  \
         - {{ name: all, match: {{ path: \"/*\" }}, forward: {{ upstream: origin }} }}\n{other}"
    )
}

#[track_caller]
fn connect(at: &str) -> Client {
    match at.strip_prefix("unix:") {
        Some(path) => Client::connect_unix(Path::new(path)),
        None => Client::connect(at.parse().expect("an address")),
    }
}

#[track_caller]
fn ask(at: &str, method_and_path: &str, fields: &str, body: &str) -> Answer {
    let host = if at.starts_with("unix:") { "localhost" } else { at };
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let mut client = connect(at);
    client.send(format!("{method_and_path} HTTP/1.1\r\nhost: {host}\r\n{fields}{length}\r\n{body}"));
    client.answer_to(method_and_path.split(' ').next().unwrap_or_default())
}

/// Asserts a refusal in the form of the gateway's own.
#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{}", answer.text());
    assert!(answer.json()["message"].is_string());
}
