//! What is encoded decodes to the same, whatever the sizes of the tables.

use super::*;
use crate::hpack::huffman;
use proptest::prelude::*;

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::sample::select(vec![
            ":method",
            ":path",
            ":authority",
            ":status",
            "cookie",
            "user-agent",
            "accept",
            "date",
            "etag",
            "link",
            "x-a",
            "x-b",
        ])
        .prop_map(|name| name.as_bytes().to_vec()),
        "[a-z0-9-]{1,20}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..12),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::sample::select(vec!["GET", "/", "200", "a", "b", ""]).prop_map(|value| value.as_bytes().to_vec()),
        "[ -~]{0,60}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..300),
        Just(vec![b'x'; 3000]),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Block(Vec<(Vec<u8>, Vec<u8>, bool)>),
    TableSize(usize),
    Shrink,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((name(), value(), prop::bool::weighted(0.1)), 0..12).prop_map(Step::Block),
        1 => prop::sample::select(vec![0usize, 64, 200, 1000, 4096, 10_000]).prop_map(Step::TableSize),
        1 => Just(Step::Shrink),
    ]
}

proptest! {
    #[test]
    fn blocks(steps in prop::collection::vec(step(), 1..20), wanted in prop::sample::select(vec![0usize, 300, 4096, 8192])) {
        let mut encoder = Encoder::new(wanted);
        let mut decoder = Decoder::new();
        for step in steps {
            match step {
                Step::TableSize(size) => {
                    encoder.set_table_size_max(size);
                    decoder.set_table_size_max(size);
                }
                Step::Shrink => encoder.shrink(),
                Step::Block(fields) => {
                    let mut block = Vec::new();
                    encoder.begin(&mut block);
                    for (name, value, never) in &fields {
                        encoder.field(Name::of(name), value, *never, &mut block);
                    }
                    let lines = decode(&mut decoder, &block).unwrap();
                    prop_assert_eq!(lines.len(), fields.len());
                    for (line, field) in lines.iter().zip(&fields) {
                        prop_assert_eq!((&line.0, &line.1), (&field.0, &field.1));
                        prop_assert!(line.2 || !field.2);
                    }
                    prop_assert_eq!(encoder.table.size(), decoder.table.size());
                    prop_assert_eq!(encoder.table.len(), decoder.table.len());
                }
            }
        }
    }

    #[test]
    fn huffman_strings(text in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut code = Vec::new();
        huffman::encode(&text, &mut code);
        prop_assert_eq!(code.len(), huffman::encoded_len(&text));
        let mut back = Vec::new();
        huffman::decode(&code, &mut back).unwrap();
        prop_assert_eq!(back, text);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..6)) {
        let mut decoder = Decoder::new();
        for block in blocks {
            if decoder.decode(&block, LIMITS, &mut Kept::default()).is_err() {
                break;
            }
        }
    }
}
