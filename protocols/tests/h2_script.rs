//! Random scripts for two connections of ours, see `h2_script/mod.rs`.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "h2_script/mod.rs"]
mod script;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn two_connections_understand_each_other(script in prop::collection::vec(any::<u8>(), 2..1_200)) {
        script::run(&script);
    }
}
