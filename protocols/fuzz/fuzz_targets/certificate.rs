//! Certificates and revocation lists, as clients and files may have them: what is read of them can stand in a line of a log
//! and in a header field, and is within its bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringgate_protocols::tls::certificate::{Facts, SANS_MAX, TEXT_BYTES_MAX, names_as_issuer, next_update};

fuzz_target!(|data: &[u8]| {
    let _ = (next_update(data), names_as_issuer(data, data));
    let Ok(facts) = Facts::read(data) else { return };
    assert!(facts.names.len() <= SANS_MAX && facts.sans.len() <= SANS_MAX);
    let texts = [&facts.subject, &facts.serial].into_iter().chain(&facts.names).chain(&facts.sans);
    for text in texts {
        assert!(text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control), "{text:?}");
    }
    assert_eq!(Facts::read(data), Ok(facts));
});
