//! Blocks that must be refused, and limits at their edge.

use super::*;
use crate::hpack::integer;

fn error(block: &[u8]) -> Option<DecodeError> {
    decode(&mut Decoder::new(), block).err()
}

#[test]
fn every_malformed_block_is_refused_for_its_own_reason() {
    for (block, expected) in [
        // Index 0, and the first index that is in no table.
        ("80", DecodeError::Index),
        ("be", DecodeError::Index),
        ("7e 01 61", DecodeError::Index),
        ("ff ff ff ff 0f", DecodeError::Index),
        // Integers.
        ("ff", DecodeError::Truncated),
        ("ff 80", DecodeError::Truncated),
        ("ff 80 80 80 80 00", DecodeError::Integer),
        ("ff ff ff ff ff 0f", DecodeError::Integer),
        ("00 7f ff ff ff ff ff ff ff ff ff 01", DecodeError::Integer),
        // Strings that end too early.
        ("40", DecodeError::Truncated),
        ("40 01", DecodeError::Truncated),
        ("40 01 61", DecodeError::Truncated),
        ("40 01 61 05 61", DecodeError::Truncated),
        ("00 7f ff ff ff 7f 61", DecodeError::Truncated),
        // Huffman: eight ones are too much padding, zeros are none, EOS is no symbol.
        ("40 81 ff 01 61", DecodeError::HuffmanPadding),
        ("40 82 1f ff 01 61", DecodeError::HuffmanPadding),
        ("40 81 18 01 61", DecodeError::HuffmanPadding),
        ("40 84 ff ff ff ff 01 61", DecodeError::HuffmanEos),
        ("40 85 1f ff ff ff ff 01 61", DecodeError::HuffmanEos),
        // Size updates.
        ("82 20", DecodeError::SizeUpdatePlace),
        ("3f e2 1f", DecodeError::SizeUpdateTooLarge),
        ("3f ff ff ff ff 0f", DecodeError::Integer),
    ] {
        assert_eq!(error(&hex(block)), Some(expected), "{block}");
    }
}

#[test]
fn padding_of_seven_ones_and_a_table_of_the_whole_size_are_right() {
    // 'a' is 00011; then three ones.
    assert_eq!(error(&hex("40 81 1f 01 61")), None);
    // '0' is 00000, then 'X' with 11111100 and so on: see that a string of any length ends well.
    for text in ["X", "0X", "00X", "000X", "0000X", "00000X", "000000X", "0000000X", "&&&&&&&&&&&&&&&&&"] {
        let mut block = vec![0x00];
        let mut code = Vec::new();
        crate::hpack::huffman::encode(text.as_bytes(), &mut code);
        integer::encode(code.len(), 7, 0x80, &mut block);
        block.extend_from_slice(&code);
        block.extend_from_slice(b"\x00");
        assert_eq!(decode(&mut Decoder::new(), &block), Ok(vec![line(text, "")]));
    }
    assert_eq!(error(&hex("3f e1 1f 20 82")), None);
}

#[test]
fn no_prefix_of_a_good_block_panics_or_reads_on() {
    let block = hex("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf");
    for len in 0..block.len() {
        let _ = decode(&mut Decoder::new(), &block[..len]);
    }
}

#[test]
fn an_entry_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::new();
    decode(&mut decoder, b"\x40\x01a\x01b").unwrap();
    let mut block = b"\x40\x01a".to_vec();
    integer::encode(4096, 7, 0, &mut block);
    block.resize(block.len() + 4096, b'x');
    assert_eq!(decode(&mut decoder, &block).unwrap().len(), 1);
    assert_eq!((decoder.table.len(), decoder.table.size()), (0, 0));
}

#[test]
fn a_field_may_take_its_name_from_the_entry_that_it_evicts() {
    let mut decoder = Decoder::new();
    let long = |name: &[u8], index: u8| {
        let mut block = vec![0x40 | index];
        block.extend_from_slice(name);
        integer::encode(4000, 7, 0, &mut block);
        block.resize(block.len() + 4000, b'x');
        block
    };
    decode(&mut decoder, &long(b"\x03x-y", 0)).unwrap();
    let lines = decode(&mut decoder, &long(b"", 62)).unwrap();
    assert_eq!(lines[0].0, b"x-y");
    assert_eq!(decoder.table.len(), 1);
    assert_eq!(decoder.table.get(0).unwrap().0, Name::Other(b"x-y"));
}

#[test]
fn a_smaller_table_must_be_acknowledged_by_the_next_block() {
    let mut decoder = Decoder::new();
    decoder.set_table_size_max(100);
    assert_eq!(decode(&mut decoder.clone(), &hex("82")), Err(DecodeError::SizeUpdateMissing));
    assert_eq!(decode(&mut decoder.clone(), &hex("3f 46 82")), Err(DecodeError::SizeUpdateTooLarge));
    assert_eq!(decode(&mut decoder, &hex("3f 45 82")), Ok(vec![line(":method", "GET")]));
    assert_eq!(decode(&mut decoder, &hex("82")), Ok(vec![line(":method", "GET")]));
    decoder.set_table_size_max(8192);
    assert_eq!(decode(&mut decoder, &hex("82")), Ok(vec![line(":method", "GET")]));
    assert_eq!(decode(&mut decoder, &hex("3f e1 3f")), Ok(vec![]));
}

#[test]
fn beyond_the_soft_limit_nothing_is_stored_and_the_table_stays_in_step() {
    let mut decoder = Decoder::new();
    let mut kept = Kept::default();
    // Two fields of 34 bytes; the second one is above the limit and still goes into the table.
    let limits = ListLimits { soft: 67, hard: 1000 };
    let decoded = decoder.decode(b"\x40\x01a\x01b\x40\x01c\x01d\x00\x00\x00", limits, &mut kept).unwrap();
    assert_eq!(decoded, Decoded { size: 100, complete: false });
    assert_eq!(kept.lines, [line("a", "b")]);
    assert_eq!(decode(&mut decoder, b"\xbe\xbf"), Ok(vec![line("c", "d"), line("a", "b")]));

    let mut full = Kept { room: 1, ..Kept::default() };
    let decoded = decoder.decode(b"\xbe\xbf\xbe", LIMITS, &mut full).unwrap();
    assert_eq!((decoded.size, decoded.complete, full.lines.len()), (102, false, 1));
}

#[test]
fn a_bomb_is_given_up_at_the_hard_limit() {
    let mut decoder = Decoder::new();
    let mut block = b"\x40\x01a".to_vec();
    integer::encode(4000, 7, 0, &mut block);
    block.resize(block.len() + 4000, b'x');
    // Each further byte stands for 4033.
    block.resize(block.len() + 100, 0xbe);
    let limits = ListLimits { soft: 10_000, hard: 101 * 4033 };
    let mut kept = Kept::default();
    assert!(!decoder.clone().decode(&block, limits, &mut kept).unwrap().complete);
    let limits = ListLimits { hard: 101 * 4033 - 1, ..limits };
    assert_eq!(decoder.decode(&block, limits, &mut kept), Err(DecodeError::ListTooLarge));
}
