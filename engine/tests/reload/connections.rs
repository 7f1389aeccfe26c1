//! Connections and exchanges across a reload.

use super::File;
use super::support::service::ok;
use super::support::{Gate, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

on_both_drivers!(
    a_connection_stays_and_its_next_request_goes_by_the_new_file,
    a_cold_connection_stays_too,
    an_exchange_ends_as_it_began,
    an_upload_goes_on_to_the_service_it_began_with,
    an_endpoint_that_stays_keeps_its_connections,
    endpoints_go_on_taking_turns,
    a_limit_holds_from_the_next_request_on,
    routes_come_and_go,
    the_limit_of_connections_follows,
    what_was_replaced_is_freed,
);

fn answering(text: &'static str) -> Service {
    Service::answering(move |_| ok(text))
}

fn a_connection_stays_and_its_next_request_goes_by_the_new_file(driver: Choice) {
    let (one, two) = (answering("one"), answering("two"));
    let mut file = File::new(one.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = gate.client();
    assert_eq!(client.get("/").text(), "one");
    assert_eq!(client.get("/").text(), "one");
    file.services.push(("two", vec![two.endpoint()]));
    file.routes[0].2 = "two";
    gate.reload(&file.text()).expect("reloaded");
    assert_eq!(client.get("/").text(), "two");
    file.routes[0].2 = "one";
    gate.reload(&file.text()).expect("reloaded");
    assert_eq!(client.get("/").text(), "one");
    assert_eq!(
        gate.log(4).iter().map(|line| line["upstream"].clone()).collect::<Vec<_>>(),
        ["one", "one", "two", "one"]
    );
}

fn a_cold_connection_stays_too(driver: Choice) {
    let (one, two) = (answering("one"), answering("two"));
    let mut file = File::new(one.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = gate.client();
    assert_eq!(client.get("/").text(), "one");
    super::support::client::settle();
    file.services[0].1 = vec![two.endpoint()];
    gate.reload(&file.text()).expect("reloaded");
    assert_eq!(client.get("/").text(), "two");
}

/// A service whose answers wait for leave.
fn held(text: &'static str) -> (Service, Arc<AtomicBool>) {
    let leave = Arc::new(AtomicBool::new(false));
    let given = leave.clone();
    let service = Service::answering(move |_| {
        wait_for("leave to answer", || given.load(Ordering::SeqCst).then_some(()));
        ok(text)
    });
    (service, leave)
}

fn an_exchange_ends_as_it_began(driver: Choice) {
    let ((one, leave), two) = (held("one"), answering("two"));
    let mut file = File::new(one.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = gate.client();
    client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    one.wait_for_requests(1);
    file.services = vec![("two", vec![two.endpoint()])];
    file.routes = vec![("other", "/*", "two")];
    gate.reload(&file.text()).expect("reloaded");
    assert_eq!(gate.client().get("/").text(), "two");
    leave.store(true, Ordering::SeqCst);
    assert_eq!(client.answer().text(), "one");
    assert_eq!(client.get("/").text(), "two");
    let log = gate.log(3);
    let late = log.iter().find(|line| line["upstream"] == "one").expect("its line");
    assert_eq!((&late["route"], &late["status"]), (&"all".into(), &200.into()));
}

fn an_upload_goes_on_to_the_service_it_began_with(driver: Choice) {
    let (one, two) = (answering("one"), answering("two"));
    let mut file = File::new(one.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = gate.client();
    client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\n");
    client.send(vec![b'a'; 50_000]);
    wait_for("a connection to the service", || (one.connections() > 0).then_some(()));
    file.services[0].1 = vec![two.endpoint()];
    gate.reload(&file.text()).expect("reloaded");
    client.send(vec![b'b'; 50_000]);
    assert_eq!(client.answer().text(), "one");
    assert_eq!(one.only_request().body.len(), 100_000);
    assert_eq!(client.get("/").text(), "two");
}

fn an_endpoint_that_stays_keeps_its_connections(driver: Choice) {
    let (one, two) = (answering("one"), answering("two"));
    let mut file = File::new(one.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = gate.client();
    client.get("/");
    client.get("/");
    file.services[0].1.push(two.endpoint());
    gate.reload(&file.text()).expect("reloaded");
    for _ in 0..4 {
        client.get("/");
    }
    assert_eq!((one.connections(), two.connections()), (1, 1));
    file.services[0].1.pop();
    gate.reload(&file.text()).expect("reloaded");
    assert_eq!(client.get("/").text(), "one");
    assert_eq!(one.connections(), 1);
    // Nobody uses it any more.
    wait_for("the other's connection to end", || (two.ended() == 1).then_some(()));
}

fn endpoints_go_on_taking_turns(driver: Choice) {
    let (one, two) = (answering("one"), answering("two"));
    let mut file = File::new(one.endpoint());
    file.services[0].1.push(two.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = gate.client();
    // A reload for each request: if turns began anew, only the first endpoint would have any.
    for _ in 0..4 {
        client.get("/");
        gate.reload(&file.text()).expect("reloaded");
    }
    assert_eq!((one.request_count(), two.request_count()), (2, 2));
}

fn a_limit_holds_from_the_next_request_on(driver: Choice) {
    let one = answering("one");
    let mut file = File::new(one.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = gate.client();
    let request = "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n12345";
    assert_eq!(client.exchange(request).status, 200);
    let text = file.text().replace("connections: 2000", "connections: 2000, body_bytes: 4");
    gate.reload(&text).expect("reloaded");
    assert_eq!(client.exchange(request).status, 413);
    file.other = String::new();
    gate.reload(&file.text()).expect("reloaded");
    assert_eq!(gate.client().exchange(request).status, 200);
}

fn routes_come_and_go(driver: Choice) {
    let one = answering("one");
    let mut file = File::new(one.endpoint());
    file.routes[0].1 = "/a";
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = gate.client();
    for _ in 0..20 {
        assert_eq!((client.get("/a").status, client.get("/b").status), (200, 404));
        file.routes.push(("b", "/b", "one"));
        gate.reload(&file.text()).expect("reloaded");
        assert_eq!((client.get("/a").status, client.get("/b").status), (200, 200));
        file.routes.pop();
        gate.reload(&file.text()).expect("reloaded");
    }
}

fn the_limit_of_connections_follows(driver: Choice) {
    let one = answering("one");
    let file = File::new(one.endpoint());
    let few = file.text().replace("connections: 2000", "connections: 1");
    let mut gate = Gate::start(&few, driver);
    let mut first = gate.client();
    assert_eq!(first.get("/").status, 200);
    let mut second = gate.client();
    second.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    gate.reload(&file.text()).expect("reloaded");
    assert_eq!(second.answer().status, 200);
    assert_eq!(first.get("/").status, 200);
}

fn what_was_replaced_is_freed(driver: Choice) {
    let one = answering("one");
    let file = File::new(one.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = gate.client();
    // A connection in the middle of a request keeps nothing of the old configuration but its own route.
    client.send("GET / HTTP/1.1\r\nhost: h\r\n");
    for _ in 0..10 {
        gate.reload(&file.text()).expect("reloaded");
    }
    assert_eq!(gate.running().snapshots_alive(), 1);
    client.send("\r\n");
    assert_eq!(client.answer().status, 200);
}
