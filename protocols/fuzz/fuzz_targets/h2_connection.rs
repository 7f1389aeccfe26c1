//! A client and a server of ours, led by a script. The checks themselves are in `tests/h2_script`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/h2_script/mod.rs"]
mod script;

fuzz_target!(|data: &[u8]| script::run(data));
