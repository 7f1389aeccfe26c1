//! Connections for tests: pairs of sockets, and receiving and sending as plain async functions.

use ringgate_rt::listener::{Bound, Listener, Stop, bind};
use ringgate_rt::{Address, Buf, Network, Sockets, Stream, Transport};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One receive; empty at the end of the stream.
pub(crate) async fn recv(stream: &mut impl Transport) -> io::Result<Vec<u8>> {
    stream.start_recv(Buf::standard());
    recv_started(stream).await
}

/// The end of a receive that was started.
pub(crate) async fn recv_started(stream: &mut impl Transport) -> io::Result<Vec<u8>> {
    let (result, buf) = poll_fn(|cx| stream.poll_recv(cx)).await;
    let n = result?;
    assert_eq!(n, buf.len());
    Ok(buf.data().to_vec())
}

/// Receives until there are `n` bytes.
pub(crate) async fn recv_exactly(stream: &mut impl Transport, n: usize) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    while all.len() < n {
        let some = recv(stream).await?;
        if some.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        all.extend(some);
    }
    Ok(all)
}

/// Sends all of `bytes`, from one buffer.
pub(crate) async fn send(stream: &mut impl Transport, bytes: &[u8]) -> io::Result<()> {
    let mut buf = Buf::with_room_for(bytes.len());
    assert_eq!(buf.append(bytes), bytes.len());
    stream.start_send(buf);
    poll_fn(|cx| stream.poll_send(cx)).await.0
}

/// A wait for something to receive.
pub(crate) async fn readable(stream: &mut impl Transport) -> io::Result<()> {
    poll_fn(|cx| stream.poll_readable(cx)).await
}

/// A connected pair: one end for a shard, the other for a thread.
pub(crate) fn unix_pair() -> (OwnedFd, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    (ours.into(), theirs)
}

/// As `unix_pair`, over TCP on the loopback.
pub(crate) fn tcp_pair() -> (OwnedFd, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let theirs = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
    let (ours, _) = listener.accept().expect("accepted");
    (ours.into(), theirs)
}

/// A TCP listener for one shard on a port that the system gives.
pub(crate) fn bind_tcp(ip: impl Into<IpAddr>) -> io::Result<Bound> {
    let mut bound = bind(&Address::Tcp(SocketAddr::new(ip.into(), 0)), 1)?;
    Ok(bound.remove(0))
}

/// A Unix listener at a path of its own.
pub(crate) fn bind_unix() -> io::Result<Bound> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("ringgate-rt-{}-{}.sock", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path: PathBuf = std::env::temp_dir().join(name);
    Ok(bind(&Address::Unix(path), 1)?.remove(0))
}

/// Called on a shard: both ends of a connection through a listener.
pub(crate) async fn through(bound: Bound) -> io::Result<(Stream, Stream)> {
    let address = bound.address().clone();
    let listener = Listener::start(bound)?;
    let stop = Stop::default();
    let client = Sockets.connect(&address).await?;
    let (server, _) = listener.accept(stop.handle()).await?;
    Ok((client, server))
}

/// Where a bound TCP listener listens.
pub(crate) fn tcp_address(bound: &Bound) -> SocketAddr {
    match bound.address() {
        Address::Tcp(at) => *at,
        Address::Unix(path) => panic!("{} is not a TCP address", path.display()),
    }
}
