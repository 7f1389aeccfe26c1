//! What belongs to one connection stays there: hop-by-hop fields, and those that Connection names.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    hop_by_hop_fields_of_a_request_stay_behind,
    hop_by_hop_fields_of_an_answer_stay_behind,
    a_client_that_takes_trailers_says_so_to_the_service,
    fields_that_connection_names_stay_behind,
    connection_can_not_take_fields_from_the_service_that_it_needs,
    a_request_that_goes_in_a_circle_ends,
);

fn hop_by_hop_fields_of_a_request_stay_behind(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).start(driver);
    gate.client().exchange(
        "GET / HTTP/1.1\r\nhost: h\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: deflate\r\n\
         Upgrade: websocket\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: keep-alive\r\nx-kept: 1\r\n\r\n",
    );
    let fields = service.only_request().fields;
    for gone in ["keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "connection", "transfer-encoding"]
    {
        assert!(!fields.has(gone), "{gone}: {:?}", fields.all(gone));
    }
    assert_eq!(fields.get("x-kept"), Some("1"));
}

fn hop_by_hop_fields_of_an_answer_stay_behind(driver: Choice) {
    let service = Service::answering(|_| {
        "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nConnection: keep-alive, x-mine\r\n\
         X-Mine: 1\r\nx-kept: 1\r\ncontent-length: 0\r\nWWW-Authenticate: Basic\r\n\r\n"
            .into()
    });
    let gate = Plan::to(&service).start(driver);
    let fields = gate.client().get("/").fields;
    for gone in ["keep-alive", "proxy-connection", "upgrade", "connection", "x-mine"] {
        assert!(!fields.has(gone), "{gone}: {:?}", fields.all(gone));
    }
    assert_eq!((fields.get("x-kept"), fields.get("www-authenticate")), (Some("1"), Some("Basic")));
}

fn a_client_that_takes_trailers_says_so_to_the_service(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    let cases = [
        ("TE: trailers\r\nConnection: TE\r\n", "1.1", true),
        ("TE: gzip;q=0.5\r\nTE: Trailers , deflate\r\n", "1.1", true),
        ("TE: gzip\r\nConnection: te\r\n", "1.1", false),
        ("", "1.1", false),
        ("TE: trailers\r\nConnection: TE\r\n", "1.0", false),
    ];
    for (fields, version, _) in cases {
        assert_eq!(client.exchange(format!("GET / HTTP/{version}\r\nhost: h\r\n{fields}\r\n")).status, 200);
    }
    for (request, (fields, version, passed)) in service.requests().iter().zip(cases) {
        let expected = passed.then_some(("trailers", "te"));
        let got = request.fields.get("te").zip(request.fields.get("connection"));
        assert_eq!(got, expected, "{fields:?} HTTP/{version}");
        assert_eq!(request.fields.has("te"), passed);
    }
}

fn fields_that_connection_names_stay_behind(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).start(driver);
    gate.client().exchange(
        "GET / HTTP/1.1\r\nhost: h\r\nX-A: 1\r\nx-b: 1\r\nConnection: x-a\r\nx-c: 1\r\nX-C: 2\r\nConnection: ,x-C ,, X-b,\r\nx-d: 1\r\n\r\n",
    );
    let fields = service.only_request().fields;
    assert!(!fields.has("x-a") && !fields.has("x-b") && !fields.has("x-c"), "{fields:?}");
    assert_eq!(fields.get("x-d"), Some("1"));
}

fn connection_can_not_take_fields_from_the_service_that_it_needs(driver: Choice) {
    let service = Service::answering(|request| ok(&request.body));
    let gate = Plan::to(&service).start(driver);
    let answer = gate.client().exchange(
        "POST / HTTP/1.1\r\nhost: h\r\nConnection: host, content-length, x-forwarded-for, via, authorization, cookie, x-request-id\r\n\
         authorization: Basic x\r\ncookie: a=1\r\ncontent-length: 4\r\n\r\nbody",
    );
    assert_eq!(answer.text(), "body");
    let fields = service.only_request().fields;
    assert_eq!(fields.get("host"), Some("h"));
    assert_eq!(fields.get("content-length"), Some("4"));
    for made in ["x-forwarded-for", "x-forwarded-proto", "forwarded", "via", "x-request-id"] {
        assert!(fields.has(made), "{made}");
    }
    for sent in ["authorization", "cookie"] {
        assert!(fields.has(sent), "{sent}: a client could hide it from what comes after");
    }
}

fn a_request_that_goes_in_a_circle_ends(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).limits("max_hops: 3").start(driver);
    let mut client = gate.client();
    let with = |via: &str| format!("GET / HTTP/1.1\r\nhost: h\r\n{via}\r\n");
    assert_eq!(client.exchange(with("via: 1.1 ringgate, 1.0 other, 1.1 RINGGATE (v1)\r\n")).status, 200);
    assert_eq!(client.exchange(with("via: 1.1 a, 1.1 b, 1.1 c, 1.1 d, 1.1 e, 1.1 ringgate2\r\n")).status, 200);
    let ended = client.exchange(with("via: 1.1 ringgate, 1.1 ringgate\r\nvia: 1.1 x,HTTP/1.1\tringgate\r\n"));
    assert_eq!((ended.status, &ended.json()["error"]), (508, &"too_many_hops".into()));
    assert_eq!(client.get("/").status, 200, "the connection goes on");
    let forwarded = service.requests();
    assert_eq!(forwarded.len(), 3);
    assert_eq!(forwarded[0].fields.all("via"), ["1.1 ringgate, 1.0 other, 1.1 RINGGATE (v1)", "1.1 ringgate"]);
    // A real circle: the gateway is its own service.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let own = listener.local_addr().expect("an address");
    drop(listener);
    let circle = Plan::to_endpoints([own]).listen(&own.to_string()).limits("max_hops: 4").start(driver);
    let ended = circle.client().get("/");
    assert_eq!((ended.status, &ended.json()["error"]), (508, &"too_many_hops".into()));
    let log = circle.log(5);
    assert!(log.iter().all(|line| line["status"] == 508), "{log:?}");
    assert_eq!(log.len(), 5);
}
