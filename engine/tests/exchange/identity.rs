//! Who the client is: what is said of it to the service and in the log, and whom the gateway believes.

use crate::support::service::ok;
use crate::support::wire::FieldList;
use crate::support::{Gate, Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    the_client_is_named_to_the_service,
    what_an_untrusted_sender_says_is_replaced,
    what_a_trusted_sender_says_is_extended,
    a_trusted_sender_that_says_nothing_is_the_client,
    the_log_names_the_last_sender_that_is_not_trusted,
    an_id_is_made_for_each_request,
    an_id_that_can_not_be_passed_on_is_replaced,
    ipv6_clients_are_named,
    the_log_has_every_key,
);

const CLAIMS: &str = "GET / HTTP/1.1\r\nHost: api.example.com:8080\r\nX-Forwarded-For: 203.0.113.7, 198.51.100.2\r\n\
    X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example.com\r\nX-Forwarded-Port: 443\r\n\
    X-Real-IP: 203.0.113.7\r\nForwarded: for=203.0.113.7;proto=https, for=192.0.2.1\r\nX-Request-ID: from-outside.1\r\n\
    Via: 1.1 edge\r\n\r\n";

fn claimed(plan: Plan, service: &Service, driver: Choice) -> (FieldList, Gate, FieldList) {
    let gate = plan.start(driver);
    let answer = gate.client().exchange(CLAIMS);
    assert_eq!(answer.status, 200);
    (service.only_request().fields, gate, answer.fields)
}

fn the_client_is_named_to_the_service(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).start(driver);
    gate.client().exchange("GET / HTTP/1.1\r\nHost: api.example.com:8080\r\n\r\n");
    let fields = service.only_request().fields;
    assert_eq!(fields.get("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(fields.get("x-forwarded-proto"), Some("http"));
    assert_eq!(fields.get("x-forwarded-host"), Some("api.example.com:8080"));
    assert_eq!(fields.get("forwarded"), Some("for=127.0.0.1;host=\"api.example.com:8080\";proto=http"));
    assert_eq!(fields.get("via"), Some("1.1 ringgate"));
    assert_eq!(fields.get("x-request-id").map(str::len), Some(32));
}

fn what_an_untrusted_sender_says_is_replaced(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let (fields, gate, answer) = claimed(Plan::to(&service).and("trusted_proxies: [10.0.0.0/8]"), &service, driver);
    assert_eq!(fields.get("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(fields.get("x-forwarded-proto"), Some("http"));
    assert_eq!(fields.get("x-forwarded-host"), Some("api.example.com:8080"));
    assert_eq!(fields.get("forwarded"), Some("for=127.0.0.1;host=\"api.example.com:8080\";proto=http"));
    assert!(!fields.has("x-forwarded-port") && !fields.has("x-real-ip"), "{fields:?}");
    assert_eq!(fields.get("x-request-id").map(str::len), Some(32));
    assert_eq!(fields.get("x-request-id"), answer.get("x-request-id"));
    assert_eq!(fields.all("via"), ["1.1 edge", "1.1 ringgate"]);
    let line = &gate.log(1)[0];
    assert_eq!(line["client"], "127.0.0.1");
    assert_eq!(line["request_id"].as_str(), answer.get("x-request-id"));
}

fn what_a_trusted_sender_says_is_extended(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let trusting = Plan::to(&service).and("trusted_proxies: [127.0.0.0/8, 192.0.2.0/24]");
    let (fields, gate, answer) = claimed(trusting, &service, driver);
    assert_eq!(fields.get("x-forwarded-for"), Some("203.0.113.7, 198.51.100.2, 192.0.2.1, 127.0.0.1"));
    assert_eq!(fields.get("x-forwarded-proto"), Some("https"));
    assert_eq!(fields.get("x-forwarded-host"), Some("shop.example.com"));
    assert_eq!(fields.get("x-forwarded-port"), Some("443"));
    assert_eq!(fields.get("x-real-ip"), Some("203.0.113.7"));
    let forwarded =
        "for=203.0.113.7;proto=https, for=192.0.2.1, for=127.0.0.1;host=\"api.example.com:8080\";proto=http";
    assert_eq!(fields.get("forwarded"), Some(forwarded));
    assert_eq!(fields.get("x-request-id"), Some("from-outside.1"));
    assert_eq!(answer.get("x-request-id"), Some("from-outside.1"));
    let line = &gate.log(1)[0];
    assert_eq!((line["client"].as_str(), line["request_id"].as_str()), (Some("198.51.100.2"), Some("from-outside.1")));
}

fn a_trusted_sender_that_says_nothing_is_the_client(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).and("trusted_proxies: [127.0.0.1]").start(driver);
    gate.client().exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let fields = service.only_request().fields;
    assert_eq!(fields.get("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(fields.get("x-forwarded-proto"), Some("http"));
    assert_eq!(fields.get("x-forwarded-host"), Some("h"));
    assert_eq!(fields.get("x-request-id").map(str::len), Some(32));
    assert_eq!(gate.log(1)[0]["client"], "127.0.0.1");
}

fn the_log_names_the_last_sender_that_is_not_trusted(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).and("trusted_proxies: [127.0.0.0/8, 10.0.0.0/8, \"2001:db8::/32\"]").start(driver);
    let cases = [
        ("10.1.1.1", "10.1.1.1"),
        ("203.0.113.7, 10.1.1.1, 10.2.2.2", "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 2001:db8::5", "203.0.113.7"),
        ("2001:470::1, 10.0.0.1", "2001:470::1"),
        ("::ffff:203.0.113.9, 10.0.0.1", "203.0.113.9"),
        // What is no address is not believed, nor anything before it.
        ("203.0.113.7, unknown", "127.0.0.1"),
        ("203.0.113.7, unknown, 10.3.3.3", "10.3.3.3"),
        ("203.0.113.7 10.0.0.1", "127.0.0.1"),
    ];
    let mut client = gate.client();
    for (claim, _) in cases {
        client.exchange(format!("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: {claim}\r\n\r\n"));
    }
    for (line, (claim, expected)) in gate.log(cases.len()).iter().zip(cases) {
        assert_eq!(line["client"], expected, "{claim}");
    }
}

fn an_id_is_made_for_each_request(driver: Choice) {
    let service =
        Service::answering(|_| "HTTP/1.1 200 OK\r\nX-Request-Id: the services\r\ncontent-length: 0\r\n\r\n".into());
    let gate = Plan::to(&service).start(driver);
    let mut client = gate.client();
    let answers: Vec<String> =
        (0..5).map(|_| client.get("/").fields.get("x-request-id").expect("one id").to_string()).collect();
    let asked: Vec<String> =
        service.requests().iter().map(|r| r.fields.get("x-request-id").expect("one id").to_string()).collect();
    assert_eq!(answers, asked);
    let mut different = answers.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 5, "{answers:?}");
}

fn an_id_that_can_not_be_passed_on_is_replaced(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).and("trusted_proxies: [127.0.0.1]").start(driver);
    let longest = "x".repeat(128);
    let cases = [
        (longest.as_str(), true),
        (&format!("{longest}x"), false),
        ("two words", false),
        ("", false),
        ("caf\u{e9}", false),
    ];
    for (id, kept) in cases {
        let answer = gate.client().exchange(format!("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: {id}\r\n\r\n"));
        let given = answer.fields.get("x-request-id").expect("an id");
        assert_eq!(given == id, kept, "{id:?} became {given:?}");
    }
}

fn ipv6_clients_are_named(driver: Choice) {
    let service = Service::answering(|_| ok(""));
    let gate = Plan::to(&service).listen("[::1]:0").start(driver);
    gate.client().exchange("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n");
    let fields = service.only_request().fields;
    assert_eq!(fields.get("x-forwarded-for"), Some("::1"));
    assert_eq!(fields.get("forwarded"), Some("for=\"[::1]\";host=\"[::1]:80\";proto=http"));
    assert_eq!(gate.log(1)[0]["client"], "::1");
}

fn the_log_has_every_key(driver: Choice) {
    let service = Service::answering(|request| ok(&request.body));
    let gate = Plan::to(&service).start(driver);
    gate.client().exchange("POST /a?b=\"c\" HTTP/1.1\r\nHost: h:1\r\ncontent-length: 4\r\n\r\nbody");
    gate.client().exchange("NONSENSE\r\n\r\n");
    let log = gate.log(2);
    let keys = "time request_id client listener protocol method host target route upstream endpoint status bytes_in bytes_out \
                duration_ms upstream_ms fault";
    for line in &log {
        let mut found: Vec<&str> = line.as_object().expect("an object").keys().map(String::as_str).collect();
        let mut wanted: Vec<&str> = keys.split_whitespace().collect();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
    }
    let (good, bad) = (&log[0], &log[1]);
    for (key, value) in [
        ("listener", "plain"),
        ("protocol", "HTTP/1.1"),
        ("method", "POST"),
        ("host", "h:1"),
        ("target", "/a?b=\"c\""),
        ("route", "all"),
        ("upstream", "origin"),
        ("endpoint", &service.endpoint()),
    ] {
        assert_eq!(good[key], value, "{key}");
    }
    assert_eq!((&good["status"], &good["bytes_in"], &good["bytes_out"]), (&200.into(), &4.into(), &4.into()));
    assert!(good["fault"].is_null() && good["upstream_ms"].is_number(), "{good}");
    assert_eq!((&bad["status"], &bad["fault"]), (&400.into(), &"malformed_request".into()));
    assert!(bad["route"].is_null() && bad["upstream_ms"].is_null(), "{bad}");
}
