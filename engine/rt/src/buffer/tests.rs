use super::*;

#[test]
fn window_grows_at_both_ends_and_keeps_its_bytes() {
    let mut buf = Buf::standard();
    assert_eq!(buf.append(b"payload"), 7);
    assert!(buf.prepend(b"7\r\n"));
    assert!(buf.append_tail(b"\r\n"));
    assert_eq!(buf.data(), b"7\r\npayload\r\n");
    buf.advance(3);
    buf.truncate(7);
    assert_eq!(buf.data(), b"payload");
}

#[test]
fn append_stops_at_the_tailroom_and_prepend_at_the_front() {
    let mut buf = Buf::standard();
    let much = vec![b'x'; STANDARD_BYTES];
    let room = STANDARD_BYTES - HEADROOM_BYTES - TAILROOM_BYTES;
    assert_eq!(buf.append(&much), room);
    assert_eq!(buf.append(b"y"), 0);
    assert!(buf.append_tail(&[b'z'; TAILROOM_BYTES]));
    assert!(!buf.append_tail(b"z"));
    assert!(!buf.prepend(&[0; HEADROOM_BYTES + 1]));
    assert!(buf.prepend(&[b'h'; HEADROOM_BYTES]));
    assert_eq!(buf.len(), STANDARD_BYTES);
}

#[test]
fn compact_gives_the_room_in_front_back() {
    let mut buf = Buf::standard();
    buf.append(&[1; 1000]);
    buf.append(b"rest");
    buf.advance(1000);
    let before = buf.room();
    buf.compact();
    assert_eq!(buf.data(), b"rest");
    assert_eq!(buf.room(), before + 1000);
}

#[test]
fn room_is_as_asked_for() {
    for bytes in [1, 16 * 1024, 64 * 1024, 300_000] {
        assert!(Buf::with_room_for(bytes).room() >= bytes);
    }
}

#[test]
fn memory_is_used_again_and_the_surplus_returned() {
    let before = lent_bytes();
    let first = Buf::standard();
    let at = first.memory;
    drop(first);
    assert_eq!(Buf::standard().memory, at);
    let many: Vec<Buf> = (0..FREE_STANDARD_MAX + 10)
        .map(|_| Buf::standard())
        .collect();
    assert_eq!(lent_bytes() - before, many.len() * STANDARD_BYTES);
    drop(many);
    assert_eq!(lent_bytes(), before);
    POOL.with_borrow(|pool| assert_eq!(pool.standard.len(), FREE_STANDARD_MAX));
}
