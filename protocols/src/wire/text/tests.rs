use super::*;

#[test]
fn token_characters_are_those_of_rfc_9110() {
    let token: Vec<u8> = (0..=255).filter(|&byte| is_token_byte(byte)).collect();
    assert_eq!(
        String::from_utf8(token).unwrap(),
        "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"
    );
    assert!(is_token(b"a") && !is_token(b"") && !is_token(b"a b") && !is_token(b"a\xe4"));
}

#[test]
fn a_value_ends_at_the_first_control_wherever_it_stands() {
    for byte in 0..=255u8 {
        let allowed = byte == b'\t' || (byte >= 0x20 && byte != 0x7f);
        assert_eq!(is_value_byte(byte), allowed);
        for before in 0..20 {
            for after in 0..10 {
                let text = [vec![b'x'; before], vec![byte], vec![0xff; after]].concat();
                let expected = if allowed { text.len() } else { before };
                assert_eq!(value_len(&text), expected, "{byte} at {before}");
            }
        }
    }
}

#[test]
fn the_first_of_two_controls_counts() {
    // A borrow in the first hit must not show up as one before it, nor hide it.
    for (first, second) in
        [(0u8, 0x7fu8), (0x7f, 0), (0x1f, 0x20), (0x80, 0x7f), (b'\t', 0), (0x20, 0x1f), (0x7e, 0x7f)]
    {
        let text = [b'a', first, second, b'b', b'c', b'd', b'e', b'f', b'g'];
        let expected = text.iter().position(|&byte| !is_value_byte(byte)).unwrap_or(text.len());
        assert_eq!(value_len(&text), expected, "{first:#x} {second:#x}");
    }
}

#[test]
fn a_byte_is_found_wherever_it_stands() {
    for len in 0..20 {
        for at in 0..len {
            for other in [0u8, b':' - 1, b':' + 1, 0x80 | b':', 0xff] {
                let mut text = vec![other; len];
                assert_eq!(position(&text, b':'), None);
                text[at] = b':';
                assert_eq!(position(&text, b':'), Some(at));
                text[len - 1] = b':';
                assert_eq!(position(&text, b':'), Some(at));
            }
        }
    }
}

#[test]
fn percent_encodings() {
    assert_eq!(percent_decoded(b"%41x"), Some(b'A'));
    assert_eq!(percent_decoded(b"%fF"), Some(0xff));
    for text in [&b"%"[..], b"%4", b"%4g", b"%g4", b"41", b"", b"%+1"] {
        assert_eq!(percent_decoded(text), None);
    }
}

#[test]
fn whitespace_at_both_ends_is_trimmed() {
    assert_eq!(trim_ows(b" \t a b\t "), b"a b");
    assert_eq!(trim_ows(b" \t "), b"");
    assert_eq!(trim_ows(b"\x0ba"), b"\x0ba");
}
