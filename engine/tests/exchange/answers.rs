//! What a client gets of an answer, in the framing of its own version.

use crate::support::client::settle;
use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    an_answer_comes_as_it_was_given,
    a_missing_date_is_added_and_a_given_one_kept,
    answers_to_head_have_no_body_and_keep_its_length,
    statuses_without_a_body_have_none,
    a_chunked_answer_is_chunked_for_1_1_and_ends_the_connection_for_1_0,
    an_answer_that_ends_with_its_connection_is_chunked_for_1_1,
    a_service_that_speaks_1_0_is_understood,
    a_service_that_speaks_1_0_may_keep_its_connection,
    chunk_extensions_stay_behind,
    an_empty_chunked_answer_is_whole,
    a_reason_may_be_missing,
    an_answer_split_at_any_byte_is_the_same,
    the_connection_goes_on_only_if_the_client_wants_that,
    a_service_that_closes_its_connection_is_not_used_again,
    a_head_larger_than_a_buffer_is_passed_on,
    a_length_that_is_stated_twice_is_passed_on_once,
);

const GET: &str = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";
const GET_1_0: &str = "GET / HTTP/1.0\r\nhost: h\r\n\r\n";

/// A service that gives the same answer to everything, and then closes.
fn closing(answer: &'static str) -> Service {
    Service::start(move |connection| {
        if connection.request().is_some() {
            connection.send(answer);
        }
    })
}

fn always(answer: &'static str) -> Service {
    Service::answering(move |_| answer.into())
}

fn an_answer_comes_as_it_was_given(driver: Choice) {
    let service = always(
        "HTTP/1.1 418 I'm a teapot\r\nServer: kettle\r\nSet-Cookie: a=1\r\nX-Two:  words here \r\nset-cookie: b=2\r\n\
         Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nsteam",
    );
    let gate = Plan::to(&service).start(driver);
    let answer = gate.client().exchange(GET);
    assert_eq!((answer.version.as_str(), answer.status, answer.reason.as_str()), ("HTTP/1.1", 418, "I'm a teapot"));
    assert_eq!(answer.fields.get("server"), Some("kettle"));
    assert_eq!(answer.fields.all("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(answer.fields.get("x-two"), Some("words here"));
    assert_eq!(answer.fields.get("content-type"), Some("text/plain"));
    assert_eq!(answer.fields.get("content-length"), Some("5"));
    assert_eq!(answer.fields.get("via"), Some("1.1 ringgate"));
    assert_eq!(answer.fields.get("x-request-id").map(str::len), Some(32));
    assert!(!answer.fields.has("connection"));
    assert_eq!(answer.text(), "steam");
}

fn a_missing_date_is_added_and_a_given_one_kept(driver: Choice) {
    let service = Service::answering(|request| match request.target.as_str() {
        "/dated" => "HTTP/1.1 200 OK\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\ncontent-length: 0\r\n\r\n".into(),
        _ => ok(""),
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.get("/dated").fields.get("date"), Some("Tue, 15 Nov 1994 08:12:31 GMT"));
    let made = client.get("/");
    let date = made.fields.get("date").expect("a date");
    assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
}

fn answers_to_head_have_no_body_and_keep_its_length(driver: Choice) {
    let service = Service::answering(|request| match request.target.as_str() {
        "/length" => "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n".into(),
        "/chunked" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".into(),
        _ => "HTTP/1.1 200 OK\r\n\r\n".into(),
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for (path, length) in [("/length", Some("1234")), ("/chunked", None), ("/neither", None), ("/length", Some("1234"))]
    {
        client.send(format!("HEAD {path} HTTP/1.1\r\nhost: h\r\n\r\n"));
        let answer = client.answer_to("HEAD");
        assert_eq!((answer.status, answer.fields.get("content-length")), (200, length), "{path}");
    }
    assert_eq!(service.connections(), 1, "each of these answers ends where its head does");
}

fn statuses_without_a_body_have_none(driver: Choice) {
    let service = Service::answering(|request| match request.target.as_str() {
        "/204" => "HTTP/1.1 204 No Content\r\nx: y\r\n\r\n".into(),
        "/304" => "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\ncontent-length: 99\r\n\r\n".into(),
        "/205" => "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n".into(),
        _ => ok("body"),
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    let none = client.get("/204");
    assert_eq!((none.status, none.fields.get("x"), none.fields.has("content-length")), (204, Some("y"), false));
    assert!(!none.fields.has("transfer-encoding"));
    let unchanged = client.get("/304");
    assert_eq!((unchanged.status, unchanged.fields.get("content-length")), (304, Some("99")));
    assert_eq!(client.get("/205").status, 205);
    assert_eq!(client.get("/body").text(), "body");
}

fn a_chunked_answer_is_chunked_for_1_1_and_ends_the_connection_for_1_0(driver: Choice) {
    let service =
        always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n");
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..2 {
        let answer = client.exchange(GET);
        assert_eq!(answer.fields.get("transfer-encoding"), Some("chunked"));
        assert_eq!(answer.text(), "hello, world");
    }
    for request in [GET_1_0, "GET / HTTP/1.0\r\nhost: h\r\nconnection: keep-alive\r\n\r\n"] {
        let mut old = gate.client();
        let answer = old.exchange(request);
        assert!(!answer.fields.has("transfer-encoding") && !answer.fields.has("content-length"));
        assert_eq!((answer.text(), answer.fields.get("connection")), ("hello, world", Some("close")));
    }
    assert_eq!(service.connections(), 1);
}

fn an_answer_that_ends_with_its_connection_is_chunked_for_1_1(driver: Choice) {
    let service = closing("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end");
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..3 {
        let answer = client.exchange(GET);
        assert_eq!((answer.text(), answer.fields.get("transfer-encoding")), ("until the end", Some("chunked")));
        assert!(!answer.fields.has("connection"), "the client's connection goes on");
    }
    assert_eq!(gate.client().exchange(GET_1_0).text(), "until the end");
}

fn a_service_that_speaks_1_0_is_understood(driver: Choice) {
    for answer in ["HTTP/1.0 200 OK\r\n\r\nold words", "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nold words"] {
        let service = closing(answer);
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        for _ in 0..2 {
            let answer = client.exchange(GET);
            assert_eq!((answer.version.as_str(), answer.text()), ("HTTP/1.1", "old words"));
        }
        assert_eq!(service.connections(), 2, "{answer}");
    }
}

fn a_service_that_speaks_1_0_may_keep_its_connection(driver: Choice) {
    let service = always("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok");
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..3 {
        assert_eq!(client.exchange(GET).text(), "ok");
    }
    assert_eq!(service.connections(), 1);
}

fn chunk_extensions_stay_behind(driver: Choice) {
    let service =
        always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c=\"d;e\"\r\nhello\r\n00;last\r\n\r\n");
    let gate = Plan::to(&service).start(driver);
    // The reader of this test takes no extensions.
    assert_eq!(gate.client().exchange(GET).text(), "hello");
    let mut client = gate.client();
    client.send("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3 ;x\r\n");
    assert_eq!(client.answer().status, 400, "a space before the extension");
    client.end();
    gate.client().exchange(
        "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3;x;y=\"z\"\r\nabc\r\n0;end\r\n\r\n",
    );
    assert_eq!(service.requests().last().map(|r| r.body.clone()), Some(b"abc".to_vec()));
}

fn an_empty_chunked_answer_is_whole(driver: Choice) {
    let service = always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for _ in 0..3 {
        assert_eq!(client.exchange(GET).text(), "");
    }
    assert_eq!(gate.client().exchange(GET_1_0).text(), "");
}

fn a_reason_may_be_missing(driver: Choice) {
    let service = Service::answering(|request| match request.target.as_str() {
        "/space" => "HTTP/1.1 299 \r\ncontent-length: 0\r\n\r\n".into(),
        _ => "HTTP/1.1 299\r\ncontent-length: 0\r\n\r\n".into(),
    });
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    for path in ["/space", "/none"] {
        let answer = client.get(path);
        assert_eq!((answer.status, answer.reason.as_str()), (299, ""), "{path}");
    }
}

fn an_answer_split_at_any_byte_is_the_same(driver: Choice) {
    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nt: 1\r\n\r\n";
    let slow = Service::start(move |connection| {
        while let Some(request) = connection.request() {
            let at: usize = request.target[1..].parse().expect("a number");
            if !connection.send(&ANSWER[..at]) {
                return;
            }
            settle();
            if at == 0 {
                let _ = ANSWER.iter().all(|byte| connection.send([*byte]));
            } else {
                connection.send(&ANSWER[at..]);
            }
        }
    });
    let gate = Plan::to(&slow).start(driver);
    let mut client = gate.client();
    for at in 0..ANSWER.len() {
        let answer = client.get(&format!("/{at}"));
        assert_eq!((answer.status, answer.text(), answer.fields.get("x")), (200, "hello!", Some("y")), "split at {at}");
        assert_eq!(answer.trailers.get("t"), Some("1"), "split at {at}");
    }
}

fn the_connection_goes_on_only_if_the_client_wants_that(driver: Choice) {
    let service = always("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    assert_eq!(client.exchange(GET).text(), "ok");
    let last = client.exchange("GET / HTTP/1.1\r\nhost: h\r\nConnection: keep-alive, Close\r\n\r\n");
    assert_eq!((last.text(), last.fields.get("connection")), ("ok", Some("close")));
    client.end();
    assert_eq!(service.connections(), 1, "the service's connection is another matter");
}

fn a_service_that_closes_its_connection_is_not_used_again(driver: Choice) {
    for framing in ["content-length: 2\r\n\r\nok", "transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"] {
        for close in ["Connection: close", "connection: x, Close", "Connection: keep-alive\r\nConnection: close"] {
            let answer = format!("HTTP/1.1 200 OK\r\n{close}\r\n{framing}");
            // It says that it closes, but leaves that to the gateway.
            let service = Service::start(move |connection| {
                if connection.request().is_some() {
                    connection.send(&answer);
                    connection.wait_for_end();
                }
            });
            let gate = Plan::to(&service).start(driver);
            let mut client = gate.client();
            for _ in 0..2 {
                let answer = client.exchange(GET);
                assert_eq!((answer.text(), answer.fields.has("connection")), ("ok", false), "{close}");
            }
            assert_eq!(service.connections(), 2, "{close}");
        }
    }
}

fn a_head_larger_than_a_buffer_is_passed_on(driver: Choice) {
    let body = crate::support::bodies::Noise::new(4).bytes(100_000);
    for size in [15_000, 19_000, 20_000, 21_000, 31_000] {
        let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", body.len()).into_bytes();
        while answer.len() < size {
            answer.extend_from_slice(format!("x-{}: {}\r\n", answer.len(), "v".repeat(900)).as_bytes());
        }
        answer.extend_from_slice(b"\r\n");
        let fields = answer.split(|b| *b == b'\n').filter(|line| line.starts_with(b"x-")).count();
        answer.extend_from_slice(&body);
        let pieces = [1 << 20, 8000, 700].map(|size| answer.chunks(size).map(<[u8]>::to_vec).collect::<Vec<_>>());
        let service = Service::start(move |connection| {
            while let Some(request) = connection.request() {
                let pieces = &pieces[request.target[1..].parse::<usize>().expect("a number")];
                if !pieces.iter().all(|piece| connection.send(piece)) {
                    return;
                }
            }
        });
        let gate = Plan::to(&service).start(driver);
        let mut client = gate.client();
        for way in [0, 1, 2, 0] {
            let answer = client.get(&format!("/{way}"));
            let passed = answer.fields.0.iter().filter(|(name, value)| name.starts_with("x-") && value.len() == 900);
            assert_eq!((answer.status, passed.count()), (200, fields), "{size} bytes");
            assert!(answer.body == body, "{size} bytes");
        }
        assert_eq!(service.connections(), 1);
    }
}

fn a_length_that_is_stated_twice_is_passed_on_once(driver: Choice) {
    let service = always("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nContent-Length: 2\r\n\r\nok");
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    let answer = client.exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx");
    assert_eq!((answer.text(), answer.fields.all("content-length").len()), ("ok", 1));
    assert_eq!(client.exchange(GET).text(), "ok");
    assert_eq!(service.requests()[0].fields.all("content-length"), ["1"]);
}
