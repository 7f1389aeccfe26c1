//! HPACK against loona-hpack, an independent implementation, in both directions.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use ringgate_protocols::hpack::{Decoder, Encoder, FieldSink, ListLimits, Name, TooLarge};

type Line = (Vec<u8>, Vec<u8>);

#[derive(Default)]
struct Kept(Vec<Line>);

impl FieldSink for Kept {
    fn field(&mut self, name: Name<'_>, value: &[u8], _: bool) -> Result<(), TooLarge> {
        self.0.push((name.text().to_vec(), value.to_vec()));
        Ok(())
    }
}

const LIMITS: ListLimits = ListLimits { soft: 1 << 24, hard: 1 << 24 };

fn ours(decoder: &mut Decoder, block: &[u8]) -> Option<Vec<Line>> {
    let mut kept = Kept::default();
    decoder.decode(block, LIMITS, &mut kept).ok().map(|_| kept.0)
}

fn lists() -> impl Strategy<Value = Vec<Vec<Line>>> {
    let name = prop_oneof![
        prop::sample::select(vec![":method", ":path", "cookie", "user-agent", "date", "x-a", "x-b"])
            .prop_map(str::to_owned),
        "[a-z-]{1,30}",
    ];
    let value = prop_oneof!["[a-c]{0,2}", "[ -~]{0,80}", "[a-z0-9]{500,1500}"];
    let field = (name.prop_map(String::into_bytes), value.prop_map(String::into_bytes));
    prop::collection::vec(prop::collection::vec(field, 0..15), 1..15)
}

/// Representations of all kinds with small indices and strings, so that many blocks are valid.
fn representations() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let text = prop_oneof![
        "[ -~]{0,40}".prop_map(|text| [&[text.len() as u8][..], text.as_bytes()].concat()),
        prop::collection::vec(any::<u8>(), 0..8).prop_map(|code| [&[0x80 | code.len() as u8][..], &code].concat()),
    ];
    let form = prop_oneof![
        (1u8..75).prop_map(|index| vec![0x80 | index]),
        (prop::sample::select(vec![0x40u8, 0x00, 0x10]), text.clone(), text.clone())
            .prop_map(|(flags, name, value)| [&[flags][..], &name, &value].concat()),
        (0x41u8..0x7f, text.clone()).prop_map(|(first, value)| [&[first][..], &value].concat()),
        (prop::sample::select(vec![0x00u8, 0x10]), 1u8..14, text).prop_map(|(flags, index, value)| [
            &[flags | index][..],
            &value
        ]
        .concat()),
    ];
    prop::collection::vec(prop::collection::vec(form, 1..8).prop_map(|forms| forms.concat()), 1..6)
}

proptest! {
    #[test]
    fn it_reads_what_we_write(lists in lists()) {
        let mut encoder = Encoder::default();
        let mut decoder = loona_hpack::Decoder::new();
        for list in lists {
            let mut block = Vec::new();
            encoder.begin(&mut block);
            for (name, value) in &list {
                encoder.field(Name::of(name), value, false, &mut block);
            }
            prop_assert_eq!(decoder.decode(&block).unwrap(), list);
        }
    }

    #[test]
    fn we_read_what_it_writes(lists in lists()) {
        let mut encoder = loona_hpack::Encoder::new();
        let mut decoder = Decoder::new();
        for list in lists {
            let fields = list.iter().map(|(name, value)| (&name[..], &value[..]));
            let block = encoder.encode(fields);
            prop_assert_eq!(ours(&mut decoder, &block), Some(list));
        }
    }

    #[test]
    fn both_read_made_up_blocks_alike(blocks in representations()) {
        let mut decoder = Decoder::new();
        let mut oracle = loona_hpack::Decoder::new();
        for block in blocks {
            let (ours, theirs) = (ours(&mut decoder, &block), oracle.decode(&block).ok());
            prop_assert_eq!(&ours, &theirs);
            if ours.is_none() {
                break;
            }
        }
    }
}
