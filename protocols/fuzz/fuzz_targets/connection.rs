//! Both receivers: any split of any input gives the same events. The checks themselves are in `tests/trace`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringgate_protocols::wire::Method;

#[path = "../../tests/trace/mod.rs"]
mod trace;

const METHODS: [Method; 4] = [Method::Get, Method::Head, Method::Connect, Method::Post];

fuzz_target!(|data: &[u8]| {
    let Some((&[seed, skip], bytes)) = data.split_first_chunk::<2>() else {
        return;
    };
    let methods = &METHODS[usize::from(skip) % METHODS.len()..];
    let requests = trace::requests(bytes, []);
    let responses = trace::responses(bytes, methods, []);
    assert_eq!(trace::requests(bytes, pieces(seed)), requests);
    assert_eq!(trace::responses(bytes, methods, pieces(seed)), responses);
});

/// Lengths of pieces: small for low seeds, of one byte for 0.
fn pieces(seed: u8) -> impl Iterator<Item = usize> {
    let largest = usize::from(seed) % 64 + 1;
    let mut state = u32::from(seed) | 1;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize % largest + 1
    })
}
