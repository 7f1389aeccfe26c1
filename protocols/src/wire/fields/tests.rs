use super::*;

/// Fields of `name: value` lines without anything refused.
fn fields(text: &[u8]) -> Fields {
    let mut fields = Fields::default();
    let mut start = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let colon = start + line.iter().position(|&byte| byte == b':').unwrap();
        let end = start + line.len();
        let name = Span::new(start, colon);
        fields.push(Field {
            id: HeaderId::of(name.of(text)),
            hop: false,
            name,
            value: Span::new(colon + 2, end - 2),
            line: Span::new(start, end),
        });
        start = end;
    }
    fields
}

const TEXT: &[u8] = b"Host: a\r\nX-One: 1\r\nVia: b\r\nx-one: 2\r\nvia: c\r\nX-Two: 3\r\n";

#[test]
fn look_up_by_id() {
    let fields = fields(TEXT);
    assert_eq!(fields.len(), 6);
    assert!(fields.has(HeaderId::Via) && !fields.has(HeaderId::Te));
    assert_eq!(fields.get(HeaderId::Via).unwrap().value.of(TEXT), b"b");
    assert_eq!(fields.get(HeaderId::Te), None);
    let all: Vec<_> = fields.all(HeaderId::Via).map(|field| field.value.of(TEXT)).collect();
    assert_eq!(all, [b"b", b"c"]);
    assert_eq!(fields.all(HeaderId::Te).count(), 0);
    assert!(fields.repeats(HeaderId::Via) && !fields.repeats(HeaderId::Host));
    assert_eq!(fields.present(), HeaderId::Host.bit() | HeaderId::Via.bit() | HeaderId::Other.bit());
}

#[test]
fn look_up_by_name() {
    let fields = fields(TEXT);
    let values = |name: &'static [u8]| -> Vec<&[u8]> { fields.named(TEXT, name).map(|f| f.value.of(TEXT)).collect() };
    assert_eq!(values(b"X-ONE"), [b"1", b"2"]);
    assert_eq!(values(b"VIA"), [b"b", b"c"]);
    assert!(values(b"x-three").is_empty());
}

#[test]
fn clearing_forgets_everything() {
    let mut fields = fields(TEXT);
    fields.clear();
    assert!(fields.is_empty() && fields.present() == 0);
    assert_eq!(fields.get(HeaderId::Host), None);
    assert!(!fields.repeats(HeaderId::Via));
    assert_eq!(fields.iter().count(), 0);
}

#[test]
fn spans_outside_of_the_bytes_are_empty() {
    assert_eq!(Span::new(2, 9).of(b"abc"), b"");
    assert_eq!(Span::new(2, 1).of(b"abc"), b"");
    assert_eq!(Span::new(2, 1).len(), 0);
    assert_eq!(Span::new(usize::MAX, usize::MAX).of(b"abc"), b"");
    assert_eq!(Span::new(1, 3).of(b"abc"), b"bc");
}
