//! How bytes arrive must not matter: any split of any input gives the same events.

mod trace;

use proptest::prelude::*;
use ringgate_protocols::wire::Method;
use trace::{Seen, requests, responses};

/// One request or response, as bytes, with the payload that must come out.
#[derive(Clone, Debug)]
struct Message {
    bytes: Vec<u8>,
    payload: Vec<u8>,
}

fn field_lines() -> impl Strategy<Value = String> {
    let name = prop_oneof!["[a-z][a-z-]{0,8}", Just("cookie".to_owned()), Just("Via".to_owned()), Just("x".to_owned())];
    // Names that decide framing are left to the message.
    let name =
        name.prop_filter("decides framing", |name| !["te", "host", "upgrade", "expect"].contains(&name.as_str()));
    let value = "[ -~]{0,24}";
    proptest::collection::vec((name, value), 0..5).prop_map(|fields| {
        let line = |(name, value): (String, String)| format!("{name}: {value}\r\n");
        fields.into_iter().map(line).collect()
    })
}

/// A body in one of the framings: its field line, its bytes, its payload.
fn framed() -> impl Strategy<Value = (String, Vec<u8>, Vec<u8>)> {
    let payload = proptest::collection::vec(any::<u8>(), 0..80);
    prop_oneof![
        Just((String::new(), Vec::new(), Vec::new())),
        payload.prop_map(|payload| (format!("Content-Length: {}\r\n", payload.len()), payload.clone(), payload)),
        (chunks(), trailers()).prop_map(|((mut bytes, payload), trailers)| {
            bytes.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
            ("Transfer-Encoding: chunked\r\n".to_owned(), bytes, payload)
        }),
    ]
}

fn chunks() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let extension =
        prop_oneof![3 => Just(String::new()), 1 => ";[a-z]{1,4}(=[a-z]{1,4})?", 1 => ";a=\"[ -!#-\\[\\]-~]{0,6}\""];
    let chunk = (proptest::collection::vec(any::<u8>(), 1..40), extension, 0..3usize);
    proptest::collection::vec(chunk, 0..5).prop_map(|chunks| {
        let (mut bytes, mut payload) = (Vec::new(), Vec::new());
        for (data, extension, zeros) in chunks {
            bytes.extend_from_slice(format!("{}{:x}{extension}\r\n", "0".repeat(zeros), data.len()).as_bytes());
            bytes.extend_from_slice(&data);
            bytes.extend_from_slice(b"\r\n");
            payload.extend_from_slice(&data);
        }
        (bytes, payload)
    })
}

fn trailers() -> impl Strategy<Value = String> {
    prop_oneof![2 => Just(String::new()), 1 => "(x-[a-z]{1,4}: [a-z]{0,8}\r\n){1,3}"]
}

fn request() -> impl Strategy<Value = Message> {
    let line = ("(GET|POST|PUT|DELETE|X-OTHER)", "/[a-z]{0,8}(\\?[a-z=%]{0,8})?");
    let blank = prop_oneof![4 => Just(""), 1 => Just("\r\n"), 1 => Just("\r\n\r\n")];
    (line, blank, field_lines(), framed()).prop_map(|((method, target), blank, fields, (framing, body, payload))| {
        let head = format!("{blank}{method} {target} HTTP/1.1\r\nHost: a.example\r\n{fields}{framing}\r\n");
        Message { bytes: [head.into_bytes(), body].concat(), payload }
    })
}

fn response() -> impl Strategy<Value = Message> {
    let interim = prop_oneof![4 => Just(""), 1 => Just("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")];
    (interim, 200..599u16, field_lines(), framed()).prop_map(|(interim, status, fields, (framing, body, payload))| {
        let (status, framing) = match (status, framing.as_str()) {
            // A response without a stated length would swallow those behind it.
            (204 | 304, _) | (_, "") => {
                (200, if body.is_empty() { "Content-Length: 0\r\n".to_owned() } else { framing })
            }
            _ => (status, framing),
        };
        let head = format!("{interim}HTTP/1.1 {status} R\r\n{fields}{framing}\r\n");
        let (body, payload) = match framing.as_str() {
            "Content-Length: 0\r\n" => (Vec::new(), Vec::new()),
            _ => (body, payload),
        };
        Message { bytes: [head.into_bytes(), body].concat(), payload }
    })
}

const INSERTS: [&[u8]; 20] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b"\"",
    b"0",
    b"f",
    b"\r\n\r\n",
    b"\r\n ",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Host: b\r\n",
    b"Expect: 100-continue\r\n",
    b"0\r\n\r\n",
    b"HTTP/1.0",
];

/// Changes that break messages where they hurt.
fn mutations() -> impl Strategy<Value = Vec<(prop::sample::Index, Mutation)>> {
    let insert = prop::sample::select(&INSERTS[..]);
    let mutation = prop_oneof![
        any::<u8>().prop_map(Mutation::Set),
        Just(Mutation::Remove),
        insert.prop_map(Mutation::Insert),
        Just(Mutation::Truncate),
    ];
    proptest::collection::vec((any::<prop::sample::Index>(), mutation), 1..4)
}

#[derive(Clone, Debug)]
enum Mutation {
    Set(u8),
    Remove,
    Insert(&'static [u8]),
    Truncate,
}

fn mutate(bytes: &mut Vec<u8>, mutations: Vec<(prop::sample::Index, Mutation)>) {
    for (index, mutation) in mutations {
        if bytes.is_empty() {
            return;
        }
        let at = index.index(bytes.len());
        match mutation {
            Mutation::Set(byte) => bytes[at] = byte,
            Mutation::Remove => drop(bytes.remove(at)),
            Mutation::Insert(text) => drop(bytes.splice(at..at, text.iter().copied())),
            Mutation::Truncate => bytes.truncate(at),
        }
    }
}

fn joined(messages: &[Message]) -> Vec<u8> {
    messages.iter().flat_map(|message| message.bytes.clone()).collect()
}

fn payloads(seen: &[Seen]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut payload = Vec::new();
    for seen in seen {
        match seen {
            Seen::Data(data) => payload = data.clone(),
            Seen::End => payloads.push(std::mem::take(&mut payload)),
            Seen::Error(error) => panic!("{error}"),
            _ => {}
        }
    }
    payloads
}

fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        proptest::collection::vec(1..4usize, 0..600),
        proptest::collection::vec(1..200usize, 0..20),
        Just(vec![1; 4096]),
    ]
}

const METHODS: [Method; 4] = [Method::Get, Method::Post, Method::Head, Method::Connect];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn valid_requests(messages in proptest::collection::vec(request(), 1..4), pieces in pieces()) {
        let bytes = joined(&messages);
        let whole = requests(&bytes, []);
        prop_assert_eq!(&requests(&bytes, pieces), &whole);
        let expected: Vec<_> = messages.into_iter().map(|message| message.payload).collect();
        prop_assert_eq!(payloads(&whole), expected);
    }

    #[test]
    fn valid_responses(messages in proptest::collection::vec(response(), 1..4), pieces in pieces()) {
        let bytes = joined(&messages);
        let whole = responses(&bytes, &[Method::Get], []);
        prop_assert_eq!(&responses(&bytes, &[Method::Get], pieces), &whole);
        let expected: Vec<_> = messages.into_iter().map(|message| message.payload).collect();
        prop_assert_eq!(payloads(&whole), expected);
    }

    #[test]
    fn broken_requests(
        messages in proptest::collection::vec(request(), 1..4),
        mutations in mutations(),
        pieces in pieces(),
    ) {
        let mut bytes = joined(&messages);
        mutate(&mut bytes, mutations);
        prop_assert_eq!(requests(&bytes, pieces), requests(&bytes, []));
    }

    #[test]
    fn broken_responses(
        messages in proptest::collection::vec(response(), 1..4),
        mutations in mutations(),
        pieces in pieces(),
        skip in 0..4usize,
    ) {
        let mut bytes = joined(&messages);
        mutate(&mut bytes, mutations);
        let methods = &METHODS[skip..];
        prop_assert_eq!(responses(&bytes, methods, pieces), responses(&bytes, methods, []));
    }

    #[test]
    fn garbage(bytes in proptest::collection::vec(any::<u8>(), 0..200), pieces in pieces()) {
        prop_assert_eq!(requests(&bytes, pieces.clone()), requests(&bytes, []));
        prop_assert_eq!(responses(&bytes, &METHODS, pieces), responses(&bytes, &METHODS, []));
    }
}

/// Heads around each limit, in every split in two.
#[test]
fn limits_do_not_depend_on_splits() {
    let mut inputs = Vec::new();
    for len in trace::LIMITS.target_bytes - 2..trace::LIMITS.target_bytes + 60 {
        inputs.push(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(len)));
        inputs.push(format!("GET /{}\0 HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(len)));
    }
    for len in trace::LIMITS.header_bytes - 40..trace::LIMITS.header_bytes + 4 {
        inputs.push(format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "y".repeat(len)));
        inputs.push(format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\n\r\n", "y".repeat(len)));
    }
    for count in trace::LIMITS.headers - 2..trace::LIMITS.headers + 2 {
        inputs.push(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(count)));
        inputs.push(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\n\r\n", "x: y\r\n".repeat(count)));
    }
    for input in &inputs {
        let bytes = input.as_bytes();
        let whole = requests(bytes, []);
        for at in 1..bytes.len() {
            assert_eq!(requests(bytes, [at]), whole, "{at} {input:?}");
        }
        assert_eq!(requests(bytes, vec![1; bytes.len()]), whole, "{input:?}");
    }
}
