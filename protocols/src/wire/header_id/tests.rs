use super::*;

#[test]
fn every_known_name_is_found_in_any_case() {
    for &id in KNOWN {
        let name = id.name();
        assert_eq!(HeaderId::of(name.as_bytes()), id, "{name}");
        assert_eq!(HeaderId::of(name.to_ascii_uppercase().as_bytes()), id, "{name}");
        let mixed: String = name
            .char_indices()
            .map(|(index, letter)| if index % 2 == 0 { letter.to_ascii_uppercase() } else { letter })
            .collect();
        assert_eq!(HeaderId::of(mixed.as_bytes()), id, "{mixed}");
    }
}

#[test]
fn a_name_that_differs_in_one_byte_is_another_one() {
    for &id in KNOWN {
        let name = id.name().as_bytes();
        for index in 0..name.len() {
            for byte in 0..=255 {
                let mut other = name.to_vec();
                other[index] = byte;
                let expected = HeaderId::of(&other);
                if other.eq_ignore_ascii_case(name) {
                    assert_eq!(expected, id);
                } else {
                    assert_ne!(expected, id, "{:?}", String::from_utf8_lossy(&other));
                }
            }
        }
        assert_ne!(HeaderId::of(&name[..name.len() - 1]), id);
        assert_eq!(HeaderId::of(&[name, b"x"].concat()), HeaderId::Other);
    }
    assert_eq!(HeaderId::of(b""), HeaderId::Other);
    assert_eq!(HeaderId::of(b"a"), HeaderId::Other);
    assert_eq!(HeaderId::of(&[b'a'; 70_000]), HeaderId::Other);
}

#[test]
fn ids_are_distinct_bits() {
    let all = KNOWN.iter().fold(HeaderId::Other.bit(), |set, id| {
        assert_eq!(set & id.bit(), 0);
        set | id.bit()
    });
    assert_eq!(all.count_ones() as usize, KNOWN.len() + 1);
}

#[test]
fn fields_of_one_connection() {
    for name in ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "http2-settings"]
    {
        assert!(HeaderId::of(name.as_bytes()).hop_by_hop(), "{name}");
    }
    for name in ["trailer", "proxy-authenticate", "proxy-authorization", "host", "content-length", "date", "x-other"] {
        assert!(!HeaderId::of(name.as_bytes()).hop_by_hop(), "{name}");
    }
}
