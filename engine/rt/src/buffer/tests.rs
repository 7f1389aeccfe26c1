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
    let many: Vec<Buf> = (0..FREE_STANDARD_MAX + 10).map(|_| Buf::standard()).collect();
    assert_eq!(lent_bytes() - before, many.len() * STANDARD_BYTES);
    drop(many);
    assert_eq!(lent_bytes(), before);
    POOL.with_borrow(|pool| {
        assert_eq!(pool.standard.with_pages.len(), FREE_STANDARD_MAX);
        assert_eq!(pool.standard.without_pages.len(), 10);
    });
}

/// Pages of the buffer that are in memory.
fn resident_pages(memory: NonNull<u8>) -> usize {
    let mut pages = [0u8; STANDARD_BYTES / PAGE_BYTES];
    // SAFETY: the range is mapped by the pool of this thread, and there is a byte for each of its pages.
    let done = unsafe { libc::mincore(memory.as_ptr().cast(), STANDARD_BYTES, pages.as_mut_ptr()) };
    assert_eq!(done, 0);
    pages.iter().filter(|page| **page & 1 != 0).count()
}

#[test]
fn surplus_memory_keeps_no_pages() {
    let mut many: Vec<Buf> = (0..FREE_STANDARD_MAX + 10).map(|_| Buf::standard()).collect();
    for buf in &mut many {
        buf.append(&[1; STANDARD_BYTES]);
    }
    let (kept, surplus) = (many[FREE_STANDARD_MAX + 9].memory, many[0].memory);
    assert!(resident_pages(surplus) > 0);
    drop(many);
    assert!(resident_pages(kept) > 0);
    assert_eq!(resident_pages(surplus), 0);
}

#[test]
#[should_panic(expected = "more than a buffer can be")]
fn a_size_that_does_not_fit_is_refused() {
    let _ = Buf::with_room_for(u32::MAX as usize + 1);
}

#[test]
fn what_the_driver_holds_is_counted() {
    assert_eq!(in_driver(), 0);
    let (recv, send) = (RecvBuf::new(Buf::standard()), SendBuf::new(Buf::standard()));
    assert_eq!(in_driver(), 2);
    drop(recv.into_buf());
    drop(send);
    assert_eq!(in_driver(), 0);
}

#[test]
fn room_is_made_where_it_lacks_and_nowhere_else() {
    let mut buf = Buf::standard();
    buf.append(&[7; 10_000]);
    let (room, at) = (buf.room(), buf.memory);
    let buf = buf.with_room(room, 0);
    assert_eq!((buf.len(), buf.memory, buf.room()), (10_000, at, room), "there is as much as is asked for");
    let mut buf = buf;
    buf.advance(9_000);
    let buf = buf.with_room(room + 1, 0);
    assert_eq!((buf.data(), buf.memory), (&[7; 1000][..], at), "moved to the front");
    let buf = buf.with_room(STANDARD_BYTES, 50_000);
    assert_eq!((buf.data(), buf.capacity()), (&[7; 1000][..], LARGE_BYTES), "one past what it can have");
    assert!(buf.room() >= 50_000 + STANDARD_BYTES - 1000);
}
