//! The services of the demo: JSON over HTTP on loopback ports that the system gives, on a thread of their own.

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::time::{Interval, interval};

/// How many events `/notifications/live` has.
const EVENTS: u8 = 3;
/// The time between two of them.
const BETWEEN_EVENTS: Duration = Duration::from_millis(400);
/// The users that there are.
const USERS: &[(&str, &str)] = &[("1", "Ada"), ("2", "Grace"), ("7", "Barbara")];

type Answer = Response<Either<Full<Bytes>, Events>>;

/// What answers at an address.
#[derive(Clone, Copy)]
enum Service {
    Users(&'static str),
    Orders(&'static str),
    Notifications,
}

/// Where the services are.
pub(super) struct Services {
    pub(super) users: [SocketAddr; 2],
    pub(super) orders: SocketAddr,
    pub(super) orders_next: SocketAddr,
    pub(super) notifications: SocketAddr,
}

impl Services {
    /// Starts them. They end with the process.
    ///
    /// # Errors
    /// A system without a port, a thread or an epoll to give.
    pub(super) fn start() -> io::Result<Services> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let start = |service| {
            let _inside = runtime.enter();
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            runtime.spawn(accept(TcpListener::from_std(listener)?, service));
            io::Result::Ok(address)
        };
        let services = Services {
            users: [start(Service::Users("users-1"))?, start(Service::Users("users-2"))?],
            orders: start(Service::Orders("orders"))?,
            orders_next: start(Service::Orders("orders-next"))?,
            notifications: start(Service::Notifications)?,
        };
        let serve = move || runtime.block_on(std::future::pending::<()>());
        std::thread::Builder::new().name("services".into()).spawn(serve)?;
        Ok(services)
    }
}

async fn accept(listener: TcpListener, service: Service) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptors are left; some will be.
            tokio::time::sleep(BETWEEN_EVENTS).await;
            continue;
        };
        let answering = service_fn(move |request| async move { Ok::<_, Infallible>(service.answer(request).await) });
        // A connection that fails is the gateway's matter, which closes it.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answering));
    }
}

impl Service {
    async fn answer(self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        match self {
            Service::Users(name) => user(name, &path),
            Service::Orders(name) if request.method() == Method::POST => placed(name, request).await,
            Service::Orders(name) if path == "/canary" => answer(StatusCode::OK, &json!({ "served_by": name })),
            Service::Orders(name) => seen(name, &request),
            Service::Notifications if path == "/notifications/live" => live(),
            Service::Notifications => answer(StatusCode::OK, &json!({ "unread": 2, "served_by": "notifications" })),
        }
    }
}

fn user(service: &str, path: &str) -> Answer {
    let id = path.rsplit('/').next().unwrap_or_default();
    match USERS.iter().find(|(known, _)| *known == id) {
        Some((id, name)) => answer(StatusCode::OK, &json!({ "id": id, "name": name, "served_by": service })),
        None => answer(StatusCode::NOT_FOUND, &json!({ "error": "no such user", "served_by": service })),
    }
}

/// An order that was sent.
async fn placed(service: &str, request: Request<Incoming>) -> Answer {
    match request.into_body().collect().await {
        Ok(body) => {
            let bytes = body.to_bytes().len();
            answer(StatusCode::CREATED, &json!({ "received_bytes": bytes, "served_by": service }))
        }
        Err(error) => answer(StatusCode::BAD_REQUEST, &json!({ "error": error.to_string(), "served_by": service })),
    }
}

/// What the service saw of a request: the fields that the gateway makes or changes.
fn seen(service: &str, request: &Request<Incoming>) -> Answer {
    let forwarded = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "via", "x-request-id"];
    let names = [HOST].into_iter().chain(forwarded.map(HeaderName::from_static));
    let fields = names.filter_map(|name| {
        let value = String::from_utf8_lossy(request.headers().get(&name)?.as_bytes()).into_owned();
        Some((name.as_str().to_owned(), Value::String(value)))
    });
    let target = request.uri().to_string();
    answer(
        StatusCode::OK,
        &json!({ "served_by": service, "saw": { "target": target, "fields": Value::from_iter(fields) } }),
    )
}

fn answer(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(Bytes::from(format!("{body}\n")))));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    answer
}

fn live() -> Answer {
    let mut answer = Response::new(Either::Right(Events { sent: 0, timer: interval(BETWEEN_EVENTS) }));
    let fields = answer.headers_mut();
    fields.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("text/event-stream"));
    fields.insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
    answer
}

/// A stream of server-sent events that ends after a few.
struct Events {
    sent: u8,
    timer: Interval,
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.sent == EVENTS {
            return Poll::Ready(None);
        }
        std::task::ready!(self.timer.poll_tick(context));
        self.sent += 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(format!("data: {{\"notification\": {}}}\n\n", self.sent))))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
