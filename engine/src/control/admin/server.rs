//! The thread of the admin API: a small HTTP server whose clients can hurt nobody but each other, and that briefly.

use super::super::diary::{fail, warn};
use super::super::event::Event;
use super::calls::{self, Peer};
use super::socket::{Socket, bind};
use super::status::Board;
use crate::observe::Registry;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ringgate_config::Address;
use ringgate_rt::listener::SocketFile;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// Connections at a time; one more waits until another ends.
pub(super) const CONNECTIONS_MAX: usize = 64;
/// Bytes of a request's head; more give 431.
pub(super) const HEADER_BYTES_MAX: usize = 16 * 1024;
/// From the first byte of a head to its last, and how long a connection may wait for the next one.
pub(super) const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// From a request's head until its answer is taken.
pub(super) const REQUEST_TIME: Duration = Duration::from_secs(30);
/// How long accepting pauses when the system has no descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
pub(super) struct Shared {
    pub(super) board: Board,
    pub(super) registry: Arc<Registry>,
    tell: mpsc::Sender<Event>,
    places: Arc<Semaphore>,
}

impl Shared {
    pub(super) fn new(board: Board, tell: mpsc::Sender<Event>, registry: Arc<Registry>) -> Shared {
        Shared { board, registry, tell, places: Arc::new(Semaphore::new(CONNECTIONS_MAX)) }
    }

    /// Tells the control thread. False if it does not listen any more.
    pub(super) fn tell(&self, event: Event) -> bool {
        self.tell.send(event).is_ok()
    }
}

/// The thread. It ends when this is dropped.
pub(super) struct Server {
    handle: Handle,
    _alive: oneshot::Sender<()>,
}

/// An open listener. It is closed when this is dropped, its connections as soon as their calls have ended.
pub(in crate::control) struct Door {
    socket: Option<Socket>,
    address: Address,
    closes: watch::Sender<()>,
    _path: Option<SocketFile>,
}

impl Door {
    /// Where it is, with the port that the system gave.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }
}

impl Server {
    /// Starts the thread.
    ///
    /// # Errors
    /// A system that gives no thread, or no epoll.
    pub(super) fn start() -> io::Result<Server> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel::<()>();
        std::thread::Builder::new().name("admin".into()).spawn(move || {
            // An error: the other end was dropped, which is what this waits for.
            let _ = runtime.block_on(ended);
        })?;
        Ok(Server { handle, _alive: alive })
    }

    /// Binds an address; nothing is accepted yet.
    ///
    /// # Errors
    /// As [`bind`].
    pub(super) fn bind(&self, address: &Address) -> io::Result<Door> {
        let _inside = self.handle.enter();
        let (socket, address, path) = bind(address)?;
        Ok(Door { socket: Some(socket), address, closes: watch::Sender::new(()), _path: path })
    }

    /// Begins to accept.
    pub(super) fn serve(&self, door: &mut Door, shared: Arc<Shared>) {
        let Some(socket) = door.socket.take() else { return };
        let (at, closing) = (Arc::new(door.address.clone()), door.closes.subscribe());
        self.handle.spawn(async move {
            let mut closed = closing.clone();
            let mut closed = pin!(closed.changed());
            let mut accepting = pin!(accept_all(socket, at, shared, closing));
            poll_fn(|cx| match closed.as_mut().poll(cx) {
                Poll::Ready(_) => Poll::Ready(()),
                Poll::Pending => accepting.as_mut().poll(cx),
            })
            .await;
        });
    }
}

async fn accept_all(socket: Socket, at: Arc<Address>, shared: Arc<Shared>, closing: watch::Receiver<()>) {
    let places = shared.places.clone();
    while let Ok(place) = places.clone().acquire_owned().await {
        let (at, shared, closing) = (at.clone(), shared.clone(), closing.clone());
        let accepted = match &socket {
            Socket::Tcp(listener) => listener.accept().await.map(|(stream, from)| {
                // Without it answers wait for nothing worse than a delayed ACK.
                let _ = stream.set_nodelay(true);
                let peer = Peer { at, who: from.to_string() };
                tokio::spawn(async move { (serve(stream, peer, shared, closing).await, place).0 });
            }),
            Socket::Unix(listener) => listener.accept().await.map(|(stream, _)| {
                let who = stream.peer_cred().map_or_else(
                    |_| "somebody on the Unix socket".to_owned(),
                    |peer| format!("user {} (process {})", peer.uid(), peer.pid().unwrap_or_default()),
                );
                let peer = Peer { at, who };
                tokio::spawn(async move { (serve(stream, peer, shared, closing).await, place).0 });
            }),
        };
        if let Err(error) = accepted {
            warn(&format!("admin: a connection could not be accepted: {error}"));
            sleep(PAUSE).await;
        }
    }
    fail("admin: nothing is accepted any more");
}

/// When the request that is being served has taken too long: one limit for all that a client can be slow with.
#[derive(Clone)]
struct Deadline(Arc<Mutex<Instant>>);

impl Deadline {
    fn new() -> Deadline {
        Deadline(Arc::new(Mutex::new(Instant::now() + REQUEST_TIME)))
    }

    fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + REQUEST_TIME;
    }

    fn get(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves a connection until its client or the listener closes it, or a limit is passed.
async fn serve<S>(stream: S, peer: Peer, shared: Arc<Shared>, mut closing: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (deadline, peer) = (Deadline::new(), Arc::new(peer));
    let requests = deadline.clone();
    let service = service_fn(move |request| {
        requests.begin();
        let (peer, shared) = (peer.clone(), shared.clone());
        async move { Ok::<_, Infallible>(calls::answer(request, &peer, &shared).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    http.max_buf_size(HEADER_BYTES_MAX).max_header_size(HEADER_BYTES_MAX);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut late = pin!(sleep_until(deadline.get()));
    let mut closed = pin!(closing.changed());
    let mut told = false;
    poll_fn(|cx| {
        if !told && closed.as_mut().poll(cx).is_ready() {
            told = true;
            connection.as_mut().graceful_shutdown();
        }
        // An error is the client's: whatever it is, the connection is over.
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        while late.as_mut().poll(cx).is_ready() {
            let at = deadline.get();
            if at <= Instant::now() {
                return Poll::Ready(());
            }
            late.as_mut().reset(at);
        }
        Poll::Pending
    })
    .await;
}
