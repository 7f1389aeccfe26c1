//! Malformed requests, made from tables: each row is spoilt at one place, and sent in several settings.

use crate::fields::{broken_lines, framing_lines, host_lines};

/// A request that must be refused.
pub(crate) struct Case {
    pub(crate) bytes: Vec<u8>,
    pub(crate) status: u16,
}

/// The requests that hide in bodies and behind heads ask for this. No service must ever see it.
pub(crate) const HIDDEN: &str = "/hidden";

fn hidden() -> String {
    format!("GET {HIDDEN} HTTP/1.1\r\nHost: h\r\n\r\n")
}

fn request_lines() -> Vec<(String, u16)> {
    let mut rows = Vec::new();
    let lines = [
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / HTTP/0.9",
        "GET / HTTP/1.10",
        "GET / HTTP/1",
        "GET / HTTP/11",
        "GET / http/1.1",
        "GET / HTTP 1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1 x",
        "GET / HTTPS/1.1",
        "GET / XHTTP/1.1",
        "GET / HTTP/01.1",
        "GET / HTTP/1,1",
        "GET /",
        "GET / ",
        "GET",
        "GET ",
        "",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET /\tHTTP/1.1",
        " GET / HTTP/1.1",
        "\tGET / HTTP/1.1",
        "GET /a b HTTP/1.1",
        "/ HTTP/1.1",
        "G@T / HTTP/1.1",
        "G(T / HTTP/1.1",
        "GET: / HTTP/1.1",
        "\"GET\" / HTTP/1.1",
        "G\u{e9}T / HTTP/1.1",
        "GET, / HTTP/1.1",
        "GET/ HTTP/1.1",
        "[GET] / HTTP/1.1",
        "GET a HTTP/1.1",
        "GET a/b HTTP/1.1",
        "GET ?q HTTP/1.1",
        "GET * HTTP/1.1",
        "GET /#f HTTP/1.1",
        "GET /% HTTP/1.1",
        "GET /%4 HTTP/1.1",
        "GET /%zz HTTP/1.1",
        "GET /%00 HTTP/1.1",
        "GET /\u{e9} HTTP/1.1",
        "GET ftp://h/ HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http://a@b/ HTTP/1.1",
        "GET http://a:b/ HTTP/1.1",
        "GET http:/x HTTP/1.1",
        "GET //\u{7f} HTTP/1.1",
        "GET file:///etc/passwd HTTP/1.1",
        "CONNECT / HTTP/1.1",
        "CONNECT * HTTP/1.1",
        "CONNECT a b HTTP/1.1",
        "GET gopher://h HTTP/1.1",
        "GET http://[::1/ HTTP/1.1",
        "GET http://h:99999/ HTTP/1.1",
        "PRI * HTTP/2.0",
        "POST * HTTP/1.1",
    ];
    rows.extend(lines.iter().filter(|line| !line.is_empty()).map(|line| (line.to_string(), 400)));
    for byte in (0..0x20u8).chain([0x7f]) {
        let char = char::from(byte);
        if byte != b'\n' {
            rows.push((format!("GET /a{char}b HTTP/1.1"), 400));
            rows.push((format!("GET / HTTP/1.1{char}"), 400));
        }
        if !matches!(byte, b'\n' | b'\r') {
            rows.push((format!("G{char}T / HTTP/1.1"), 400));
            rows.push((format!("{char}GET / HTTP/1.1"), 400));
        }
    }
    rows.push((format!("{} / HTTP/1.1", "M".repeat(33)), 400));
    rows.push((format!("GET /{} HTTP/1.1", "a".repeat(16 * 1024)), 414));
    rows.push((format!("GET /?{} HTTP/1.1", "a".repeat(17 * 1024)), 414));
    rows
}

fn large_heads() -> Vec<(String, u16)> {
    vec![
        ("X: y\r\n".repeat(101), 431),
        (format!("X: {}\r\n", "a".repeat(33 * 1024)), 431),
        (format!("{}: y\r\n", "a".repeat(33 * 1024)), 431),
        (format!("X: {}\r\n", "a".repeat(900)).repeat(40), 431),
        ("Expect: 200-ok\r\n".into(), 417),
        ("Expect: 100-continue, more\r\n".into(), 417),
        ("Expect: 100-continued\r\n".into(), 417),
        (format!("Connection: {}\r\n", "a,".repeat(40)), 400),
        ("Content-Length: 10485761\r\n".into(), 413),
        ("Content-Length: 9223372036854775807\r\n".into(), 413),
    ]
}

fn chunked_bodies() -> Vec<(Vec<u8>, u16)> {
    let mut rows: Vec<(Vec<u8>, u16)> = Vec::new();
    let sizes = [
        "",
        " 5",
        "5 ",
        "\t5",
        "5\t",
        "0x5",
        "0X5",
        "+5",
        "-5",
        "5h",
        "g",
        "5,",
        "5 ;a",
        "5.",
        "-0",
        "_5",
        "5_0",
        "\u{a0}5",
        "\"5\"",
        "5\u{0}",
        "\u{0}5",
        "00000000000000005",
        "10000000000000000",
        "8000000000000000",
        "ffffffffffffffff",
        "fffffffffffffffff",
        "7fffffffffffffffff",
        "5;\u{0}",
        "5;a\u{1}",
        "5;a=\"b",
        "5;a=\"\u{b}\"",
        "5\u{b}",
        "5\u{c}",
        "%35",
    ];
    rows.extend(sizes.iter().map(|size| (format!("{size}\r\nhello\r\n0\r\n\r\n").into_bytes(), 400)));
    let bodies = [
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n0\r\n\n",
        "5\r\nhello\r\n0\r\nx\r\n\r\n",
        "5\r\nhello\r\n0\r\n: y\r\n\r\n",
        "5\r\nhello\r\n0\r\nx : y\r\n\r\n",
        "5\r\nhello\r\n0\r\n x: y\r\n\r\n",
        "5\r\nhello\r\n0\r\nx: y\n\r\n",
        "5\r\nhello\r\n0\r\nx: y\r\n z\r\n\r\n",
        "5\r\nhello\r\n0\r\nx: \u{0}\r\n\r\n",
        "5\r\nhello\r\n0\r\nx: a\u{7f}b\r\n\r\n",
        "5\r\nhello\r\n0\r\nx: a\rb\r\n\r\n",
        "5\r\nhello\r\n0\r\nx y: b\r\n\r\n",
        "4\r\nhello\r\n0\r\n\r\n",
        "6\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n\r\n0\r\n\r\n",
        "5\r\rhello\r\n0\r\n\r\n",
        "5\r\nhello\r\r\n0\r\n\r\n",
        "5\rX\nhello\r\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "0\rX\n\r\n",
        "0;\n\r\n",
        "0\r\n\rX",
    ];
    rows.extend(bodies.iter().map(|body| (body.as_bytes().to_vec(), 400)));
    rows.push((format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(20_000)).into_bytes(), 400));
    rows.push((format!("5;a=\"{}\"\r\nhello\r\n0\r\n\r\n", "a".repeat(20_000)).into_bytes(), 400));
    rows.push((
        ["1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(2000), "0\r\n\r\n".into()].concat().into_bytes(),
        400,
    ));
    rows
}

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    let hidden = hidden();
    let mut cases = Vec::new();
    let mut head = |text: String, status| cases.push(Case { bytes: text.into_bytes(), status });
    // What follows the head: nothing, a body in either reading, or a request that hides there.
    let tails = ["", "0\r\n\r\n", "hello", &hidden, &format!("5\r\nhello\r\n0\r\n\r\n{hidden}")];
    for lines in framing_lines() {
        for (at, tail) in tails.iter().enumerate() {
            let method = ["POST", "GET", "PUT", "DELETE", "OPTIONS"][at];
            head(format!("{method} /refused HTTP/1.1\r\nHost: h\r\n{lines}\r\n{tail}"), 400);
            head(format!("{method} /refused HTTP/1.1\r\n{lines}Host: h\r\n\r\n{tail}"), 400);
        }
    }
    for coding in ["chunked", "gzip", "chunked, chunked", "identity"] {
        for tail in &tails {
            head(format!("POST /refused HTTP/1.0\r\nTransfer-Encoding: {coding}\r\n\r\n{tail}"), 400);
            head(
                format!(
                    "POST /refused HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: {coding}\r\n\r\n{tail}"
                ),
                400,
            );
        }
    }
    for lines in broken_lines() {
        for tail in ["", &hidden] {
            head(format!("GET /refused HTTP/1.1\r\nHost: h\r\n{lines}\r\n{tail}"), 400);
            head(format!("GET /refused HTTP/1.1\r\n{lines}Host: h\r\n\r\n{tail}"), 400);
            head(format!("GET /refused HTTP/1.1\r\nHost: h\r\nA: b\r\n{lines}C: d\r\n\r\n{tail}"), 400);
        }
    }
    for lines in host_lines() {
        for tail in ["", &hidden] {
            head(format!("GET /refused HTTP/1.1\r\n{lines}\r\n{tail}"), 400);
            head(format!("GET http://good.example/refused HTTP/1.1\r\n{lines}\r\n{tail}"), 400);
            head(format!("POST /refused HTTP/1.1\r\nA: b\r\n{lines}C: d\r\nContent-Length: 0\r\n\r\n{tail}"), 400);
        }
    }
    for (line, status) in request_lines() {
        for tail in ["", &hidden] {
            head(format!("{line}\r\nHost: h\r\n\r\n{tail}"), status);
            head(format!("{line}\r\nContent-Length: 0\r\nHost: h\r\n\r\n{tail}"), status);
        }
    }
    for (lines, status) in large_heads() {
        for tail in ["", &hidden] {
            head(format!("POST /refused HTTP/1.1\r\nHost: h\r\n{lines}\r\n{tail}"), status);
        }
    }
    head(format!("\r\n\r\n\r\n\r\n\r\n\r\nGET /refused HTTP/1.1\r\nHost: h\r\n\r\n{hidden}"), 400);
    head(format!("\nGET /refused HTTP/1.1\r\nHost: h\r\n\r\n{hidden}"), 400);
    for (body, status) in chunked_bodies() {
        for coding in ["Transfer-Encoding: chunked", "transfer-encoding:\tChunked"] {
            for tail in ["", &hidden] {
                let mut bytes = format!("POST /body HTTP/1.1\r\nHost: h\r\n{coding}\r\n\r\n").into_bytes();
                bytes.extend_from_slice(&body);
                bytes.extend_from_slice(tail.as_bytes());
                cases.push(Case { bytes, status });
            }
        }
    }
    cases
}
