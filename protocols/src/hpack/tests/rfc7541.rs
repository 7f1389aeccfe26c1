//! The examples of RFC 7541 appendix C, all of them.

use super::*;
use crate::hpack::{huffman, integer};

#[test]
fn c_1_integers() {
    for (value, prefix_bits, bytes) in [(10, 5, "0a"), (1337, 5, "1f9a0a"), (42, 8, "2a")] {
        let mut out = Vec::new();
        integer::encode(value, prefix_bits, 0, &mut out);
        assert_eq!(out, hex(bytes));
        assert_eq!(integer::decode(&out, prefix_bits), Ok((value, &[][..])));
    }
}

#[test]
fn c_2_representations() {
    let mut decoder = Decoder::new();
    let block = hex("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
    assert_eq!(decode(&mut decoder, &block), Ok(vec![line("custom-key", "custom-header")]));
    assert_eq!(decoder.table.size(), 55);
    assert_eq!(decoder.table.get(0), Some((Name::Other(b"custom-key"), &b"custom-header"[..])));

    let mut decoder = Decoder::new();
    let block = hex("040c 2f73 616d 706c 652f 7061 7468");
    assert_eq!(decode(&mut decoder, &block), Ok(vec![line(":path", "/sample/path")]));
    assert_eq!(decoder.table.len(), 0);

    let block = hex("1008 7061 7373 776f 7264 0673 6563 7265 74");
    assert_eq!(decode(&mut decoder, &block), Ok(vec![(b"password".to_vec(), b"secret".to_vec(), true)]));
    assert_eq!(decoder.table.len(), 0);

    assert_eq!(decode(&mut decoder, &hex("82")), Ok(vec![line(":method", "GET")]));
    assert_eq!(decoder.table.len(), 0);
}

/// Each block, its fields, and the table behind it, newest entry first.
type Step<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], usize);

fn run(mut decoder: Decoder, steps: &[Step<'_>]) {
    for (block, fields, table, size) in steps {
        let expected: Vec<Line> = fields.iter().map(|(name, value)| line(name, value)).collect();
        assert_eq!(decode(&mut decoder, &hex(block)), Ok(expected));
        assert_eq!(decoder.table.size(), *size);
        assert_eq!(decoder.table.len(), table.len());
        for (index, (name, value)) in table.iter().enumerate() {
            let entry = decoder.table.get(index).unwrap();
            assert_eq!((entry.0.text(), entry.1), (name.as_bytes(), value.as_bytes()));
        }
    }
}

const HOST: (&str, &str) = (":authority", "www.example.com");
const NO_CACHE: (&str, &str) = ("cache-control", "no-cache");
const CUSTOM: (&str, &str) = ("custom-key", "custom-value");
const REQUESTS: [&[(&str, &str)]; 3] = [
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), HOST],
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), HOST, NO_CACHE],
    &[(":method", "GET"), (":scheme", "https"), (":path", "/index.html"), HOST, CUSTOM],
];
const REQUEST_TABLES: [(&[(&str, &str)], usize); 3] =
    [(&[HOST], 57), (&[NO_CACHE, HOST], 110), (&[CUSTOM, NO_CACHE, HOST], 164)];

fn requests(blocks: [&str; 3]) {
    let step = |at: usize| (blocks[at], REQUESTS[at], REQUEST_TABLES[at].0, REQUEST_TABLES[at].1);
    run(Decoder::new(), &[step(0), step(1), step(2)]);
}

#[test]
fn c_3_requests_without_huffman() {
    requests([
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ]);
}

#[test]
fn c_4_requests_with_huffman() {
    requests([
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ]);
}

const FOUND: (&str, &str) = (":status", "302");
const REDIRECT: (&str, &str) = (":status", "307");
const OK: (&str, &str) = (":status", "200");
const PRIVATE: (&str, &str) = ("cache-control", "private");
const DATE_1: (&str, &str) = ("date", "Mon, 21 Oct 2013 20:13:21 GMT");
const DATE_2: (&str, &str) = ("date", "Mon, 21 Oct 2013 20:13:22 GMT");
const LOCATION: (&str, &str) = ("location", "https://www.example.com");
const GZIP: (&str, &str) = ("content-encoding", "gzip");
const COOKIE: (&str, &str) = ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1");

fn responses(blocks: [&str; 3]) {
    let mut decoder = Decoder::new();
    // The appendix assumes a table of 256 bytes from the start.
    decoder.table.resize(256);
    run(
        decoder,
        &[
            (blocks[0], &[FOUND, PRIVATE, DATE_1, LOCATION], &[LOCATION, DATE_1, PRIVATE, FOUND], 222),
            (blocks[1], &[REDIRECT, PRIVATE, DATE_1, LOCATION], &[REDIRECT, LOCATION, DATE_1, PRIVATE], 222),
            (blocks[2], &[OK, PRIVATE, DATE_2, LOCATION, GZIP, COOKIE], &[COOKIE, GZIP, DATE_2], 215),
        ],
    );
}

#[test]
fn c_5_responses_without_huffman() {
    responses([
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d
         546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f
         6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
         2076 6572 7369 6f6e 3d31",
    ]);
}

#[test]
fn c_6_responses_with_huffman() {
    responses([
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7
         8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
         dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ]);
}

#[test]
fn the_strings_of_c_4_and_c_6_encode_to_the_same_bytes() {
    for (text, code) in [
        ("www.example.com", "f1e3 c2e5 f23a 6ba0 ab90 f4ff"),
        ("no-cache", "a8eb 1064 9cbf"),
        ("custom-key", "25a8 49e9 5ba9 7d7f"),
        ("Mon, 21 Oct 2013 20:13:21 GMT", "d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff"),
        ("https://www.example.com", "9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3"),
    ] {
        let mut out = Vec::new();
        huffman::encode(text.as_bytes(), &mut out);
        assert_eq!(out, hex(code));
        assert_eq!(huffman::encoded_len(text.as_bytes()), out.len());
    }
}
