use super::*;
use crate::h1::{BodyDecoder, BodyLength};

#[test]
fn chunk_heads() {
    let mut out = [0; CHUNK_HEAD_BYTES_MAX];
    for (len, expected) in
        [(1, "1\r\n"), (9, "9\r\n"), (10, "a\r\n"), (16, "10\r\n"), (0xffff, "ffff\r\n"), (0x12_3456, "123456\r\n")]
    {
        assert_eq!(chunk_head(len, &mut out), expected.as_bytes());
    }
    assert_eq!(chunk_head(usize::MAX, &mut out), b"ffffffffffffffff\r\n");
}

#[test]
fn what_is_written_is_read_back() {
    let mut head = [0; CHUNK_HEAD_BYTES_MAX];
    let mut bytes = Vec::new();
    let mut payload = Vec::new();
    for len in [1usize, 15, 16, 17, 300, 5000] {
        let piece = vec![len as u8; len];
        bytes.extend_from_slice(chunk_head(len, &mut head));
        bytes.extend_from_slice(&piece);
        bytes.extend_from_slice(CHUNK_END);
        payload.extend_from_slice(&piece);
    }
    bytes.extend_from_slice(LAST_CHUNK);
    let mut decoder = BodyDecoder::new(BodyLength::Chunked);
    let len = bytes.len();
    let step = decoder.decode(&mut bytes).unwrap();
    assert!(step.done && step.consumed == len);
    assert_eq!(&bytes[step.data], payload);
}

#[test]
fn trailers_are_written_as_received_without_those_left_out() {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked);
    decoder.decode(&mut b"0\r\nGrpc-Status: 0\r\nHost: x\r\nX:\r\n\r\n".to_vec()).unwrap();
    let mut out = b"before".to_vec();
    encode_trailers(&decoder.trailers().unwrap(), &mut out);
    assert_eq!(out, b"before0\r\nGrpc-Status: 0\r\nX: \r\n\r\n");
}
