//! Tunnels across a reload: those of routes that stay go on, the others have their time.

use super::File;
use super::support::{Client, Gate, Service, on_both_drivers};
use ringgate_rt::driver::Choice;

on_both_drivers!(
    a_tunnel_of_a_route_that_stays_goes_on,
    a_tunnel_of_a_removed_route_ends_when_its_time_is_over,
    a_route_that_comes_back_keeps_its_tunnels,
);

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

fn echo() -> Service {
    Service::echoing(SWITCH)
}

fn open(gate: &Gate) -> Client {
    let mut client = gate.client();
    client.send("GET /live HTTP/1.1\r\nhost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    assert_eq!(client.answer().status, 101);
    client
}

#[track_caller]
fn echoes(client: &mut Client, text: &str) {
    client.send(text);
    assert_eq!(client.wire.exactly(text.len()).expect("an echo"), text.as_bytes());
}

fn file(service: &Service) -> File {
    let mut file = File::new(service.endpoint());
    file.routes = vec![("live", "/live", "one"), ("all", "/*", "one")];
    file
}

fn a_tunnel_of_a_route_that_stays_goes_on(driver: Choice) {
    let service = echo();
    let mut file = file(&service);
    file.other = "reload: { drain: 0s }\n".into();
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = open(&gate);
    for at in 0..5 {
        file.routes.push(("more", "/more", "one"));
        gate.reload(&file.text()).expect("reloaded");
        echoes(&mut client, &format!("message {at}"));
        file.routes.pop();
        // Where the route stands and what else it takes does not matter.
        file.routes.rotate_left(1);
        gate.reload(&file.text()).expect("reloaded");
        echoes(&mut client, &format!("message {at}"));
    }
}

fn a_tunnel_of_a_removed_route_ends_when_its_time_is_over(driver: Choice) {
    let service = echo();
    let mut file = file(&service);
    file.other = "reload: { drain: 500ms }\n".into();
    let mut gate = Gate::start(&file.text(), driver);
    let (mut busy, mut silent) = (open(&gate), open(&gate));
    // One of them waits without a buffer.
    super::support::client::settle();
    file.routes.remove(0);
    gate.reload(&file.text()).expect("reloaded");
    echoes(&mut busy, "still here");
    // Another reload gives no more time.
    gate.reload(&file.text()).expect("reloaded");
    busy.end();
    silent.end();
    let log = gate.log(2);
    assert!(log.iter().all(|line| line["fault"] == "route_removed" && line["route"] == "live"), "{log:?}");
    assert_eq!(service.ended(), 2);
}

fn a_route_that_comes_back_keeps_its_tunnels(driver: Choice) {
    let service = echo();
    let mut file = file(&service);
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = open(&gate);
    let route = file.routes.remove(0);
    gate.reload(&file.text()).expect("reloaded");
    file.routes.push(route);
    file.other = "reload: { drain: 0s }\n".into();
    gate.reload(&file.text()).expect("reloaded");
    echoes(&mut client, "here again");
}
