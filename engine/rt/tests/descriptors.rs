//! Nothing leaks a descriptor or a buffer: not what is dropped with something in flight, not what a shard leaves behind
//! when it ends. In a binary of its own with one test, since descriptors are the whole process's.
#![allow(clippy::expect_used, reason = "helpers of tests are tests")]

#[allow(dead_code, reason = "each binary uses its part")]
mod support;

use ringgate_rt::driver::{Choice, Chosen, RING_ENTRIES};
use ringgate_rt::listener::{Listener, Stop, bind};
use ringgate_rt::mailbox::mailbox;
use ringgate_rt::timer::{Timer, sleep};
use ringgate_rt::{Address, Buf, Hooks, Network, ShardOptions, Sockets, Stream, Transport, buffer, run_shard, task};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use support::{Shard, each_driver};

const MUCH: usize = 2 << 20;

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("descriptors").count()
}

/// Waits until no more descriptors are open than `before`: the kernel ends what was in flight when it can.
fn settle(before: usize, what: &str) {
    let limit = Instant::now() + Duration::from_secs(20);
    while descriptors() > before {
        assert!(Instant::now() < limit, "{what}: {} descriptors, {before} before", descriptors());
        std::thread::yield_now();
    }
}

/// Runs `leak` on the shard a few times, and holds it to the descriptors and buffers that there were before.
async fn keeps<F: Future<Output = ()>>(what: &str, leak: impl Fn() -> F) {
    let (open, lent) = (descriptors(), buffer::lent_bytes());
    for _ in 0..20 {
        leak().await;
    }
    let limit = Instant::now() + Duration::from_secs(20);
    while descriptors() > open || buffer::lent_bytes() > lent {
        let now = (descriptors(), buffer::lent_bytes());
        assert!(Instant::now() < limit, "{what}: {now:?}, before {:?}", (open, lent));
        task::yield_now().await;
    }
}

/// Polls a future once, and drops it after so many turns if it has not ended.
async fn drop_after<F: Future>(turns: usize, future: F) {
    let mut future = Box::pin(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
    for _ in 0..turns {
        task::yield_now().await;
    }
    drop(future);
}

fn pair() -> (Stream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let theirs = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
    let (ours, _) = listener.accept().expect("accepted");
    (Stream::from_fd(ours.into()).expect("adopted"), theirs)
}

/// Starts to wait for something to receive.
async fn wait_once(stream: &mut Stream) {
    assert!(poll_fn(|cx| Poll::Ready(stream.poll_readable(cx).is_pending())).await);
}

/// A stream with a receive, a send that can't end, and a wait in flight.
async fn busy() -> (Stream, TcpStream) {
    let (mut stream, theirs) = pair();
    stream.start_recv(Buf::standard());
    // More than there is room for, so that it has to wait.
    socket2::SockRef::from(&stream).set_send_buffer_size(50_000).expect("little room");
    let mut much = Buf::with_room_for(MUCH);
    much.append(&vec![1; MUCH]);
    stream.start_send(much);
    poll_fn(|cx| {
        assert!(stream.poll_recv(cx).is_pending());
        assert!(stream.poll_send(cx).is_pending());
        assert!(stream.poll_readable(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    (stream, theirs)
}

/// Addresses that take no connection, and say nothing: their queues are full.
struct Full {
    tcp: SocketAddr,
    unix: std::path::PathBuf,
    _held: Vec<socket2::Socket>,
}

fn full() -> Full {
    use socket2::{Domain, SockAddr, Socket, Type};
    let unix = std::env::temp_dir().join(format!("ringgate-full-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&unix);
    let mut held = Vec::new();
    let mut fill = |domain, at: SockAddr| {
        let listener = Socket::new(domain, Type::STREAM, None).expect("a socket");
        listener.bind(&at).expect("bound");
        listener.listen(0).expect("listening");
        let at = listener.local_addr().expect("an address");
        held.push(listener);
        loop {
            let client = Socket::new(domain, Type::STREAM, None).expect("a socket");
            let wait = Duration::from_millis(50);
            client.set_write_timeout(Some(wait)).expect("a timeout");
            let connected = match domain {
                Domain::UNIX => {
                    client.set_nonblocking(true).expect("a mode");
                    client.connect(&at)
                }
                _ => client.connect_timeout(&at, wait),
            };
            if connected.is_err() {
                break at;
            }
            held.push(client);
        }
    };
    let tcp = fill(Domain::IPV4, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into());
    fill(Domain::UNIX, SockAddr::unix(&unix).expect("an address"));
    Full { tcp: tcp.as_socket().expect("an address"), unix, _held: held }
}

async fn streams() {
    for turns in 0..3 {
        keeps("a busy stream", || async move {
            let (stream, _theirs) = busy().await;
            for _ in 0..turns {
                task::yield_now().await;
            }
            drop(stream);
        })
        .await;
        keeps("a stream that is reset", || async move {
            let (mut stream, _theirs) = busy().await;
            stream.reset_on_close();
            for _ in 0..turns {
                task::yield_now().await;
            }
        })
        .await;
        keeps("a stream whose waits were given up", || async move {
            let (mut stream, _theirs) = pair();
            for _ in 0..3 {
                wait_once(&mut stream).await;
                stream.stop_readable();
                for _ in 0..turns {
                    task::yield_now().await;
                }
            }
            let fd = stream.into_fd().expect("nothing is in flight");
            drop(Stream::from_fd(fd).expect("adopted"));
        })
        .await;
    }
    keeps("a stream in a task that panics", || async {
        let (give, ended) = std::sync::mpsc::channel::<()>();
        task::spawn(async move {
            let _give = give;
            let _busy = busy().await;
            panic!("injected");
        });
        while ended.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            task::yield_now().await;
        }
    })
    .await;
}

async fn connects(full: &Full) {
    for address in [Address::Tcp(full.tcp), Address::Unix(full.unix.clone())] {
        for turns in 0..3 {
            keeps(&format!("a connect to {address:?} that was dropped after {turns} turns"), || {
                drop_after(turns, Sockets.connect(&address))
            })
            .await;
        }
        keeps("a connect that took too long", || async {
            let timer = Timer::new();
            timer.set_after(Duration::from_millis(20));
            let mut connect = Box::pin(Sockets.connect(&address));
            // The system may also find out itself that it will not be.
            poll_fn(|cx| match connect.as_mut().poll(cx) {
                Poll::Ready(connected) => Poll::Ready(connected.is_err()),
                Poll::Pending => timer.poll(cx).map(|()| true),
            })
            .await
            .then_some(())
            .expect("not connected");
        })
        .await;
    }
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        listener.local_addr().expect("an address")
    };
    let missing = std::env::temp_dir().join("ringgate-nobody-listens.sock");
    for address in [Address::Tcp(refused), Address::Unix(missing)] {
        keeps("a connect that was refused", || async {
            assert!(Sockets.connect(&address).await.is_err());
        })
        .await;
    }
    let open = TcpListener::bind("127.0.0.1:0").expect("a listener");
    open.set_nonblocking(true).expect("a mode");
    let address = Address::Tcp(open.local_addr().expect("an address"));
    for turns in 0..3 {
        keeps("a connect that was dropped as it succeeded", || async {
            drop_after(turns, Sockets.connect(&address)).await;
            task::yield_now().await;
            while open.accept().is_ok() {}
        })
        .await;
    }
}

async fn accepts() {
    keeps("accepts that were stopped", || async {
        let bound = bind(&Address::Tcp((Ipv4Addr::LOCALHOST, 0).into()), 1).expect("bound").remove(0);
        let Address::Tcp(at) = *bound.address() else { panic!("a TCP address") };
        let listener = Rc::new(Listener::start(bound).expect("started"));
        let stop = Rc::new(Stop::default());
        let left = Rc::new(RefCell::new(4));
        for _ in 0..4 {
            let (listener, stop, left) = (listener.clone(), stop.clone(), left.clone());
            task::spawn(async move {
                while let Ok((stream, _)) = listener.accept(stop.handle()).await {
                    drop(stream);
                }
                *left.borrow_mut() -= 1;
            });
        }
        let client = TcpStream::connect(at).expect("connected");
        task::yield_now().await;
        stop.stop();
        while *left.borrow() > 0 {
            task::yield_now().await;
        }
        while listener.accept_waiting().is_some() {}
        drop(client);
    })
    .await;
}

thread_local! {
    static KEPT: RefCell<Vec<Stream>> = const { RefCell::new(Vec::new()) };
}

/// Spawns a task that holds `held` until it is dropped.
fn park(held: &Arc<()>, future: impl Future<Output = ()> + 'static) {
    let held = held.clone();
    task::spawn(async move {
        let _held = held;
        future.await;
    });
}

/// One may end by a panic in its drop, as well.
struct PanicsInDrop(bool);

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        assert!(!self.0, "injected");
    }
}

async fn connect(to: Address) {
    let _ = Sockets.connect(&to).await;
}

async fn accept() {
    let bound = bind(&Address::Tcp((Ipv4Addr::LOCALHOST, 0).into()), 1).expect("bound").remove(0);
    let listener = Listener::start(bound).expect("started");
    let _ = listener.accept(Stop::default().handle()).await;
}

/// What a shard may leave behind: tasks of every kind in the middle of something.
fn abandon(shard: &Shard, full: &Full, held: &Arc<()>) {
    let (tcp, unix, held) = (full.tcp, full.unix.clone(), held.clone());
    shard.run(move || async move {
        for n in 0..10 {
            park(&held, async move {
                let _busy = busy().await;
                let _panics = PanicsInDrop(n == 3);
                std::future::pending().await
            });
            park(&held, sleep(Duration::from_secs(3600)));
            park(&held, async {
                loop {
                    task::yield_now().await;
                }
            });
            park(&held, connect(Address::Tcp(tcp)));
            park(&held, connect(Address::Unix(unix.clone())));
            park(&held, accept());
        }
        for _ in 0..3 {
            task::yield_now().await;
        }
    });
}

/// A shard that ends once it has left streams to its thread, which drops them when it ends itself.
struct Leave {
    busy: bool,
    done: Rc<Cell<bool>>,
}

impl Hooks<()> for Leave {
    fn start(&mut self, _: &Chosen) {
        let (busy, done) = (self.busy, self.done.clone());
        task::spawn(async move {
            let (at_rest, _theirs) = pair();
            let (mut waited, _theirs) = pair();
            wait_once(&mut waited).await;
            waited.stop_readable();
            let (mut receiving, _theirs) = pair();
            if busy {
                receiving.start_recv(Buf::standard());
                assert!(poll_fn(|cx| Poll::Ready(receiving.poll_recv(cx).is_pending())).await);
            }
            KEPT.with_borrow_mut(|kept| kept.extend([at_rest, waited, receiving]));
            done.set(true);
        });
    }

    fn message(&mut self, (): ()) {}

    fn end_of_turn(&mut self) -> bool {
        self.done.get()
    }
}

/// `early`: what the thread keeps is destroyed after what the runtime keeps for it, instead of before.
fn outlive(driver: Choice, early: bool, busy: bool) {
    let options = ShardOptions { core: None, driver, entries: RING_ENTRIES };
    let thread = std::thread::spawn(move || {
        if early {
            KEPT.with_borrow_mut(Vec::clear);
        }
        let (_sender, inbox) = mailbox::<()>().expect("an eventfd");
        run_shard(&options, inbox, Leave { busy, done: Rc::default() })
    });
    thread.join().expect("no panic").expect("the shard ran");
}

#[test]
fn nothing_leaks() {
    let full = full();
    let before = descriptors();
    each_driver(|shard| {
        let (tcp, unix) = (full.tcp, full.unix.clone());
        shard.run(move || async move {
            let full = Full { tcp, unix, _held: Vec::new() };
            streams().await;
            connects(&full).await;
            accepts().await;
        });
    });
    settle(before, "two shards that had ended");
    for choice in [Choice::Auto, Choice::Epoll] {
        let held = Arc::new(());
        let shard = Shard::start(choice, RING_ENTRIES);
        abandon(&shard, &full, &held);
        shard.end();
        assert_eq!(Arc::strong_count(&held), 1, "every task was dropped");
        settle(before, "a shard that ended in the middle of everything");

        for early in [false, true] {
            outlive(choice, early, false);
            settle(before, "streams that outlived their shard");
        }
    }
    // A receive that outlives its shard is a mistake; the ring is kept then rather than memory that the kernel writes to.
    // The process does not abort.
    outlive(Choice::Auto, true, true);
    outlive(Choice::Epoll, true, true);
    let _ = std::fs::remove_file(&full.unix);
}
