//! The h2 crate as an independent peer, in both roles, over pipes in memory: requests and answers of many sizes and
//! shapes, many at once, through windows and pipes of many sizes.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cancel;
mod client;
mod driver;
mod server;

use proptest::prelude::*;
use ringgate_protocols::h2::Limits;
use std::time::Duration;

/// One request and its answer. The answer echoes the request's body after `early` informational heads.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Pieces of the body; none is a request that ends with its head.
    body: Vec<Vec<u8>>,
    fields: Vec<(String, String)>,
    trailers: bool,
    early: bool,
}

impl Exchange {
    fn whole(&self) -> Vec<u8> {
        self.body.concat()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    /// The h2 crate's windows, table and frames.
    pub(crate) stream_window: u32,
    pub(crate) connection_window: u32,
    pub(crate) table_bytes: u32,
    pub(crate) frame_bytes: u32,
    /// Bytes that the pipe holds.
    pub(crate) pipe_bytes: usize,
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let sizes = prop_oneof![0..10usize, 0..2_000usize, 15_000..70_000usize];
    let piece =
        (sizes, any::<u8>()).prop_map(|(len, seed)| (0..len).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect());
    let name = prop_oneof![Just("x-a".to_owned()), Just("accept".to_owned()), "x-[a-z]{1,20}"];
    let value = prop_oneof!["[a-z]{0,3}", "[!-~]([ -~]{0,60}[!-~])?", "[a-z]{2000,3000}"];
    (prop::collection::vec(piece, 0..4), prop::collection::vec((name, value), 0..6), any::<bool>(), any::<bool>())
        .prop_map(|(body, fields, trailers, early)| Exchange { body, fields, trailers, early })
}

fn setup() -> impl Strategy<Value = Setup> {
    let windows = prop::sample::select(vec![1_000u32, 65_535, 200_000]);
    let tables = prop::sample::select(vec![0usize, 100, 4_096, 20_000]);
    let pipes = prop::sample::select(vec![64usize, 5_000, 1 << 20]);
    (windows.clone(), windows, tables.clone(), tables, pipes, any::<bool>()).prop_map(
        |(ours, theirs, our_table, their_table, pipe_bytes, large)| Setup {
            limits: Limits {
                stream_window: ours,
                connection_window: ours.max(65_535) * 2,
                table_bytes: our_table,
                encoder_table_bytes: their_table,
                frame_bytes: if large { 40_000 } else { 16_384 },
                ..Limits::default()
            },
            stream_window: theirs,
            connection_window: theirs.max(65_535),
            table_bytes: their_table as u32,
            frame_bytes: if large { 30_000 } else { 16_384 },
            pipe_bytes,
        },
    )
}

/// Runs both ends, in a time that nothing needs.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(Duration::from_secs(30), future).await.expect("a peer hangs")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn their_client_and_our_server(setup in setup(), exchanges in prop::collection::vec(exchange(), 1..12)) {
        block_on(server::run(setup, exchanges));
    }

    #[test]
    fn our_client_and_their_server(setup in setup(), exchanges in prop::collection::vec(exchange(), 1..12)) {
        block_on(client::run(setup, exchanges));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn their_client_cancels(setup in setup(), leavings in prop::collection::vec(cancel::leaving(), 1..40)) {
        block_on(cancel::run(setup, leavings));
    }
}

#[test]
fn many_at_once() {
    let exchange = |at: usize| Exchange {
        body: vec![vec![at as u8; at * 37]],
        fields: vec![("x-at".to_owned(), at.to_string())],
        trailers: at.is_multiple_of(3),
        early: false,
    };
    let setup = Setup {
        limits: Limits { streams: 2_000, ..Limits::default() },
        stream_window: 65_535,
        connection_window: 1 << 20,
        table_bytes: 4_096,
        frame_bytes: 16_384,
        pipe_bytes: 100_000,
    };
    let exchanges: Vec<_> = (0..1_000).map(exchange).collect();
    block_on(server::run(setup.clone(), exchanges.clone()));
    block_on(client::run(setup, exchanges));
}
