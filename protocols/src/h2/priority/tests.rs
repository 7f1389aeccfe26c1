use super::*;

#[test]
fn fields_are_read_as_dictionaries() {
    let read = |value: &[u8]| {
        let Priority { urgency, incremental } = Priority::parse(value);
        (urgency, incremental)
    };
    assert_eq!(read(b""), (3, false));
    assert_eq!(read(b"u=5, i"), (5, true));
    assert_eq!(read(b"i,u=0"), (0, true));
    assert_eq!(read(b"u=7,i=?0"), (7, false));
    assert_eq!(read(b"i=?1"), (3, true));
    // What is not understood is passed over.
    assert_eq!(read(b"u=8, i=1, x=\"u=1, i\""), (3, false));
    assert_eq!(read(b"u=-1"), (3, false));
    assert_eq!(read(b"\xff\x00,u=2"), (2, false));
}

#[test]
fn what_states_nothing_has_its_share() {
    assert_eq!(Priority::default(), Priority { urgency: 3, incremental: true });
}
