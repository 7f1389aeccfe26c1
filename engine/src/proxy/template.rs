//! Templates filled in: every value is written so that it can't be more than a value in the place where it stands.

use super::exchange::Asked;
use crate::model::Fault;
use crate::route::Captures;
use ringgate_config::{Reference, RequestValue, Template, TemplatePart};
use std::borrow::Cow;

/// Where a template's result stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A URL's path: a capture is one segment, `rest` is any number.
    Path,
    /// A URL's query.
    Query,
    /// A header field's value.
    Header,
    /// Inside a string of JSON.
    Json,
    /// Text or an attribute's value of HTML or XML.
    Html,
    /// Plain text.
    Text,
}

/// Appends the template, filled in.
///
/// # Errors
/// [`Fault::BadReference`] for a value that can't stand in its place: `.` or `..` as a segment of a path.
pub(crate) fn fill(
    out: &mut Vec<u8>,
    template: &Template,
    place: Place,
    asked: &Asked<'_>,
    captures: &Captures<'_>,
) -> Result<(), Fault> {
    let mut place = place;
    for part in &template.parts {
        match part {
            TemplatePart::Literal(text) => {
                out.extend_from_slice(text.as_bytes());
                if place == Place::Path && text.contains('?') {
                    place = Place::Query;
                }
            }
            TemplatePart::Reference(reference) => {
                let value = value(reference, asked, captures);
                write(out, &value, place, *reference == Reference::Rest)?;
            }
        }
    }
    Ok(())
}

fn value<'v>(reference: &Reference, asked: &'v Asked<'_>, captures: &Captures<'v>) -> Cow<'v, [u8]> {
    let text: &[u8] = match reference {
        Reference::Capture(name) => captures.get(name).unwrap_or_default(),
        Reference::Rest => captures.rest().unwrap_or_default(),
        Reference::RouteName => asked.route.as_bytes(),
        Reference::Request(RequestValue::Method) => asked.head.method_text(),
        Reference::Request(RequestValue::Scheme) => asked.scheme(),
        Reference::Request(RequestValue::Host) => asked.head.host_name().unwrap_or_default(),
        Reference::Request(RequestValue::Path) => asked.head.path(),
        Reference::Request(RequestValue::Query) => asked.head.query().unwrap_or_default(),
        Reference::Request(RequestValue::Id) => asked.id,
        Reference::Request(RequestValue::Client) => return Cow::Owned(asked.client()),
    };
    Cow::Borrowed(text)
}

fn write(out: &mut Vec<u8>, value: &[u8], place: Place, many: bool) -> Result<(), Fault> {
    match place {
        Place::Path => {
            if value.split(|byte| many && *byte == b'/').any(|segment| matches!(segment, b"." | b"..")) {
                return Err(Fault::BadReference);
            }
            percent(out, value, |byte| is_unreserved(byte) || b"!$&'()*+,=:@".contains(&byte) || many && byte == b'/');
        }
        Place::Query => percent(out, value, is_unreserved),
        Place::Header => percent(out, value, |byte| (0x20..0x7f).contains(&byte)),
        Place::Json => escaped(out, value, |c| match c {
            '"' | '\\' => Some(format!("\\{c}")),
            c if (c as u32) < 0x20 || c == '\u{7f}' || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => {
                Some(format!("\\u{:04x}", c as u32))
            }
            _ => None,
        }),
        Place::Html => escaped(out, value, |c| {
            let entity = match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                c if c.is_control() => "\u{fffd}",
                _ => return None,
            };
            Some(entity.to_owned())
        }),
        Place::Text => out.extend_from_slice(value),
    }
    Ok(())
}

/// RFC 3986 section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn percent(out: &mut Vec<u8>, value: &[u8], stays: impl Fn(u8) -> bool) {
    for &byte in value {
        if stays(byte) {
            out.push(byte);
        } else {
            out.push(b'%');
            out.extend([byte >> 4, byte & 15].map(|nibble| b"0123456789ABCDEF"[nibble as usize]));
        }
    }
}

/// Bytes that are not UTF-8 become U+FFFD.
fn escaped(out: &mut Vec<u8>, value: &[u8], escape: impl Fn(char) -> Option<String>) {
    for c in String::from_utf8_lossy(value).chars() {
        match escape(c) {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str, place: Place, many: bool) -> Result<String, Fault> {
        let mut out = Vec::new();
        write(&mut out, value.as_bytes(), place, many)?;
        Ok(String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn a_value_can_not_be_more_than_a_value() {
        let cases = [
            ("a/b?c#d e", Place::Path, false, "a%2Fb%3Fc%23d%20e"),
            ("a/b?c", Place::Path, true, "a/b%3Fc"),
            ("\\evil", Place::Path, true, "%5Cevil"),
            ("a&b=c", Place::Query, false, "a%26b%3Dc"),
            ("a\r\nset-cookie: b", Place::Header, false, "a%0D%0Aset-cookie: b"),
            ("\"},\n\u{2028}</script>", Place::Json, false, "\\\"},\\u000a\\u2028\\u003c/script\\u003e"),
            ("<b a='x'>&\"", Place::Html, false, "&lt;b a=&#39;x&#39;&gt;&amp;&quot;"),
            ("as it is", Place::Text, false, "as it is"),
        ];
        for (value, place, many, expected) in cases {
            assert_eq!(written(value, place, many).as_deref(), Ok(expected), "{value} in {place:?}");
        }
    }

    #[test]
    fn dot_segments_are_refused() {
        assert_eq!(written("..", Place::Path, false), Err(Fault::BadReference));
        assert_eq!(written("a/./b", Place::Path, true), Err(Fault::BadReference));
        assert_eq!(written("a/..b", Place::Path, true).as_deref(), Ok("a/..b"));
        assert_eq!(written("..", Place::Query, false).as_deref(), Ok(".."));
    }
}
