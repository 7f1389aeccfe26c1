//! PROXY protocol headers of both versions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringgate_protocols::proxyproto::{HEADER_BYTES_MAX, Header, Read, V1_BYTES_MAX, read, write_v1, write_v2};

fuzz_target!(|data: &[u8]| {
    let whole = read(data);
    prefixes(data, whole);
    match whole {
        Read::NeedMore => assert!(data.len() < HEADER_BYTES_MAX),
        Read::Invalid(flaw) => assert!(!flaw.message().is_empty()),
        Read::Header { header, len } => {
            assert!(len <= data.len() && len <= HEADER_BYTES_MAX);
            assert!(!data.starts_with(b"P") || len <= V1_BYTES_MAX && data[..len].ends_with(b"\r\n"));
            written(header, &data[len..]);
        }
    }
});

/// A prefix asks for more up to where it is decided, and gives the same from there on.
fn prefixes(data: &[u8], whole: Read) {
    let mut decided = false;
    for len in 0..=data.len().min(HEADER_BYTES_MAX) {
        let found = read(&data[..len]);
        decided |= found != Read::NeedMore;
        assert_eq!(found, if decided { whole } else { Read::NeedMore });
        if let Read::Header { len: needed, .. } = found {
            assert!(needed <= len);
        }
    }
    assert!(decided || whole == Read::NeedMore);
}

/// What is written of a header is read as that header, whatever follows.
fn written(header: Header, follows: &[u8]) {
    let mut line = Vec::new();
    write_v1(&mut line, header);
    let as_line = if header == Header::Local { Header::Unknown } else { header };
    let mut block = Vec::new();
    write_v2(&mut block, header);
    for (mut bytes, header) in [(line, as_line), (block, header)] {
        let len = bytes.len();
        bytes.extend_from_slice(follows);
        assert_eq!(read(&bytes), Read::Header { header, len });
    }
}
