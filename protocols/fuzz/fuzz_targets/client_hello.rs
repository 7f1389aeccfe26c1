//! ClientHellos: the first byte says how the rest is taken, as records or as a message to be put into records.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringgate_protocols::tls::hello::{
    ALPN_PROTOCOLS_MAX, HELLO_BYTES_MAX, Hello, SNIFF_BYTES_MAX, Sniff, Sniffer, sniff,
};

fuzz_target!(|data: &[u8]| {
    let Some((&seed, data)) = data.split_first() else { return };
    if seed == 0 {
        prefixes(data);
    } else {
        message(data, usize::from(seed));
    }
});

/// A prefix asks for more up to where it is decided, and gives the same from there on.
fn prefixes(data: &[u8]) -> Sniff {
    let whole = sniff(data);
    let mut decided = false;
    let mut sniffer = Sniffer::new();
    for len in 0..=data.len() {
        let found = sniff(&data[..len]);
        assert_eq!(sniffer.sniff(&data[..len]), found);
        decided |= found != Sniff::NeedMore;
        assert!(if decided { found == whole } else { found == Sniff::NeedMore });
    }
    match &whole {
        Sniff::NeedMore => assert!(data.len() < SNIFF_BYTES_MAX),
        Sniff::Hello(hello) => sound(hello),
        Sniff::NotTls(flaw) => assert!(!flaw.message().is_empty()),
    }
    whole
}

/// The body as a ClientHello in records of `len` bytes, and in one record.
fn message(body: &[u8], len: usize) {
    let body_len = body.len();
    if body_len > HELLO_BYTES_MAX - 4 {
        return;
    }
    let mut message = vec![1, 0, (body_len >> 8) as u8, body_len as u8];
    message.extend_from_slice(body);
    let one = prefixes(&records(&message, HELLO_BYTES_MAX));
    assert_ne!(one, Sniff::NeedMore);
    assert_eq!(prefixes(&records(&message, len)), one);
    if let Sniff::Hello(hello) = one {
        let stands_in = |part: &[u8]| message.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part));
        assert!(hello.server_name.is_none_or(|name| stands_in(name.as_bytes())));
        assert!(hello.alpn.iter().all(|protocol| stands_in(protocol)));
    }
}

fn records(message: &[u8], len: usize) -> Vec<u8> {
    let record = |part: &[u8]| [&[22, 3, 1, (part.len() >> 8) as u8, part.len() as u8], part].concat();
    message.chunks(len).flat_map(record).collect()
}

fn sound(hello: &Hello) {
    assert!(hello.alpn.len() <= ALPN_PROTOCOLS_MAX && hello.alpn.iter().all(|protocol| !protocol.is_empty()));
    let Some(name) = &hello.server_name else { return };
    assert!(!name.is_empty() && name.len() <= 253 && !name.ends_with('.') && *name == name.to_ascii_lowercase());
    assert!(name.split('.').all(|label| !label.is_empty() && label.len() <= 63));
    assert!(name.parse::<std::net::IpAddr>().is_err());
}
