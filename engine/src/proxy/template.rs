//! Templates filled in: every value is written so that it can't be more than a value in the place where it stands.

use super::exchange::Asked;
use crate::model::{ClientCertificate, Fault};
use crate::route::Captures;
use ringgate_config::{Reference, RequestValue, Template, TemplatePart};
use ringgate_protocols::wire::path;
use std::borrow::Cow;

/// Where a template's result stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A URL, of which the place is the path until it says otherwise: a capture is one segment, `rest` is any number.
    Path,
    /// A URL's host.
    Host,
    /// A URL's query, or its fragment.
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

/// How a value is cut up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// One piece: what separates others is encoded in it.
    One,
    /// Any number of segments of a path, decoded.
    Segments,
    /// A path as sent: percent-encoded already.
    Sent,
}

/// Appends the template, filled in.
///
/// # Errors
/// [`Fault::BadReference`] for a value that can't stand in its place: `.` or `..` as a segment of a path;
/// [`Fault::NoHost`] for a URL's host that the request doesn't name.
pub(crate) fn fill(
    out: &mut Vec<u8>,
    template: &Template,
    place: Place,
    asked: &Asked<'_>,
    captures: &Captures<'_>,
) -> Result<(), Fault> {
    let mut place = place;
    for (index, part) in template.parts.iter().enumerate() {
        match part {
            TemplatePart::Literal(text) => {
                out.extend_from_slice(text.as_bytes());
                if place == Place::Path {
                    place = behind(text, index == 0);
                }
            }
            TemplatePart::Reference(reference) => {
                write(out, &value(reference, asked, captures), place, shape(reference))?;
                // The loader lets nothing but a port or the path follow the host.
                if place == Place::Host {
                    place = Place::Path;
                }
            }
        }
    }
    Ok(())
}

/// The place behind this text of a URL, which has been its path so far.
fn behind(text: &str, first: bool) -> Place {
    match text {
        "http://" | "https://" if first => Place::Host,
        _ if text.contains(['?', '#']) => Place::Query,
        _ => Place::Path,
    }
}

fn shape(reference: &Reference) -> Shape {
    match reference {
        Reference::Rest => Shape::Segments,
        Reference::Request(RequestValue::Path) => Shape::Sent,
        _ => Shape::One,
    }
}

/// Appends a host as a URL has it: an IPv6 address in its brackets.
///
/// # Errors
/// [`Fault::NoHost`] for none.
pub(crate) fn write_host(out: &mut Vec<u8>, host: &[u8]) -> Result<(), Fault> {
    write(out, host, Place::Host, Shape::One)
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
        Reference::Request(RequestValue::ServerName) => {
            asked.secured.and_then(|secured| secured.server_name.as_deref()).unwrap_or("").as_bytes()
        }
        Reference::Request(RequestValue::TlsVersion) => asked.secured.map_or("", |secured| secured.version).as_bytes(),
        Reference::Request(RequestValue::ClientSubject) => of_client(asked, |client| &client.subject),
        Reference::Request(RequestValue::ClientSans) => of_client(asked, |client| &client.sans),
        Reference::Request(RequestValue::ClientFingerprint) => of_client(asked, |client| &client.fingerprint),
    };
    Cow::Borrowed(text)
}

/// Something of the certificate that the client has shown; empty without one.
fn of_client<'a>(asked: &Asked<'a>, what: impl Fn(&'a ClientCertificate) -> &'a String) -> &'a [u8] {
    asked.secured.and_then(|secured| secured.client.as_ref()).map_or(b"", |client| what(client).as_bytes())
}

fn write(out: &mut Vec<u8>, value: &[u8], place: Place, shape: Shape) -> Result<(), Fault> {
    match place {
        Place::Path => {
            let (many, sent) = (shape != Shape::One, shape == Shape::Sent);
            if value.split(|byte| many && *byte == b'/').any(|segment| is_dots(segment, sent)) {
                return Err(Fault::BadReference);
            }
            // `*` of an OPTIONS request is no path, and would lengthen the host that it stands behind.
            if sent && value.first() != Some(&b'/') {
                return Err(Fault::BadReference);
            }
            let kept: &[u8] = match shape {
                Shape::One => b"!$&'()*+,=:@",
                Shape::Segments => b"!$&'()*+,=:@/",
                Shape::Sent => b"!$&'()*+,=:@/;%",
            };
            percent(out, value, |byte| is_unreserved(byte) || kept.contains(&byte));
        }
        Place::Host if value.is_empty() => return Err(Fault::NoHost),
        // RFC 3986 section 3.2.2, without what percent-encodes.
        Place::Host => percent(out, value, |byte| is_unreserved(byte) || b"!$&'()*+,;=[]:".contains(&byte)),
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

/// Whether a segment leads to where it stands or upwards; in a path as `sent` also percent-encoded, as browsers read it.
fn is_dots(segment: &[u8], sent: bool) -> bool {
    match segment {
        b"." | b".." => true,
        _ if sent && segment.len() <= b"%2e%2e".len() => {
            let mut decoded = Vec::with_capacity(segment.len());
            path::decode(segment, &mut decoded);
            matches!(decoded.as_slice(), b"." | b"..")
        }
        _ => false,
    }
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

    fn written(value: &str, place: Place, shape: Shape) -> Result<String, Fault> {
        let mut out = Vec::new();
        write(&mut out, value.as_bytes(), place, shape)?;
        Ok(String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn a_value_can_not_be_more_than_a_value() {
        let cases = [
            ("a/b?c#d e", Place::Path, Shape::One, "a%2Fb%3Fc%23d%20e"),
            ("a/b?c", Place::Path, Shape::Segments, "a/b%3Fc"),
            ("\\evil", Place::Path, Shape::Segments, "%5Cevil"),
            ("a&b=c", Place::Query, Shape::One, "a%26b%3Dc"),
            ("a\r\nset-cookie: b", Place::Header, Shape::One, "a%0D%0Aset-cookie: b"),
            ("\"},\n\u{2028}</script>", Place::Json, Shape::One, "\\\"},\\u000a\\u2028\\u003c/script\\u003e"),
            ("<b a='x'>&\"", Place::Html, Shape::One, "&lt;b a=&#39;x&#39;&gt;&amp;&quot;"),
            ("/a%20b;c/d\\", Place::Path, Shape::Sent, "/a%20b;c/d%5C"),
            ("[::1]", Place::Host, Shape::One, "[::1]"),
            ("a/b@c#d", Place::Host, Shape::One, "a%2Fb%40c%23d"),
            ("as it is", Place::Text, Shape::One, "as it is"),
        ];
        for (value, place, shape, expected) in cases {
            assert_eq!(written(value, place, shape).as_deref(), Ok(expected), "{value} in {place:?}");
        }
    }

    #[test]
    fn dot_segments_are_refused() {
        assert_eq!(written("..", Place::Path, Shape::One), Err(Fault::BadReference));
        assert_eq!(written("a/./b", Place::Path, Shape::Segments), Err(Fault::BadReference));
        assert_eq!(written("a/..b", Place::Path, Shape::Segments).as_deref(), Ok("a/..b"));
        assert_eq!(written("/a/%2E./b", Place::Path, Shape::Sent), Err(Fault::BadReference));
        assert_eq!(written("*", Place::Path, Shape::Sent), Err(Fault::BadReference));
        assert_eq!(written("..", Place::Query, Shape::One).as_deref(), Ok(".."));
    }

    #[test]
    fn a_url_says_which_part_of_it_comes_next() {
        assert_eq!(behind("https://", true), Place::Host);
        assert_eq!(behind("https://", false), Place::Path);
        assert_eq!(behind("https://h/", true), Place::Path);
        assert_eq!(behind("/a?b=", true), Place::Query);
        assert_eq!(behind("/a#", true), Place::Query);
        assert_eq!(written("", Place::Host, Shape::One), Err(Fault::NoHost));
    }
}
