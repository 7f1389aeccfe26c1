//! Services that can't be reached.

use crate::support::service::{Deaf, ok};
use crate::support::{Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

on_both_drivers!(
    a_service_that_refuses_gives_502,
    another_endpoint_takes_over,
    an_endpoint_that_refuses_is_passed_over_for_a_second,
    endpoints_that_all_refuse_are_tried_again_at_once,
    a_body_is_not_lost_when_an_endpoint_refuses,
    a_service_that_does_not_accept_gives_504,
    a_service_that_does_not_accept_is_passed_over,
);

/// An address at which nobody listens.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

fn a_service_that_refuses_gives_502(driver: Choice) {
    let gate = Plan::to_endpoints([nobody()]).start(driver);
    let mut client = gate.client();
    for n in 1..4 {
        let answer = client.exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody");
        assert_eq!((answer.status, &answer.json()["error"]), (502, &"upstream_connect_failed".into()));
        // The body was not taken, so the connection can't go on.
        assert_eq!(answer.fields.get("connection"), Some("close"));
        client.end();
        client = gate.client();
        assert_eq!(client.get("/").status, 502);
        let line = &gate.log(2 * n)[2 * n - 1];
        assert_eq!((&line["fault"], &line["status"]), (&"upstream_connect_failed".into(), &502.into()));
    }
}

fn another_endpoint_takes_over(driver: Choice) {
    let service = Service::answering(|_| ok("here"));
    let gate = Plan::to_endpoints([nobody().to_string(), service.endpoint(), nobody().to_string()]).start(driver);
    for _ in 0..10 {
        assert_eq!(gate.client().get("/").text(), "here");
    }
    assert_eq!(service.request_count(), 10);
    assert!(gate.log(10).iter().all(|line| line["endpoint"] == service.endpoint()));
}

fn an_endpoint_that_refuses_is_passed_over_for_a_second(driver: Choice) {
    let away = nobody();
    let service = Service::answering(|_| ok("first"));
    let gate = Plan::to_endpoints([away.to_string(), service.endpoint()]).start(driver);
    // The first request, or the second, finds that the endpoint is away.
    let begun = Instant::now();
    assert_eq!(gate.client().get("/").text(), "first");
    assert_eq!(gate.client().get("/").text(), "first");
    // Now it is back; but for a second it is not asked.
    let back = Service::start_on(away, |connection| connection.answer_all(|_| ok("back")));
    wait_for("the endpoint to be asked again", || {
        let text = gate.client().get("/").text().to_string();
        (text == "back").then_some(())
    });
    let after = begun.elapsed();
    assert!(after >= Duration::from_millis(900), "after {after:?}");
    assert!(after < Duration::from_secs(5), "after {after:?}");
    assert_eq!(back.request_count(), 1);
}

fn endpoints_that_all_refuse_are_tried_again_at_once(driver: Choice) {
    let away = nobody();
    let gate = Plan::to_endpoints([away.to_string(), nobody().to_string()]).start(driver);
    assert_eq!(gate.client().get("/").status, 502);
    let service = Service::start_on(away, |connection| connection.answer_all(|_| ok("back")));
    assert_eq!(gate.client().get("/").text(), "back", "a service that is back need not wait");
    drop(service);
}

fn a_body_is_not_lost_when_an_endpoint_refuses(driver: Choice) {
    let service = Service::answering(|request| ok(&request.body));
    for size in [10, 100_000, 1_000_000] {
        let gate = Plan::to_endpoints([nobody().to_string(), service.endpoint()]).start(driver);
        let body = crate::support::bodies::Noise::new(3).bytes(size);
        for _ in 0..2 {
            let mut client = gate.client();
            client.send(format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {size}\r\n\r\n"));
            client.send(&body);
            assert!(client.answer().body == body, "{size} bytes");
        }
    }
}

fn a_service_that_does_not_accept_gives_504(driver: Choice) {
    let deaf = Deaf::new();
    let gate = Plan::to_endpoints([deaf.address]).upstream("connect_timeout: 200ms").start(driver);
    let begun = Instant::now();
    let answer = gate.client().get("/");
    assert_eq!((answer.status, &answer.json()["error"]), (504, &"upstream_connect_timeout".into()));
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

fn a_service_that_does_not_accept_is_passed_over(driver: Choice) {
    let deaf = Deaf::new();
    let service = Service::answering(|_| ok("here"));
    let plan = Plan::to_endpoints([deaf.address.to_string(), service.endpoint()]).upstream("connect_timeout: 200ms");
    let gate = plan.start(driver);
    let begun = Instant::now();
    for _ in 0..6 {
        assert_eq!(gate.client().get("/").text(), "here");
    }
    // Of six requests one alone waits for the endpoint, or two if a second passes meanwhile.
    assert!(begun.elapsed() < Duration::from_millis(1000), "{:?}", begun.elapsed());
}
