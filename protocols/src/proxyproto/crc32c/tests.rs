use super::*;

#[test]
fn the_vectors() {
    // The catalogue's check value, and those of RFC 3720 appendix B.4.
    assert_eq!(of(&[b"123456789"]), 0xe306_9283);
    assert_eq!(of(&[b"1234", b"", b"56789"]), 0xe306_9283);
    assert_eq!(of(&[]), 0);
    assert_eq!(of(&[&[0; 32]]), 0x8a91_36aa);
    assert_eq!(of(&[&[0xff; 32]]), 0x62a8_ab43);
    let up: Vec<u8> = (0..32).collect();
    assert_eq!(of(&[&up]), 0x46dd_794e);
}
