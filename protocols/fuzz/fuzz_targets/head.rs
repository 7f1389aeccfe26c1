//! Heads, and the parts of them that have readers of their own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringgate_protocols::h1::{HeadError, HeadLimits, HeadScanner, RequestHead, ResponseHead};
use ringgate_protocols::wire::{Field, Fields, HeaderId, Method, Span, host, list, path, target, text};

const LIMITS: HeadLimits = HeadLimits { header_bytes: 512, headers: 12, target_bytes: 100 };

fuzz_target!(|data: &[u8]| {
    let whole = HeadScanner::new().find_end(data, &LIMITS);
    assert_eq!(bytewise(data), whole);
    heads(data, whole);
    parts(data);
});

fn bytewise(data: &[u8]) -> Result<Option<usize>, HeadError> {
    let mut scanner = HeadScanner::new();
    for len in 0..=data.len() {
        let before = scanner.scanned();
        let found = scanner.find_end(&data[..len], &LIMITS);
        assert!(scanner.scanned() >= before && scanner.scanned() <= len);
        if !matches!(found, Ok(None)) {
            return found;
        }
    }
    Ok(None)
}

fn heads(data: &[u8], end: Result<Option<usize>, HeadError>) {
    let mut request = RequestHead::new();
    let mut response = ResponseHead::new();
    let Ok(Some(end)) = end else {
        // What is no head does not parse, and the scanner's error comes first.
        let parsed = request.parse(data, &LIMITS);
        assert!(parsed.is_err());
        if let Err(error) = end {
            assert_eq!(parsed, Err(error));
        }
        // The limit on targets is not for responses.
        assert!(end == Err(HeadError::TargetBytes) || response.parse(data, &LIMITS).is_err());
        return;
    };
    let head = &data[..end];
    if request.parse(head, &LIMITS).is_ok() {
        let target = request.target;
        for span in [request.method_text, request.target_text, target.path] {
            within(span, head);
        }
        for span in [target.scheme, target.authority, target.query, request.upgrade].into_iter().flatten() {
            within(span, head);
        }
        assert_eq!(Method::of(request.method_text.of(head)), request.method);
        fields(&request.fields, head);
        if end < data.len() {
            assert_eq!(request.parse(&data[..end + 1], &LIMITS), Err(HeadError::Incomplete));
        }
    }
    if response.parse(head, &LIMITS).is_ok() {
        within(response.reason, head);
        fields(&response.fields, head);
    }
}

fn within(span: Span, head: &[u8]) {
    assert_eq!(span.of(head).len(), span.len());
}

fn fields(fields: &Fields, head: &[u8]) {
    assert!(fields.len() <= LIMITS.headers);
    for field in fields {
        for span in [field.name, field.value, field.line] {
            within(span, head);
        }
        let name = field.name.of(head);
        assert!(text::is_token(name));
        assert_eq!(HeaderId::of(name), field.id);
        let known = field.id.name();
        assert!(field.id == HeaderId::Other || name.eq_ignore_ascii_case(known.as_bytes()));
        let first: Option<&Field> = fields.named(head, name).next();
        assert!(first.is_some_and(|first| first.name.of(head).eq_ignore_ascii_case(name)));
        assert_eq!(text::trim_ows(field.value.of(head)), field.value.of(head));
    }
}

fn parts(data: &[u8]) {
    let all = Span::new(0, data.len());
    if let Ok(found) = host::parse(data, all) {
        within(found.host, data);
        // The host alone is a host too.
        assert_eq!(host::parse(data, found.host).map(|alone| (alone.host, alone.port)), Ok((found.host, None)));
    }
    for method in [Method::Get, Method::Options, Method::Connect] {
        if let Ok(found) = target::parse(method, data, all) {
            assert!(data.iter().all(|byte| (0x21..0x7f).contains(byte)));
            within(found.path, data);
        }
    }
    let (mut once, mut fully, mut again) = (Vec::new(), Vec::new(), Vec::new());
    path::decode(data, &mut once);
    path::normalise(data, &mut fully);
    path::normalise(&fully, &mut again);
    assert_eq!(again, fully);
    assert!(fully.starts_with(b"/") && fully.len() <= data.len() + 1);
    if data.starts_with(b"/") && !path::ambiguous(data) {
        assert_eq!(once, fully);
    }
    for element in list::elements(data) {
        assert!(!element.is_empty() && text::trim_ows(element) == element);
    }
    assert_eq!(text::value_len(data), data.iter().position(|&byte| !text::is_value_byte(byte)).unwrap_or(data.len()));
}
