//! Their client, which leaves requests in the middle; our server, which must keep nothing of them.

use crate::Setup;
use crate::driver::{Driver, Outgoing, Owner, status};
use hyper::body::Bytes;
use hyper::http::Request;
use proptest::prelude::*;
use ringgate_protocols::h2::{Connection, Event, Head, StreamId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// When a client leaves a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaving {
    /// As soon as it is sent.
    AtOnce,
    /// In the middle of sending its body.
    WhileSending,
    /// Once the head of the answer is there.
    BehindHead,
    /// In the middle of the answer.
    WhileReceiving,
    /// Not at all.
    Never,
}

pub(crate) fn leaving() -> impl Strategy<Value = Leaving> {
    prop::sample::select(vec![
        Leaving::AtOnce,
        Leaving::WhileSending,
        Leaving::BehindHead,
        Leaving::WhileReceiving,
        Leaving::Never,
    ])
}

/// More than any window.
const ANSWER_BYTES: usize = 500_000;
const REQUEST_BYTES: usize = 300_000;

/// Answers each request at once with a long body, and reads what comes.
#[derive(Default)]
struct Long {
    known: BTreeSet<StreamId>,
}

impl Owner for Long {
    fn event(&mut self, driver: &mut Driver, event: Event, _: &Head, data: &[u8]) {
        match event {
            Event::Request { stream, end } => {
                assert!(self.known.insert(stream));
                let write = |writer: &mut ringgate_protocols::h2::BlockWriter<'_>| status(writer, "200");
                driver.connection.send_response(stream, false, &mut driver.out, write).unwrap();
                if end {
                    driver.send(stream, long_answer());
                }
            }
            Event::Data { stream, end, .. } => {
                driver.connection.consumed(stream, data.len(), &mut driver.out);
                if end {
                    driver.send(stream, long_answer());
                }
            }
            Event::Ended { stream } => {
                assert!(driver.connection.stream_end(stream).is_some());
                driver.outgoing.remove(&stream);
                driver.connection.release(stream, &mut driver.out);
            }
            Event::Settings | Event::GoAway { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    fn is_done(&self) -> bool {
        false
    }
}

fn long_answer() -> Outgoing {
    Outgoing { body: vec![b'a'; ANSWER_BYTES], at: 0, trailers: None }
}

pub(crate) async fn run(setup: Setup, leavings: Vec<Leaving>) {
    let (near, far) = tokio::io::duplex(setup.pipe_bytes.max(2_000));
    let mut out = Vec::new();
    let connection = Connection::server(Arc::new(setup.limits.clone()), 0, &mut out);
    let ours = tokio::task::spawn_local(async move {
        let mut driver = Driver::new(connection, out, near);
        driver.releases = true;
        let mut owner = Long::default();
        driver.run(&mut owner).await.unwrap();
        (driver.connection.stream_count(), driver.outgoing.len())
    });
    let builder = h2::client::Builder::new()
        .initial_window_size(setup.stream_window)
        .initial_connection_window_size(setup.connection_window)
        .clone();
    let (client, connection) = builder.handshake::<_, Bytes>(far).await.unwrap();
    let theirs = tokio::task::spawn_local(connection);
    let tasks: Vec<_> =
        leavings.into_iter().map(|leaving| tokio::task::spawn_local(ask(client.clone(), leaving))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    // Windows are whole: long bodies go both ways.
    ask(client.clone(), Leaving::Never).await;
    drop(client);
    theirs.await.unwrap().unwrap();
    assert_eq!(ours.await.unwrap(), (0, 0));
}

async fn ask(client: h2::client::SendRequest<Bytes>, leaving: Leaving) {
    let mut client = client.ready().await.unwrap();
    let request = Request::builder().method("POST").uri("http://example.com/").body(()).unwrap();
    let (answer, mut send) = client.send_request(request, false).unwrap();
    if let Leaving::AtOnce = leaving {
        return;
    }
    let body = Bytes::from(vec![b'b'; REQUEST_BYTES]);
    if let Leaving::WhileSending = leaving {
        send.send_data(body, false).unwrap();
        answer.await.unwrap();
        send.send_reset(h2::Reason::CANCEL);
        return;
    }
    send.send_data(body, true).unwrap();
    let mut body = answer.await.unwrap().into_body();
    if let Leaving::BehindHead = leaving {
        return;
    }
    let mut received = 0;
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        received += piece.len();
        if matches!(leaving, Leaving::WhileReceiving) && received > ANSWER_BYTES / 3 {
            return;
        }
    }
    assert_eq!(received, ANSWER_BYTES);
}
