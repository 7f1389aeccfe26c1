use crate::h1::{HeadError, HeadLimits, RequestHead};

const LIMITS: HeadLimits = HeadLimits { header_bytes: 4096, headers: 8, target_bytes: 64 };

fn parse(bytes: &[u8]) -> Result<RequestHead, HeadError> {
    let mut head = RequestHead::new();
    head.parse(bytes, &LIMITS).map(|()| head)
}

/// A GET with a Host and these lines.
fn with(lines: &str) -> Result<RequestHead, HeadError> {
    parse(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes())
}

#[test]
fn keeping_the_connection_open() {
    let keeps = |version: &str, lines: &str| {
        let bytes = format!("GET / HTTP/{version}\r\nHost: a\r\n{lines}\r\n");
        parse(bytes.as_bytes()).unwrap().keep_alive
    };
    assert!(keeps("1.1", ""));
    assert!(keeps("1.1", "Connection: keep-alive\r\n"));
    assert!(keeps("1.1", "Connection: closed\r\n"));
    assert!(!keeps("1.1", "Connection: close\r\n"));
    assert!(!keeps("1.1", "Connection: Keep-Alive, CLOSE\r\n"));
    assert!(!keeps("1.1", "Connection: te\r\nConnection: close\r\n"));
    assert!(!keeps("1.0", ""));
    assert!(keeps("1.0", "Connection: Keep-Alive\r\n"));
    assert!(!keeps("1.0", "Connection: keep-alive, close\r\n"));
    assert!(!keeps("1.0", "Proxy-Connection: keep-alive\r\n"));
}

#[test]
fn fields_that_stop_here() {
    let lines = "Connection: x-mine, accept, authorization, cookie, x-forwarded-for, content-length, host, te\r\n\
        X-Mine: 1\r\nAccept: 2\r\nAuthorization: 3\r\nx-mine: 4\r\nTE: trailers\r\nX-Mine-Too: 5\r\n";
    let bytes = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let mut head = RequestHead::new();
    let limits = HeadLimits { headers: 100, ..LIMITS };
    head.parse(bytes.as_bytes(), &limits).unwrap();
    let hops: Vec<_> =
        head.fields.iter().filter(|field| field.hop).map(|field| field.name.of(bytes.as_bytes())).collect();
    assert_eq!(hops, [&b"Connection"[..], b"X-Mine", b"Accept", b"x-mine", b"TE"]);
}

#[test]
fn hop_by_hop_by_name() {
    let lines = "Keep-Alive: 5\r\nProxy-Connection: a\r\nUpgrade: b\r\nTrailer: c\r\nProxy-Authorization: d\r\n";
    let head = with(lines).unwrap();
    let marks: Vec<_> = head.fields.iter().map(|field| field.hop).collect();
    assert_eq!(marks, [false, true, true, true, false, false]);
}

#[test]
fn upgrade_needs_connection_and_http_11() {
    let upgrade = |version: &str, lines: &str| {
        let bytes = format!("GET / HTTP/{version}\r\nHost: a\r\n{lines}\r\n");
        let head = parse(bytes.as_bytes()).unwrap();
        head.upgrade.map(|span| String::from_utf8_lossy(span.of(bytes.as_bytes())).into_owned())
    };
    assert_eq!(upgrade("1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n").as_deref(), Some("websocket"));
    assert_eq!(upgrade("1.1", "Upgrade: h2c\r\nConnection: keep-alive, upgrade\r\n").as_deref(), Some("h2c"));
    assert_eq!(upgrade("1.1", "Upgrade: websocket\r\n"), None);
    assert_eq!(upgrade("1.1", "Connection: Upgrade\r\n"), None);
    assert_eq!(upgrade("1.1", "Connection: Upgrade\r\nUpgrade:\r\n"), None);
    assert_eq!(upgrade("1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n"), None);
}
