//! Any blocks: decoded or refused, the same when given again; what is decoded is encoded and decoded to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringgate_protocols::hpack::{Decoder, Encoder, FieldSink, ListLimits, Name, TooLarge};

const LIMITS: ListLimits = ListLimits { soft: 20_000, hard: 80_000 };

#[derive(Default)]
struct Kept(Vec<(Vec<u8>, Vec<u8>, bool)>);

impl FieldSink for Kept {
    fn field(&mut self, name: Name<'_>, value: &[u8], never_indexed: bool) -> Result<(), TooLarge> {
        assert_eq!(Name::of(name.text()), name);
        self.0.push((name.text().to_vec(), value.to_vec(), never_indexed));
        if self.0.len() < 200 { Ok(()) } else { Err(TooLarge) }
    }
}

fuzz_target!(|data: &[u8]| {
    let (mut decoder, mut encoder, mut back) = (Decoder::new(), Encoder::new(1000), Decoder::new());
    let mut rest = data;
    // Blocks are preceded by their length; 0xff changes the table instead.
    while let Some((&len, tail)) = rest.split_first() {
        if len == 0xff {
            let Some((&size, tail)) = tail.split_first() else { return };
            let size = usize::from(size) * 32;
            decoder.set_table_size_max(size);
            encoder.set_table_size_max(size);
            back.set_table_size_max(size);
            rest = tail;
            continue;
        }
        let (block, tail) = tail.split_at(usize::from(len).min(tail.len()));
        rest = tail;
        let mut kept = Kept::default();
        let again = decoder.clone().decode(block, LIMITS, &mut Kept::default());
        let decoded = decoder.decode(block, LIMITS, &mut kept);
        assert_eq!(decoded, again);
        let Ok(decoded) = decoded else { return };
        assert!(decoded.size <= LIMITS.hard);
        let size: usize = kept.0.iter().map(|(name, value, _)| name.len() + value.len() + 32).sum();
        assert!(if decoded.complete { size == decoded.size } else { size <= decoded.size });

        let mut block = Vec::new();
        encoder.begin(&mut block);
        for (name, value, never_indexed) in &kept.0 {
            encoder.field(Name::of(name), value, *never_indexed, &mut block);
        }
        let mut round = Kept::default();
        back.decode(&block, LIMITS, &mut round).unwrap();
        assert_eq!(round.0.len(), kept.0.len());
        for (ours, given) in round.0.iter().zip(&kept.0) {
            assert!(ours.0 == given.0 && ours.1 == given.1 && ours.2 >= given.2);
        }
    }
});
