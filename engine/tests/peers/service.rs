//! A service on hyper: it answers with what it has got, streams bodies, and sends trailers.

use futures_util::StreamExt;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpListener;

pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// Starts a service on this runtime, for as long as that lives.
pub(crate) async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let served = hyper::service::service_fn(answer);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), served));
        }
    });
    address
}

/// `/mirror` sends the body and its trailers back as they come, `/count/N` N bytes of known length, `/flow/N` N bytes in
/// chunks, `/head` the request's line and fields as text; a last segment `/status/N` gives that status.
async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_string();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let number = segments.get(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
    let answer = Response::builder().header("x-service", "hyper");
    let answer = match segments[0] {
        "mirror" => answer.body(request.into_body().boxed()),
        "count" => answer.body(full(pattern(number))),
        "flow" => {
            let pieces = pattern(number).chunks(9000).map(Bytes::copy_from_slice).collect::<Vec<_>>();
            let frames = pieces.into_iter().map(|piece| Ok(Frame::data(piece)));
            let mut trailers = HeaderMap::new();
            trailers.insert(HeaderName::from_static("x-sum"), HeaderValue::from(number));
            let frames = frames.chain([Ok(Frame::trailers(trailers))]);
            let answer = answer.header("trailer", "x-sum");
            answer.body(BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames))))
        }
        "status" => answer.status(StatusCode::from_u16(number as u16).expect("a status")).body(full(Vec::new())),
        "slow" => {
            let pieces = futures_util::stream::iter(0..number).then(|n| async move {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                Ok(Frame::data(Bytes::from(format!("{n}\n"))))
            });
            answer.body(BodyExt::boxed(StreamBody::new(pieces)))
        }
        _ => answer.body(full(format!("{} {}\n{:?}", request.method(), request.uri(), request.headers()).into_bytes())),
    };
    Ok(answer.expect("an answer"))
}

fn full(bytes: Vec<u8>) -> Body {
    Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed()
}

/// Bytes of which no two places look alike for long.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    crate::support::bodies::Noise::new(11).bytes(len)
}
