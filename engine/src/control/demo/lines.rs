//! What the demo prints: lines for curl, each of which shows one thing. A test runs every one of them.

use std::fmt::Write;
use std::path::Path;

/// Columns of the text at most, where paths of files do not make it wider.
#[cfg(test)]
pub(super) const COLUMNS_MAX: usize = 100;
/// Where the promise of a line begins.
const PROMISE_COLUMN: usize = 40;

/// A line to try: what it shows, what comes of it, and curl's arguments, with `@GATEWAY@`, `@ADMIN@`, `@TOKEN@`.
struct Line(&'static str, &'static str, &'static str);

const ROUTING: &[Line] = &[
    Line("by path, with a capture", "200; served_by takes turns, 1 to 2", "@GATEWAY@/users/7"),
    Line("by header, on the same path", "200 from orders-next", "-H 'x-beta: on' @GATEWAY@/users/7"),
    Line(
        "by host; the service sees another",
        "200; the host it saw: orders.internal",
        "-H 'host: eu.example.com' @GATEWAY@/any",
    ),
    Line("what a service is told", "200; x-forwarded-for, via, x-request-id", "'@GATEWAY@/orders/42?page=2'"),
    Line("a body", "201, received_bytes 10", "-d 'item=apple' @GATEWAY@/orders/new"),
    Line("a canary", "about 3 to 1, orders to orders-next", "'@GATEWAY@/canary?[1-12]'"),
    Line("server-sent events", "200, three events, one by one", "-N @GATEWAY@/notifications/live"),
];

const OWN: &[Line] = &[
    Line("a redirect", "308, location: /users/7?a=b", "-i '@GATEWAY@/people/7?a=b'"),
    Line("a fixed answer", "200, made by the gateway", "@GATEWAY@/hello/you"),
    Line("the wrong method", "405, allow: GET, HEAD", "-i -X DELETE @GATEWAY@/users/7"),
    Line("no such route", "404 with a request id", "-i @GATEWAY@/nothing/here"),
    Line("an ambiguous path", "400 with a request id", "-i --path-as-is @GATEWAY@/users/..%2Forders"),
    Line("a service that is down", "502; the log line says why", "-i @GATEWAY@/broken"),
];

const ADMIN: &[Line] = &[
    Line("ready for traffic?", "200", "@ADMIN@/readyz"),
    Line("services and their state", "200, JSON", "@ADMIN@/upstreams"),
    Line("metrics", "200, Prometheus text", "@ADMIN@/metrics"),
    Line("reload the file", "200, what has changed", "-X POST -H 'authorization: Bearer @TOKEN@' @ADMIN@/reload"),
    Line("the same without the token", "401", "-i -X POST @ADMIN@/reload"),
];

/// What the text has to know.
pub(super) struct Facts<'a> {
    /// `HOST:PORT`.
    pub(super) gateway: &'a str,
    /// The same of the admin API.
    pub(super) admin: &'a str,
    pub(super) token: &'a str,
    pub(super) file: &'a Path,
    pub(super) driver: &'a str,
    pub(super) shards: usize,
    pub(super) pid: u32,
    /// What was not as asked for, if anything.
    pub(super) note: Option<&'a str>,
}

/// The whole text.
pub(super) fn text(facts: &Facts<'_>) -> String {
    let mut text = String::with_capacity(4096);
    let Facts { gateway, file, driver, shards, pid, .. } = facts;
    let file = file.display();
    // Writing to a string can't fail.
    let _ = writeln!(
        text,
        "\nRinggate {} runs on http://{gateway} ({shards} shards, {driver}).",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(note) = facts.note {
        let _ = writeln!(text, "{note}");
    }
    text.push_str("Behind it, inside this process: users (two endpoints), orders, orders-next, notifications.\n");
    let _ = writeln!(text, "Its configuration: {file}");
    text.push_str("\nTry these in another terminal. Each request leaves a line of the access log here.\n");
    section(&mut text, "Routing", ROUTING, facts);
    section(&mut text, "Answers of the gateway itself", OWN, facts);
    section(&mut text, "For whoever runs it", ADMIN, facts);
    let _ = writeln!(text, "\nChange the configuration while it runs, wrongly too, and reload it:  kill -HUP {pid}");
    text.push_str("Ctrl-C ends it.\n\n");
    text
}

fn section(text: &mut String, title: &str, lines: &[Line], facts: &Facts<'_>) {
    let _ = writeln!(text, "\n{title}");
    for Line(shows, promise, arguments) in lines {
        let arguments = arguments.replace("@GATEWAY@", facts.gateway).replace("@ADMIN@", facts.admin);
        let _ = writeln!(text, "  {shows:<width$}# {promise}", width = PROMISE_COLUMN - 2);
        let _ = writeln!(text, "    curl {}", arguments.replace("@TOKEN@", facts.token));
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS_MAX, Facts, text};

    #[test]
    fn the_text_fits_a_terminal() {
        let text = text(&Facts {
            gateway: "localhost:65535",
            admin: "localhost:65535",
            token: "0123456789abcdef",
            file: "/tmp/ringgate-demo-4194304/gateway.yaml".as_ref(),
            driver: "io_uring",
            shards: 128,
            pid: 4_194_304,
            note: Some("Port 8080 is taken: it listens on 8081 instead."),
        });
        for line in text.lines() {
            assert!(line.len() <= COLUMNS_MAX, "{} columns: {line}", line.len());
        }
        assert!(!text.contains('@'), "{text}");
    }
}
