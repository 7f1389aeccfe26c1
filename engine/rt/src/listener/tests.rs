use super::*;

fn any() -> Address {
    Address::Tcp("127.0.0.1:0".parse().expect("an address"))
}

#[test]
fn shards_share_one_port() {
    let bound = bind(&any(), 3).expect("bound");
    assert_eq!(bound.len(), 3);
    assert!(bound.iter().all(|b| b.address() == bound[0].address()));
}

#[test]
fn a_second_instance_is_found_out() {
    let first = bind(&any(), 2).expect("bound");
    let error = bind(first[0].address(), 2).expect_err("somebody listens there");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn ipv6_and_ipv4_share_a_port_as_two_listeners() {
    // The port that is free on one may be taken on the other: a few are tried.
    for left in (0..20).rev() {
        let Ok(six) = bind(&Address::Tcp("[::1]:0".parse().expect("an address")), 1) else {
            eprintln!("skipped: no IPv6 here");
            return;
        };
        let Address::Tcp(at) = *six[0].address() else { panic!("a TCP address") };
        match bind(&Address::Tcp((std::net::Ipv4Addr::LOCALHOST, at.port()).into()), 1) {
            Ok(_) => return,
            Err(error) => assert!(left > 0, "bound beside it: {error}"),
        }
    }
}

#[test]
fn a_unix_path_left_over_is_taken_and_one_in_use_is_not() {
    let path = std::env::temp_dir().join(format!("ringgate-listener-{}.sock", std::process::id()));
    let left_over = std::os::unix::net::UnixListener::bind(&path).expect("bound");
    let address = Address::Unix(path.clone());
    assert!(bind(&address, 1).is_err(), "in use");
    drop(left_over);
    let bound = bind(&address, 4).expect("taken over");
    assert_eq!(bound.len(), 1);
    drop(bound);
    assert!(!path.exists(), "the path goes with the listener");
}

#[test]
fn a_path_that_is_no_socket_is_left_alone() {
    let path = std::env::temp_dir().join(format!("ringgate-listener-{}.txt", std::process::id()));
    std::fs::write(&path, "somebody's").expect("a file");
    let error = bind(&Address::Unix(path.clone()), 1).expect_err("a file is there");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert_eq!(std::fs::read_to_string(&path).expect("still there"), "somebody's");
    std::fs::remove_file(&path).expect("removed");
}

#[test]
fn a_listener_with_a_full_queue_is_not_waited_for() {
    let path = std::env::temp_dir().join(format!("ringgate-listener-{}-full.sock", std::process::id()));
    let address = SockAddr::unix(&path).expect("an address");
    let busy = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
    busy.bind(&address).expect("bound");
    busy.listen(0).expect("listening");
    let fill = || {
        let client = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
        client.set_nonblocking(true).expect("a mode");
        client.connect(&address).map(|()| client)
    };
    let _waiting: Vec<Socket> = std::iter::from_fn(|| fill().ok()).collect();
    let error = bind(&Address::Unix(path.clone()), 1).expect_err("somebody listens there");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    std::fs::remove_file(&path).expect("removed");
}
