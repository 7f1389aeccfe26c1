//! Shares of endpoints by weight, and how few connections carry many requests.

use crate::support::service::ok;
use crate::support::{Plan, Service, on_both_drivers};
use ringgate_rt::driver::Choice;
use std::sync::Barrier;

on_both_drivers!(
    endpoints_get_their_shares_by_weight,
    the_heavy_endpoint_does_not_get_its_share_in_one_piece,
    many_requests_one_after_the_other_use_one_connection,
    as_many_connections_as_requests_at_a_time_are_enough,
    more_connections_than_are_kept_are_served_all_the_same,
);

fn named(name: &'static str) -> Service {
    Service::answering(move |_| ok(name))
}

fn weighted(services: &[(&Service, usize)]) -> Plan {
    Plan::to_endpoints(services.iter().map(|(service, weight)| {
        let endpoint = service.endpoint();
        format!("{{ address: \"{endpoint}\", weight: {weight} }}")
    }))
}

fn endpoints_get_their_shares_by_weight(driver: Choice) {
    const ROUNDS: usize = 25;
    let (one, two, five) = (named("one"), named("two"), named("five"));
    let gate = weighted(&[(&one, 1), (&two, 2), (&five, 5)]).start(driver);
    let mut client = gate.client();
    for _ in 0..ROUNDS * 8 {
        assert_eq!(client.get("/").status, 200);
    }
    let counts = [&one, &two, &five].map(Service::request_count);
    assert_eq!(counts, [ROUNDS, ROUNDS * 2, ROUNDS * 5]);
    assert_eq!([&one, &two, &five].map(Service::connections), [1, 1, 1], "each connection is kept");
}

fn the_heavy_endpoint_does_not_get_its_share_in_one_piece(driver: Choice) {
    let (light, heavy) = (named("light"), named("heavy"));
    let gate = weighted(&[(&light, 1), (&heavy, 5)]).start(driver);
    let mut client = gate.client();
    let order: Vec<String> = (0..24).map(|_| client.get("/").text().to_string()).collect();
    for (at, window) in order.windows(6).enumerate() {
        let lights = window.iter().filter(|name| *name == "light").count();
        assert_eq!(lights, 1, "any six in a row hold one: {at} {order:?}");
    }
}

fn many_requests_one_after_the_other_use_one_connection(driver: Choice) {
    let service = named("good");
    let gate = Plan::to(&service).start(driver);
    for _ in 0..20 {
        // Whichever client connection they come on.
        let mut client = gate.client();
        for _ in 0..10 {
            assert_eq!(client.get("/").status, 200);
        }
    }
    assert_eq!(service.request_count(), 200);
    // A new client may be quicker than the end of the last one's exchange.
    assert!(service.connections() <= 2, "{} connections", service.connections());
}

fn as_many_connections_as_requests_at_a_time_are_enough(driver: Choice) {
    const CLIENTS: usize = 24;
    let service = Service::answering(|request| ok(&request.target));
    let gate = Plan::to(&service).start(driver);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let mut connection = gate.client();
            scope.spawn(move || {
                for n in 0..50 {
                    let path = format!("/{client}/{n}");
                    assert_eq!(connection.get(&path).text(), path);
                }
            });
        }
    });
    assert_eq!(service.request_count(), CLIENTS * 50);
    assert!(service.connections() <= CLIENTS, "{} connections", service.connections());
}

/// A shard keeps 512 connections of an endpoint that wait for work; those beyond are closed, and nothing is lost.
fn more_connections_than_are_kept_are_served_all_the_same(driver: Choice) {
    const CLIENTS: usize = 600;
    let all = std::sync::Arc::new(Barrier::new(CLIENTS));
    let inside = all.clone();
    let service = Service::start(move |connection| {
        let mut first = true;
        while connection.request().is_some() {
            if std::mem::take(&mut first) && connection.number < CLIENTS {
                // Every request is here before the first is answered: each has a connection of its own.
                inside.wait();
            }
            if !connection.send(ok("good")) {
                return;
            }
        }
    });
    let gate = Plan::to(&service).start(driver);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| gate.client()).collect();
    for round in 0..3 {
        for client in &mut clients {
            client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.answer().status, 200, "round {round}");
        }
    }
    assert_eq!(service.request_count(), 3 * CLIENTS);
    let waiting = crate::support::wait_for("what is too many to be closed", || {
        let waiting = service.connections() - service.ended();
        (waiting <= 512).then_some(waiting)
    });
    assert!(waiting > 0, "none is kept");
}
