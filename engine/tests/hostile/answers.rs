//! What services must not answer.

use crate::support::service::ok;
use crate::support::{Answer, Service};
use std::io;

/// Stands behind many a bad answer. No client must ever see it.
const HIDDEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhidden";

/// Heads that are answered by 502.
fn heads() -> Vec<String> {
    let mut rows: Vec<String> = [
        "HTTP/2.0 200 OK",
        "HTTP/1.2 200 OK",
        "HTTP/0.9 200 OK",
        "HTTP/1 200 OK",
        "http/1.1 200 OK",
        "ICY 200 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 000 OK",
        "HTTP/1.1 abc OK",
        "HTTP/1.1 -20 OK",
        "HTTP/1.1 2 0 OK",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1 200\tOK",
        " HTTP/1.1 200 OK",
        "HTTP/1.1 200 O\u{0}K",
        "HTTP/1.1 200 O\u{1}K",
        "HTTP/1.1 200 O\u{7f}K",
        "HTTP/1.1 200 O\rK",
        "<html>",
        "GET / HTTP/1.1",
        "\u{16}\u{3}\u{1}",
        "SSH-2.0-x",
        "HTTP/1.1 200 OK\r",
        "HTTP/1.1 101 Switching Protocols",
    ]
    .iter()
    .map(|line| format!("{line}\r\ncontent-length: 2\r\n\r\nok"))
    .collect();
    let lengths = [
        "+2",
        "-2",
        "0x2",
        "2 2",
        "2, 2",
        "2,3",
        "",
        "two",
        "2.0",
        "18446744073709551616",
        "9223372036854775808",
        "\u{b}2",
        "2\u{c}",
        "\"2\"",
        "2;",
    ];
    rows.extend(lengths.iter().map(|value| format!("HTTP/1.1 200 OK\r\ncontent-length: {value}\r\n\r\nok")));
    let codings = [
        "xchunked",
        "gzip, chunked",
        "chunked, chunked",
        "chunked, gzip",
        "gzip",
        "identity",
        "",
        "chunked;q=1",
        "\u{b}chunked",
        "chunked\u{0}",
        "\"chunked\"",
        ",chunked",
        "chun ked",
    ];
    rows.extend(
        codings
            .iter()
            .map(|value| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: {value}\r\n\r\n2\r\nok\r\n0\r\n\r\n")),
    );
    let lines = [
        "content-length: 2\r\ncontent-length: 3",
        "content-length: 2\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 2",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "content-length : 2",
        "transfer-encoding : chunked",
        "content-length: 2\r\n x",
        "content-length:\r\n 2",
        "x: y\r\n content-length: 2",
        " x: y\r\ncontent-length: 2",
        ": y\r\ncontent-length: 2",
        "x y\r\ncontent-length: 2",
        "x\r\ncontent-length: 2",
        "x: a\u{0}b\r\ncontent-length: 2",
        "x: a\rb\r\ncontent-length: 2",
        "x: a\nb: c\r\ncontent-length: 2",
        "x: a\u{1}b\r\ncontent-length: 2",
        "x: a\u{7f}b\r\ncontent-length: 2",
        "x\u{0}: y\r\ncontent-length: 2",
        "x(: y\r\ncontent-length: 2",
        "content-length: 2\nx: y",
        "\u{e9}: y\r\ncontent-length: 2",
        "x\t: y\r\ncontent-length: 2",
    ];
    rows.extend(lines.iter().map(|lines| format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\nok")));
    rows.push(format!("HTTP/1.1 200 OK\r\n{}content-length: 2\r\n\r\nok", "x: y\r\n".repeat(101)));
    rows.push(format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 2\r\n\r\nok", "a".repeat(40_000)));
    rows.push(format!("HTTP/1.1 200 {}\r\ncontent-length: 2\r\n\r\nok", "a".repeat(40_000)));
    rows.push("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n".into());
    for status in [100, 102, 103, 199] {
        rows.push(format!("HTTP/1.1 {status} I\r\ncontent-length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()));
        rows.push(format!("HTTP/1.1 {status} I\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"));
        rows.push(format!("HTTP/1.1 {status} I\r\nx: a\u{0}b\r\n\r\n"));
    }
    rows.push("HTTP/1.1 200 OK\ncontent-length: 2\n\nok".into());
    rows.push("\r\n\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".into());
    rows
}

/// Heads that are good, with a body that is not: 502 where nothing has been sent yet, or else an answer cut short.
fn bodies() -> Vec<String> {
    let bodies = [
        "",
        "2",
        "2\r\n",
        "2\r\nok",
        "2\r\nok\r\n",
        "2\r\nok\r\n0",
        "2\r\nok\r\n0\r\n",
        "g\r\nok\r\n0\r\n\r\n",
        "2 \r\nok\r\n0\r\n\r\n",
        "+2\r\nok\r\n0\r\n\r\n",
        "0x2\r\nok\r\n0\r\n\r\n",
        "-2\r\nok\r\n0\r\n\r\n",
        "2\nok\r\n0\r\n\r\n",
        "2\r\nok\n0\r\n\r\n",
        "2\r\nok0\r\n\r\n",
        "1\r\nok\r\n0\r\n\r\n",
        "2\r\nok\r\n0\r\nx\r\n\r\n",
        "2\r\nok\r\n0\r\nx : y\r\n\r\n",
        "2\r\nok\r\n0\r\n x: y\r\n\r\n",
        "2\r\nok\r\n0\r\nx: y\n\r\n",
        "2\r\nok\r\n0\r\nx: \u{0}\r\n\r\n",
        "10000000000000000\r\nok",
        "8000000000000000\r\nok",
        "ffffffffffffffffff\r\nok",
        "2;a\nb\r\nok\r\n0\r\n\r\n",
        "2;\u{0}\r\nok\r\n0\r\n\r\n",
        "\r\n2\r\nok\r\n0\r\n\r\n",
        "0\n\n",
    ];
    let mut rows: Vec<String> =
        bodies.iter().map(|body| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}")).collect();
    rows.push(format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;{}\r\nok\r\n0\r\n\r\n",
        "a".repeat(20_000)
    ));
    rows.push("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok".into());
    rows.push("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nok".into());
    rows
}

/// Good answers with something behind them that nobody asked for.
fn with_leftovers() -> Vec<String> {
    let answers = [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ];
    let behind = [
        HIDDEN,
        "x",
        "\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "\u{0}",
    ];
    answers.iter().flat_map(|answer| behind.map(|behind| format!("{answer}{behind}"))).collect()
}

struct Row {
    bytes: String,
    kind: Kind,
    closes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Head,
    Body,
    Leftover,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for bytes in heads() {
        for closes in [false, true] {
            for behind in ["", HIDDEN] {
                rows.push(Row { bytes: format!("{bytes}{behind}"), kind: Kind::Head, closes });
            }
        }
    }
    // Cut short, these need the end of the connection to be wrong.
    rows.extend(bodies().into_iter().map(|bytes| Row { bytes, kind: Kind::Body, closes: true }));
    for bytes in with_leftovers() {
        for closes in [false, true] {
            rows.push(Row { bytes: bytes.clone(), kind: Kind::Leftover, closes });
        }
    }
    rows
}

fn verdict(row: &Row, result: io::Result<Answer>) -> Result<(), String> {
    match (row.kind, result) {
        (Kind::Head | Kind::Body, Ok(answer)) if answer.status == 502 => {
            let own = answer.json()["error"].is_string();
            if own { Ok(()) } else { Err(format!("not the gateway's own: {answer:?}")) }
        }
        (Kind::Body, Err(_)) => Ok(()),
        (Kind::Leftover, Ok(answer)) if matches!(answer.body.as_slice(), b"ok" | b"") => Ok(()),
        (_, result) => Err(format!("{result:?}")),
    }
}

#[test]
fn every_bad_answer_gives_502_or_is_cut_and_the_next_request_gets_its_own_answer() {
    let all = std::sync::Arc::new(rows());
    let inside = all.clone();
    let service = Service::start(move |connection| {
        while let Some(request) = connection.request() {
            let Some(at) = request.target.strip_prefix("/bad/").and_then(|at| at.parse::<usize>().ok()) else {
                if !connection.send(ok(&request.target)) {
                    return;
                }
                continue;
            };
            let row = &inside[at];
            if !connection.send(&row.bytes) || row.closes {
                return;
            }
        }
    });
    let process = crate::process(&service);
    let mut wrong = Vec::new();
    let mut run = |at: usize, keep: bool| {
        let row = &all[at];
        let mut client = process.client();
        client.send(format!("GET /bad/{at} HTTP/1.1\r\nhost: h\r\n\r\n"));
        let mut result = client.try_answer();
        while matches!(&result, Ok(answer) if answer.status < 200) {
            result = client.try_answer();
        }
        let closed = match &result {
            Ok(answer) => answer.fields.get("connection") == Some("close"),
            Err(_) => true,
        };
        if let Err(what) = verdict(row, result) {
            wrong.push(format!(
                "{:?} {} {:?}: {what}",
                row.kind,
                row.closes,
                &row.bytes.chars().take(200).collect::<String>()
            ));
        }
        // The next request, on the same connection where it is open and on a new one.
        for n in 0..2 {
            let mut client = if n == 0 && keep && !closed {
                std::mem::replace(&mut client, process.client())
            } else {
                process.client()
            };
            client.send(format!("GET /good/{at}/{n} HTTP/1.1\r\nhost: h\r\n\r\n"));
            match client.try_answer() {
                Ok(answer) if answer.status == 200 && answer.body == format!("/good/{at}/{n}").as_bytes() => {}
                other => wrong.push(format!(
                    "the next one: {:?} {:?}: {other:?}",
                    row.kind,
                    &row.bytes.chars().take(200).collect::<String>()
                )),
            }
        }
    };
    (0..all.len()).for_each(|at| run(at, true));
    let before = process.rss_kib();
    for _ in 0..4 {
        (0..all.len()).for_each(|at| run(at, true));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
    let after = crate::settled_rss_kib(&process, before + crate::GROWTH_KIB_MAX);
    eprintln!("{} bad answers four times; resident before {before} KiB, after {after} KiB", all.len());
    assert!(after <= before + crate::GROWTH_KIB_MAX, "memory grew from {before} KiB to {after} KiB");
}
