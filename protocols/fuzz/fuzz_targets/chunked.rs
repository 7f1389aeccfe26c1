//! The chunked decoder against one that is written for plainness: it has the whole body, and looks for line ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringgate_protocols::h1::{BodyDecoder, BodyLength, BodyLimits};

const LIMITS: BodyLimits = BodyLimits { extension_bytes: 32, trailer_bytes: 1 << 20, trailers: 1 << 20 };

fuzz_target!(|data: &[u8]| {
    let Some((&seed, body)) = data.split_first() else {
        return;
    };
    let whole = decode(body, usize::MAX);
    assert_eq!(decode(body, usize::from(seed) % 32 + 1), whole);
    match (whole, plainly(body)) {
        // An incomplete body may be wrong already; the plain decoder sees that only with the whole line.
        (Ok(Decoded { done: false, .. }), Plain::Incomplete) | (Err(()), Plain::Incomplete | Plain::Wrong) => {}
        (Ok(decoded), Plain::Done(payload, consumed)) => {
            assert!(decoded.done);
            assert_eq!((decoded.payload, decoded.consumed), (payload, consumed));
        }
        (ours, plain) => panic!("{ours:?} {plain:?}"),
    }
});

#[derive(Debug, PartialEq)]
struct Decoded {
    payload: Vec<u8>,
    consumed: usize,
    done: bool,
}

/// Decodes in pieces of that length.
fn decode(body: &[u8], piece: usize) -> Result<Decoded, ()> {
    let mut decoder = BodyDecoder::with_limits(BodyLength::Chunked, LIMITS);
    let mut decoded = Decoded { payload: Vec::new(), consumed: 0, done: false };
    for piece in body.chunks(piece.min(body.len().max(1))) {
        let mut bytes = piece.to_vec();
        let step = decoder.decode(&mut bytes).map_err(drop)?;
        assert!(step.consumed <= piece.len() && step.data.end <= step.consumed);
        assert!(step.done || step.consumed == piece.len());
        assert_eq!(bytes[step.consumed..], piece[step.consumed..]);
        decoded.payload.extend_from_slice(&bytes[step.data]);
        decoded.consumed += step.consumed;
        decoded.done = step.done;
        if step.done {
            assert_eq!(decoder.finish(), Ok(()));
            break;
        }
    }
    Ok(decoded)
}

#[derive(Debug)]
enum Plain {
    Done(Vec<u8>, usize),
    Incomplete,
    Wrong,
}

fn plainly(body: &[u8]) -> Plain {
    let mut payload = Vec::new();
    let mut rest = body;
    loop {
        let Some((line, after)) = line(rest) else {
            return Plain::Incomplete;
        };
        let Some(size) = chunk_size(line) else {
            return Plain::Wrong;
        };
        rest = after;
        if size == 0 {
            break;
        }
        let Some((data, after)) = rest.split_at_checked(size) else {
            return Plain::Incomplete;
        };
        payload.extend_from_slice(data);
        rest = match after {
            [b'\r', b'\n', after @ ..] => after,
            [] | [b'\r'] => return Plain::Incomplete,
            _ => return Plain::Wrong,
        };
    }
    // Trailers are judged when all of them are there.
    let mut wrong = false;
    loop {
        let Some((line, after)) = line(rest) else {
            return Plain::Incomplete;
        };
        rest = after;
        match line {
            [] if wrong => return Plain::Wrong,
            [] => return Plain::Done(payload, body.len() - rest.len()),
            _ => wrong |= !is_field(line),
        }
    }
}

fn is_field(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|&byte| byte == b':') else {
        return false;
    };
    let (name, value) = line.split_at(colon);
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(is_token) && !value.iter().any(is_control)
}

fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|window| window == b"\r\n")?;
    Some((&bytes[..end], &bytes[end + 2..]))
}

fn chunk_size(line: &[u8]) -> Option<usize> {
    let line = line.iter().map(|&byte| byte as char).collect::<String>();
    let (size, extension) = line.split_once(';').map_or((line.as_str(), None), |(size, ext)| (size, Some(ext)));
    if let Some(extension) = extension
        && (extension.len() > 4 * LIMITS.extension_bytes
            || extension.chars().count() > LIMITS.extension_bytes
            || extension.bytes().any(|byte| is_control(&byte))
            || quotes_are_open(extension))
    {
        return None;
    }
    if size.is_empty() || size.len() > 16 || !size.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    i64::from_str_radix(size, 16).ok().map(|size| size as usize)
}

fn quotes_are_open(extension: &str) -> bool {
    let mut chars = extension.chars();
    let mut open = false;
    while let Some(next) = chars.next() {
        match next {
            '"' => open = !open,
            '\\' if open && chars.next().is_none() => return true,
            _ => {}
        }
    }
    open
}

fn is_control(byte: &u8) -> bool {
    byte.is_ascii_control() && *byte != b'\t'
}
