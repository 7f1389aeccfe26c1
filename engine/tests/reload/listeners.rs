//! Listeners come and go without touching each other.

use super::File;
use super::support::service::ok;
use super::support::{Client, Gate, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use std::net::TcpStream;

on_both_drivers!(
    a_listener_comes_and_goes,
    connections_of_a_removed_listener_have_time_to_end,
    a_connection_at_work_on_a_removed_listener_is_told_to_close,
    a_listener_may_be_renamed_without_being_closed,
    an_address_may_move_to_a_wider_one,
    an_address_that_can_not_be_had_changes_nothing,
    unix_listeners_come_and_go,
    a_path_that_was_removed_is_made_anew,
    a_path_that_another_process_has_taken_is_left_to_it,
    whoever_waits_at_the_limit_is_served_when_the_listener_goes,
);

fn service() -> Service {
    Service::answering(|_| ok("ok"))
}

fn a_listener_comes_and_goes(driver: Choice) {
    let service = service();
    let mut file = File::new(service.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let mut steady = gate.client();
    let mut again = None;
    for _ in 0..10 {
        let address = again.map_or("127.0.0.1:0".to_string(), |at: std::net::SocketAddr| at.to_string());
        file.listeners.push(("second", address));
        gate.reload(&file.text()).expect("reloaded");
        let second = gate.listener("second").expect("it is there");
        assert_eq!(Client::connect(second).get("/").status, 200);
        file.listeners.pop();
        gate.reload(&file.text()).expect("reloaded");
        assert!(gate.listener("second").is_none());
        wait_for("the listener to close", || TcpStream::connect(second).is_err().then_some(()));
        assert_eq!(steady.get("/").status, 200);
        // The same port at once again, as an editor's undo would have it.
        again = Some(second);
    }
}

fn connections_of_a_removed_listener_have_time_to_end(driver: Choice) {
    let service = service();
    let mut file = File::new(service.endpoint());
    file.listeners.push(("second", "127.0.0.1:0".into()));
    file.other = "reload: { drain: 400ms }\n".into();
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = Client::connect(gate.listener("second").expect("it is there"));
    assert_eq!(client.get("/").status, 200);
    file.listeners.pop();
    gate.reload(&file.text()).expect("reloaded");
    assert_eq!(client.get("/").status, 200, "its time is not over");
    client.end();
    assert_eq!(gate.log(2)[1]["listener"], "second");
}

fn a_connection_at_work_on_a_removed_listener_is_told_to_close(driver: Choice) {
    let service = service();
    let mut file = File::new(service.endpoint());
    file.listeners.push(("second", "127.0.0.1:0".into()));
    file.other = "reload: { drain: 0s }\n".into();
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = Client::connect(gate.listener("second").expect("it is there"));
    client.send("GET / HTTP/1.1\r\n");
    super::support::client::settle();
    file.listeners.pop();
    gate.reload(&file.text()).expect("reloaded");
    client.send("host: h\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.fields.get("connection")), (200, Some("close")));
    client.end();
}

fn a_listener_may_be_renamed_without_being_closed(driver: Choice) {
    let service = service();
    let mut file = File::new(service.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    // A port that was asked for by its number is known by it.
    let address = gate.address();
    file.listeners[0] = ("fixed", address.to_string());
    gate.reload(&file.text()).expect("reloaded");
    let mut client = Client::connect(address);
    assert_eq!(client.get("/").status, 200);
    file.listeners[0].0 = "renamed";
    gate.reload(&file.text()).expect("reloaded");
    assert_eq!(client.get("/").status, 200);
    let log = gate.log(2);
    assert_eq!((&log[0]["listener"], &log[1]["listener"]), (&"fixed".into(), &"renamed".into()));
}

fn an_address_may_move_to_a_wider_one(driver: Choice) {
    let service = service();
    let mut file = File::new(service.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let port = gate.address().port();
    file.listeners[0] = ("plain", format!("0.0.0.0:{port}"));
    gate.reload(&file.text()).expect("reloaded");
    let mut client = Client::connect(([127, 0, 0, 1], port).into());
    assert_eq!(client.get("/").status, 200);
}

fn an_address_that_can_not_be_had_changes_nothing(driver: Choice) {
    let (service, taken) = (service(), std::net::TcpListener::bind("127.0.0.1:0").expect("bound"));
    let mut file = File::new(service.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    let mut client = gate.client();
    assert_eq!(client.get("/").status, 200);
    let address = gate.address();
    file.listeners.push(("fine", "127.0.0.1:0".into()));
    file.listeners.push(("taken", taken.local_addr().expect("an address").to_string()));
    file.routes[0].1 = "/other";
    let error = gate.reload(&file.text()).expect_err("the address is taken").to_string();
    assert!(error.contains("listener taken") && error.contains("another instance"), "{error}");
    assert_eq!((gate.listener("fine"), gate.listener("taken")), (None, None));
    assert_eq!(gate.address(), address);
    assert_eq!(client.get("/").status, 200);
}

fn unix_listeners_come_and_go(driver: Choice) {
    let service = service();
    let directory = super::support::process::scratch("reload-unix");
    std::fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join(format!("{driver:?}.sock"));
    let mut file = File::new(service.endpoint());
    let mut gate = Gate::start(&file.text(), driver);
    for _ in 0..3 {
        file.listeners.push(("local", format!("unix:{}", path.display())));
        gate.reload(&file.text()).expect("reloaded");
        assert_eq!(Client::connect_unix(&path).get("/").status, 200);
        file.listeners.pop();
        gate.reload(&file.text()).expect("reloaded");
        wait_for("the socket to go", || (!path.exists()).then_some(()));
    }
}

/// A directory for sockets, and the path of one in it.
fn socket_path(name: &str) -> std::path::PathBuf {
    let directory = super::support::process::scratch(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    directory.join("local.sock")
}

fn a_path_that_was_removed_is_made_anew(driver: Choice) {
    let service = service();
    let path = socket_path("reload-removed");
    let mut file = File::new(service.endpoint());
    file.listeners.push(("local", format!("unix:{}", path.display())));
    let mut gate = Gate::start(&file.text(), driver);
    std::fs::remove_file(&path).expect("removed");
    gate.reload(&file.text()).expect("reloaded");
    assert_eq!(Client::connect_unix(&path).get("/").status, 200);
}

fn a_path_that_another_process_has_taken_is_left_to_it(driver: Choice) {
    let service = service();
    let path = socket_path("reload-taken");
    let mut file = File::new(service.endpoint());
    file.listeners.push(("local", format!("unix:{}", path.display())));
    let mut gate = Gate::start(&file.text(), driver);
    std::fs::remove_file(&path).expect("removed");
    let _other = std::os::unix::net::UnixListener::bind(&path).expect("bound");
    let error = gate.reload(&file.text()).expect_err("it is another's").to_string();
    assert!(error.contains("listener local"), "{error}");
    file.listeners.pop();
    gate.reload(&file.text()).expect("reloaded");
    gate.stop(std::time::Duration::ZERO);
    assert!(path.exists(), "the other's socket was removed");
}

fn whoever_waits_at_the_limit_is_served_when_the_listener_goes(driver: Choice) {
    let service = service();
    let mut file = File::new(service.endpoint());
    file.listeners.push(("second", "127.0.0.1:0".into()));
    let few = |file: &File| file.text().replace("connections: 2000", "connections: 2");
    let mut gate = Gate::start(&few(&file), driver);
    let mut first = [gate.client(), gate.client()];
    assert!(first.iter_mut().all(|client| client.get("/").status == 200));
    let second = gate.listener("second").expect("it is there");
    let mut waiting: Vec<Client> = (0..30).map(|_| Client::connect(second)).collect();
    waiting.iter_mut().for_each(|client| client.send("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"));
    file.listeners.pop();
    gate.reload(&few(&file)).expect("reloaded");
    drop(first);
    for client in &mut waiting {
        assert_eq!(client.answer().status, 200);
    }
}
