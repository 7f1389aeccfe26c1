//! Listeners: accepting, giving up without losing a connection, emptying the queue, handing connections on.

use crate::net::{bind_tcp, bind_unix, recv, send, tcp_address, unix_pair};
use crate::support::{Shard, each_driver, wait};
use ringgate_rt::driver::RING_ENTRIES;
use ringgate_rt::listener::{Bound, Listener, Peer, Stop};
use ringgate_rt::{Address, Stream, task, was_cancelled};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

fn connect(bound: &Bound) -> OwnedFd {
    match bound.address() {
        Address::Tcp(at) => TcpStream::connect(at).expect("connected").into(),
        Address::Unix(path) => UnixStream::connect(path).expect("connected").into(),
    }
}

fn each_kind(test: impl Fn(&Shard, Bound)) {
    each_driver(|shard| {
        test(shard, bind_tcp(Ipv4Addr::LOCALHOST).expect("bound"));
        test(shard, bind_unix().expect("bound"));
    });
}

#[test]
fn a_connection_that_comes_while_accepting_is_cancelled_is_never_lost() {
    const ROUNDS: usize = 1000;
    each_kind(|shard, bound| {
        let clients = (0..ROUNDS).map(|_| {
            // Each connects while the shard accepts, cancels, and accepts again.
            let address = bound.address().clone();
            move || match &address {
                Address::Tcp(at) => TcpStream::connect(at).map(OwnedFd::from),
                Address::Unix(path) => UnixStream::connect(path).map(OwnedFd::from),
            }
        });
        let clients: Vec<_> = clients.collect();
        let server = shard.begin(move || async move {
            let listener = Listener::start(bound).expect("started");
            let (mut accepted, mut cancelled) = (Vec::new(), 0);
            while accepted.len() < ROUNDS {
                let stop = Rc::new(Stop::default());
                let later = stop.clone();
                task::spawn(async move {
                    task::yield_now().await;
                    later.stop();
                });
                match listener.accept(stop.handle()).await {
                    Ok((stream, _)) => accepted.push(stream),
                    Err(error) => {
                        assert!(was_cancelled(&error), "{error}");
                        cancelled += 1;
                    }
                }
            }
            for stream in &mut accepted {
                send(stream, b"hello").await.expect("sent");
            }
            cancelled
        });
        let connected: Vec<OwnedFd> = clients.into_iter().map(|connect| connect().expect("connected")).collect();
        eprintln!("{} times cancelled", wait(&server));
        for client in connected {
            let mut greeting = [0; 5];
            let mut client = std::fs::File::from(client);
            client.read_exact(&mut greeting).expect("a greeting");
        }
    });
}

#[test]
fn a_connection_that_came_before_the_cancel_is_returned_or_waits() {
    each_kind(|shard, bound| {
        shard.run(move || async move {
            let client = Rc::new(std::cell::RefCell::new(None));
            let bound = Rc::new(bound);
            let address = bound.address().clone();
            let Ok(bound) = Rc::try_unwrap(bound) else { panic!("held once") };
            let listener = Rc::new(Listener::start(bound).expect("started"));
            let stop = Rc::new(Stop::default());
            let (kept, later) = (client.clone(), stop.clone());
            task::spawn(async move {
                // Connected and cancelled in one and the same turn.
                let fd: OwnedFd = match &address {
                    Address::Tcp(at) => TcpStream::connect(at).expect("connected").into(),
                    Address::Unix(path) => UnixStream::connect(path).expect("connected").into(),
                };
                *kept.borrow_mut() = Some(fd);
                later.stop();
            });
            let first = listener.accept(stop.handle()).await;
            let got = first.is_ok() || listener.accept_waiting().is_some();
            assert!(got, "the connection was lost");
        });
    });
}

#[test]
fn an_accept_that_begins_after_the_stop_ends_at_once() {
    each_kind(|shard, bound| {
        shard.run(move || async move {
            let listener = Listener::start(bound).expect("started");
            for handed_out_before in [true, false] {
                let stop = Stop::default();
                if handed_out_before {
                    drop(stop.handle());
                }
                stop.stop();
                let accepted = listener.accept(stop.handle()).await;
                assert!(accepted.is_err_and(|e| was_cancelled(&e)));
                assert!(stop.stopped());
            }
        });
    });
}

#[test]
fn a_queue_is_emptied_and_the_listener_still_accepts() {
    const WAITING: usize = 50;
    each_kind(|shard, bound| {
        let clients: Vec<OwnedFd> = (0..WAITING).map(|_| connect(&bound)).collect();
        let address = bound.address().clone();
        let server = shard.begin(move || async move {
            let listener = Listener::start(bound).expect("started");
            let mut waiting = Vec::new();
            while let Some((stream, peer)) = listener.accept_waiting() {
                assert_eq!(peer == Peer::Unix, matches!(address, Address::Unix(_)));
                waiting.push(stream);
            }
            assert_eq!(waiting.len(), WAITING);
            for stream in &mut waiting {
                assert_eq!(recv(stream).await.expect("received"), b"queued");
                send(stream, b"seen").await.expect("sent");
            }
            // The mode of the socket is what it was: an accept waits.
            let stop = Rc::new(Stop::default());
            let later = stop.clone();
            task::spawn(async move {
                task::yield_now().await;
                later.stop();
            });
            let accepted = listener.accept(stop.handle()).await;
            accepted.map(drop).map_err(|e| e.to_string())
        });
        for client in clients {
            let mut client = std::fs::File::from(client);
            client.write_all(b"queued").expect("written");
            let mut back = [0; 4];
            client.read_exact(&mut back).expect("an answer");
            assert_eq!(&back, b"seen");
        }
        let error = wait(&server).expect_err("cancelled");
        assert!(error.contains("cancel"), "{error}");
    });
}

#[test]
fn accepted_sockets_are_kept_from_child_processes() {
    each_kind(|shard, bound| {
        let _client = connect(&bound);
        let inherited = shard.run(move || async move {
            let listener = Listener::start(bound).expect("started");
            let stop = Stop::default();
            let (stream, _) = listener.accept(stop.handle()).await.expect("accepted");
            let path = format!("/proc/self/fdinfo/{}", stream.as_fd().as_raw_fd());
            std::fs::read_to_string(path).expect("fdinfo")
        });
        let flags = inherited
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok())
            .expect("flags");
        assert_ne!(flags & 0o2000000, 0, "close-on-exec is missing");
    });
}

#[test]
fn a_connection_is_handed_to_another_shard() {
    each_driver(|shard| {
        let other = Shard::start(
            match shard.chosen.driver.is_epoll() {
                true => ringgate_rt::driver::Choice::Epoll,
                false => ringgate_rt::driver::Choice::Auto,
            },
            RING_ENTRIES,
        );
        for bound in [bind_unix().expect("bound"), bind_tcp(Ipv4Addr::LOCALHOST).expect("bound")] {
            let mut client = std::fs::File::from(connect(&bound));
            let (give, handed) = std::sync::mpsc::channel();
            let jobs = other.jobs.clone();
            let accepting = shard.begin(move || async move {
                let listener = Listener::start(bound).expect("started");
                let stop = Stop::default();
                let (mut stream, _) = listener.accept(stop.handle()).await.expect("accepted");
                // It may have been used here already.
                send(&mut stream, b"first shard").await.expect("sent");
                let fd = stream.into_fd().expect("nothing is in flight");
                let job = Box::new(move || {
                    task::spawn(async move {
                        let mut stream = Stream::from_fd(fd).expect("adopted");
                        let bytes = recv(&mut stream).await.expect("received");
                        send(&mut stream, &bytes).await.expect("sent");
                        give.send(std::thread::current().id()).expect("the test listens");
                    });
                });
                assert!(jobs.send(job).is_ok());
                std::thread::current().id()
            });
            let mut greeting = [0; 11];
            client.read_exact(&mut greeting).expect("a greeting");
            client.write_all(b"over there").expect("written");
            let mut back = [0; 10];
            client.read_exact(&mut back).expect("an answer");
            assert_eq!(&back, b"over there");
            assert_ne!(wait(&accepting), wait(&handed));
        }
        other.end();
    });
}

#[test]
fn a_port_is_shared_by_the_listeners_of_two_shards() {
    each_driver(|shard| {
        let bound = ringgate_rt::listener::bind(&Address::Tcp((Ipv4Addr::LOCALHOST, 0).into()), 2).expect("bound");
        let at = tcp_address(&bound[0]);
        let server = shard.begin(move || async move {
            let mut served = 0;
            let stop = Rc::new(Stop::default());
            let count = Rc::new(std::cell::Cell::new(0));
            for bound in bound {
                let (stop, count) = (stop.clone(), count.clone());
                task::spawn(async move {
                    let listener = Listener::start(bound).expect("started");
                    while let Ok((mut stream, _)) = listener.accept(stop.handle()).await {
                        send(&mut stream, b"hello").await.expect("sent");
                        count.set(count.get() + 1);
                    }
                });
            }
            while served < 40 {
                task::yield_now().await;
                served = count.get();
            }
            stop.stop();
            served
        });
        for _ in 0..40 {
            let mut client = TcpStream::connect(at).expect("connected");
            client.read_exact(&mut [0; 5]).expect("a greeting");
        }
        assert_eq!(wait(&server), 40);
    });
}

#[test]
fn many_accepts_on_one_listener_share_its_connections_and_all_end_when_stopped() {
    const ACCEPTS: usize = 8;
    const CLIENTS: usize = 100;
    each_kind(|shard, bound| {
        let address = bound.address().clone();
        let (give, accepted) = std::sync::mpsc::channel();
        let (stop_now, stopping) = unix_pair();
        let server = shard.begin(move || async move {
            let listener = Rc::new(Listener::start(bound).expect("started"));
            let stop = Rc::new(Stop::default());
            let running = Rc::new(std::cell::Cell::new(ACCEPTS));
            for _ in 0..ACCEPTS {
                let (listener, stop, running) = (listener.clone(), stop.clone(), running.clone());
                let give = give.clone();
                task::spawn(async move {
                    while let Ok((stream, _)) = listener.accept(stop.handle()).await {
                        give.send(()).expect("the test listens");
                        drop(stream);
                    }
                    running.set(running.get() - 1);
                });
            }
            let mut stopping = Stream::from_fd(stop_now).expect("adopted");
            recv(&mut stopping).await.expect("the word");
            stop.stop();
            while running.get() > 0 {
                task::yield_now().await;
            }
        });
        for _ in 0..CLIENTS {
            match &address {
                Address::Tcp(at) => drop(TcpStream::connect(at).expect("connected")),
                Address::Unix(path) => drop(UnixStream::connect(path).expect("connected")),
            }
            wait(&accepted);
        }
        (&stopping).write_all(b"stop").expect("written");
        wait(&server);
    });
}
