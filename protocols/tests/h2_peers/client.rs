//! Our client, their server, which echoes.

use crate::driver::{Driver, Outgoing, Owner, fields, write_fields};
use crate::server::trailers;
use crate::{Exchange, Setup};
use hyper::body::Bytes;
use hyper::http::Response;
use ringgate_protocols::h2::{Connection, Event, Head, StreamId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Exchanges that are to come, under way, and how many are done.
struct Asking {
    to_come: Vec<Exchange>,
    under_way: BTreeMap<StreamId, (Exchange, Vec<u8>)>,
    done: usize,
    all: usize,
}

impl Asking {
    /// Sends as many requests as the server allows.
    fn send(&mut self, driver: &mut Driver) {
        while driver.connection.openable() > 0 {
            let Some(exchange) = self.to_come.pop() else { return };
            let pseudo =
                [(":method", "POST"), (":scheme", "http"), (":path", "/echo?a=b"), (":authority", "example.com")];
            let pseudo = pseudo.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let fields = [&pseudo[..], &exchange.fields].concat();
            let whole = exchange.body.is_empty() && !exchange.trailers;
            let write = |writer: &mut ringgate_protocols::h2::BlockWriter<'_>| write_fields(writer, &fields);
            let stream = driver.connection.send_request(whole, &mut driver.out, write).unwrap();
            if !whole {
                let trailers = exchange.trailers.then(own_trailers);
                driver.send(stream, Outgoing { body: exchange.whole(), at: 0, trailers });
            }
            self.under_way.insert(stream, (exchange, Vec::new()));
        }
    }

    fn end(&mut self, driver: &mut Driver, stream: StreamId, trailers: Option<Vec<(String, String)>>) {
        let (exchange, body) = self.under_way.remove(&stream).unwrap();
        assert!(body == exchange.whole(), "{} {}", body.len(), exchange.whole().len());
        assert_eq!(trailers, exchange.trailers.then(own_trailers));
        assert_eq!(driver.connection.stream_end(stream), None);
        driver.connection.release(stream, &mut driver.out);
        self.done += 1;
        self.send(driver);
    }
}

impl Owner for Asking {
    fn event(&mut self, driver: &mut Driver, event: Event, head: &Head, data: &[u8]) {
        match event {
            Event::Response { stream, end } => {
                assert_eq!(head.status, 200);
                let mut expected = self.under_way[&stream].0.fields.clone();
                let mut found = fields(head);
                expected.sort();
                found.sort();
                assert_eq!(found, expected);
                if end {
                    self.end(driver, stream, None);
                }
            }
            Event::Data { stream, end, .. } => {
                self.under_way.get_mut(&stream).unwrap().1.extend_from_slice(data);
                driver.connection.consumed(stream, data.len(), &mut driver.out);
                if end {
                    self.end(driver, stream, None);
                }
            }
            Event::Trailers { stream } => self.end(driver, stream, Some(fields(head))),
            Event::Settings => self.send(driver),
            other => panic!("{other:?}"),
        }
    }

    fn is_done(&self) -> bool {
        self.done == self.all
    }
}

fn own_trailers() -> Vec<(String, String)> {
    [("grpc-status", "0"), ("x-check", "a b c")].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

pub(crate) async fn run(setup: Setup, exchanges: Vec<Exchange>) {
    let (near, far) = tokio::io::duplex(setup.pipe_bytes);
    let mut out = Vec::new();
    let connection = Connection::client(Arc::new(setup.limits.clone()), 0, &mut out);
    let theirs = tokio::task::spawn_local(async move {
        let mut connection = h2::server::Builder::new()
            .initial_window_size(setup.stream_window)
            .initial_connection_window_size(setup.connection_window)
            .max_concurrent_streams(50)
            .max_frame_size(setup.frame_bytes)
            .handshake::<_, Bytes>(far)
            .await
            .unwrap();
        while let Some(accepted) = connection.accept().await {
            let Ok((request, respond)) = accepted else { break };
            tokio::task::spawn_local(echo(request, respond));
        }
    });
    let all = exchanges.len();
    let mut asking = Asking { to_come: exchanges, under_way: BTreeMap::new(), done: 0, all };
    let mut driver = Driver::new(connection, out, near);
    driver.run(&mut asking).await.unwrap();
    assert_eq!((asking.done, driver.connection.stream_count()), (all, 0));
    drop(driver);
    theirs.await.unwrap();
}

async fn echo(request: hyper::http::Request<h2::RecvStream>, mut respond: h2::server::SendResponse<Bytes>) {
    let (head, mut body) = request.into_parts();
    assert_eq!(head.uri, "http://example.com/echo?a=b");
    let mut answer = Response::builder().status(200);
    *answer.headers_mut().unwrap() = head.headers;
    let answer = answer.body(()).unwrap();
    if body.is_end_stream() {
        respond.send_response(answer, true).unwrap();
        return;
    }
    let mut send = respond.send_response(answer, false).unwrap();
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        send.send_data(piece, false).unwrap();
    }
    match body.trailers().await.unwrap() {
        Some(found) => {
            assert_eq!(found, trailers());
            send.send_trailers(found).unwrap();
        }
        None => send.send_data(Bytes::new(), true).unwrap(),
    }
}
