//! Their client, our server, which echoes.

use crate::driver::{Driver, Outgoing, Owner, fields, status, write_fields};
use crate::{Exchange, Setup};
use hyper::body::Bytes;
use hyper::http::{HeaderMap, HeaderName, HeaderValue, Request};
use ringgate_protocols::h2::{Connection, Event, Head, StreamId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What has come of a request.
#[derive(Default)]
struct Asked {
    fields: Vec<(String, String)>,
    body: Vec<u8>,
    early: bool,
}

#[derive(Default)]
struct Echo {
    asked: BTreeMap<StreamId, Asked>,
}

impl Echo {
    fn answer(&mut self, driver: &mut Driver, stream: StreamId, trailers: Option<Vec<(String, String)>>) {
        let asked = self.asked.remove(&stream).unwrap();
        if asked.early {
            driver.connection.send_informational(stream, &mut driver.out, |writer| status(writer, "103")).unwrap();
        }
        let write = |writer: &mut ringgate_protocols::h2::BlockWriter<'_>| {
            status(writer, "200");
            write_fields(writer, &asked.fields);
        };
        let whole = asked.body.is_empty() && trailers.is_none();
        driver.connection.send_response(stream, whole, &mut driver.out, write).unwrap();
        if !whole {
            driver.send(stream, Outgoing { body: asked.body, at: 0, trailers });
        }
    }
}

impl Owner for Echo {
    fn event(&mut self, driver: &mut Driver, event: Event, head: &Head, data: &[u8]) {
        match event {
            Event::Request { stream, end } => {
                assert_eq!(head.target_text.of(head.bytes()), b"/echo?a=b");
                assert_eq!(head.host.unwrap().text.of(head.bytes()), b"example.com");
                let mut fields = fields(head);
                let early = fields.iter().any(|(name, _)| name == "x-early");
                fields.retain(|(name, _)| name != "x-early");
                self.asked.insert(stream, Asked { fields, early, ..Asked::default() });
                if end {
                    self.answer(driver, stream, None);
                }
            }
            Event::Data { stream, end, .. } => {
                self.asked.get_mut(&stream).unwrap().body.extend_from_slice(data);
                driver.connection.consumed(stream, data.len(), &mut driver.out);
                if end {
                    self.answer(driver, stream, None);
                }
            }
            Event::Trailers { stream } => self.answer(driver, stream, Some(fields(head))),
            Event::Settings | Event::GoAway { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    fn is_done(&self) -> bool {
        false
    }
}

pub(crate) async fn run(setup: Setup, exchanges: Vec<Exchange>) {
    let (near, far) = tokio::io::duplex(setup.pipe_bytes);
    let mut out = Vec::new();
    let connection = Connection::server(Arc::new(setup.limits.clone()), 0, &mut out);
    let ours = tokio::task::spawn_local(async move {
        let mut driver = Driver::new(connection, out, near);
        driver.run(&mut Echo::default()).await.unwrap();
        // Whatever was sent has come to its end; nothing is left but what is to be released.
        assert!(driver.outgoing.is_empty());
        driver.connection.stream_count()
    });
    let builder = h2::client::Builder::new()
        .initial_window_size(setup.stream_window)
        .initial_connection_window_size(setup.connection_window)
        .header_table_size(setup.table_bytes)
        .max_frame_size(setup.frame_bytes)
        .clone();
    let (client, connection) = builder.handshake::<_, Bytes>(far).await.unwrap();
    let theirs = tokio::task::spawn_local(connection);
    let count = exchanges.len();
    let tasks: Vec<_> =
        exchanges.into_iter().map(|exchange| tokio::task::spawn_local(ask(client.clone(), exchange))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    drop(client);
    theirs.await.unwrap().unwrap();
    assert_eq!(ours.await.unwrap(), count);
}

async fn ask(client: h2::client::SendRequest<Bytes>, exchange: Exchange) {
    let mut request = Request::builder().method("POST").uri("http://example.com/echo?a=b");
    for (name, value) in &exchange.fields {
        request = request.header(name, value);
    }
    if exchange.early {
        request = request.header("x-early", "1");
    }
    let ends = exchange.body.is_empty() && !exchange.trailers;
    let mut client = client.ready().await.unwrap();
    let (answer, mut send) = client.send_request(request.body(()).unwrap(), ends).unwrap();
    if !ends {
        let last = exchange.body.len().wrapping_sub(1);
        for (at, piece) in exchange.body.iter().enumerate() {
            send.send_data(Bytes::from(piece.clone()), at == last && !exchange.trailers).unwrap();
        }
        if exchange.trailers {
            send.send_trailers(trailers()).unwrap();
        }
    }
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    for (name, value) in &exchange.fields {
        assert!(answer.headers().get_all(name).iter().any(|found| found == value), "{name}");
    }
    assert_eq!(answer.headers().len(), exchange.fields.len());
    let mut body = answer.into_body();
    let mut received = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        received.extend_from_slice(&piece);
    }
    assert_eq!(received.len(), exchange.whole().len());
    assert!(received == exchange.whole());
    assert_eq!(body.trailers().await.unwrap(), exchange.trailers.then(trailers));
}

pub(crate) fn trailers() -> HeaderMap {
    let pairs = [("grpc-status", "0"), ("x-check", "a b c")];
    pairs.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).into_iter().collect()
}
