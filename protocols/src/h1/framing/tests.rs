use crate::h1::{BodyLength, HeadError, HeadLimits, RequestHead};
use crate::wire::HeaderId;

const LIMITS: HeadLimits = HeadLimits { header_bytes: 4096, headers: 8, target_bytes: 64 };

fn parse(bytes: &[u8]) -> Result<RequestHead, HeadError> {
    let mut head = RequestHead::new();
    head.parse(bytes, &LIMITS).map(|()| head)
}

fn post(lines: &str) -> Result<BodyLength, HeadError> {
    parse(format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes()).map(|head| head.body)
}

fn post_10(lines: &str) -> Result<BodyLength, HeadError> {
    parse(format!("POST / HTTP/1.0\r\n{lines}\r\n").as_bytes()).map(|head| head.body)
}

#[test]
fn body_lengths() {
    assert_eq!(post(""), Ok(BodyLength::None));
    assert_eq!(post("Content-Length: 0\r\n"), Ok(BodyLength::Length(0)));
    assert_eq!(post("Content-Length: \t12 \r\n"), Ok(BodyLength::Length(12)));
    assert_eq!(post("Content-Length: 0012\r\n"), Ok(BodyLength::Length(12)));
    assert_eq!(post("Content-Length: 9223372036854775807\r\n"), Ok(BodyLength::Length(i64::MAX as u64)));
    assert_eq!(post("Transfer-Encoding: chunked\r\n"), Ok(BodyLength::Chunked));
    assert_eq!(post("transfer-encoding: CHUNKED\r\n"), Ok(BodyLength::Chunked));
    assert_eq!(post_10("Content-Length: 3\r\n"), Ok(BodyLength::Length(3)));
}

#[test]
fn malformed_lengths() {
    for value in [
        "",
        " ",
        "+5",
        "-5",
        "5 5",
        "5,5",
        "5, 5",
        "5, 6",
        "5,",
        ",5",
        "0x5",
        "5a",
        "a",
        "5.0",
        "1e3",
        "\u{665}",
        "5;",
        "\"5\"",
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999",
        "00000000000000000005",
    ] {
        assert_eq!(post(&format!("Content-Length: {value}\r\n")), Err(HeadError::ContentLength), "{value:?}");
    }
}

#[test]
fn repeated_lengths() {
    let differ = Err(HeadError::ContentLengthsDiffer);
    assert_eq!(post("Content-Length: 5\r\nContent-Length: 6\r\n"), differ);
    assert_eq!(post("Content-Length: 5\r\nX: y\r\ncontent-length: 5\r\nCONTENT-LENGTH: 6\r\n"), differ);
    assert_eq!(post("Content-Length: 5\r\nContent-Length: x\r\n"), Err(HeadError::ContentLength));
    // The same twice means the same to everyone; only one line is forwarded.
    let head = parse(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n").unwrap();
    assert_eq!(head.body, BodyLength::Length(5));
    let marks: Vec<_> = head.fields.all(HeaderId::ContentLength).map(|field| field.hop).collect();
    assert_eq!(marks, [false, true]);
}

#[test]
fn transfer_encodings() {
    for value in [
        "",
        "gzip",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "xchunked",
        "chunkedx",
        "chunked;q=1",
        "\"chunked\"",
        "identity",
        "chunked\x0b",
        "chunke\u{e4}",
    ] {
        let expected = match value {
            "chunked\x0b" => HeadError::FieldValue,
            _ => HeadError::TransferEncoding,
        };
        assert_eq!(post(&format!("Transfer-Encoding: {value}\r\n")), Err(expected), "{value:?}");
    }
    let twice = "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n";
    assert_eq!(post(twice), Err(HeadError::TransferEncoding));
    let twice = "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n";
    assert_eq!(post(twice), Err(HeadError::TransferEncoding));
    assert_eq!(post_10("Transfer-Encoding: chunked\r\n"), Err(HeadError::TransferEncodingInHttp10));
    assert_eq!(post_10("Transfer-Encoding: identity\r\n"), Err(HeadError::TransferEncodingInHttp10));
}

#[test]
fn length_beside_encoding_is_refused_in_any_order_and_version() {
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
        "Transfer-Encoding:\r\nContent-Length: 5\r\n",
    ] {
        assert_eq!(post(lines), Err(HeadError::LengthAndEncoding), "{lines:?}");
        assert_eq!(post_10(lines), Err(HeadError::LengthAndEncoding), "{lines:?}");
    }
}
