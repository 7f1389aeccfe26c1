use super::*;

#[derive(Debug, PartialEq)]
struct Parts {
    form: TargetForm,
    scheme: Option<String>,
    authority: Option<String>,
    path: String,
    query: Option<String>,
}

fn target(method: Method, text: &str) -> Result<Parts, TargetError> {
    // Behind other bytes, so that offsets are seen to be relative to the buffer.
    let bytes = format!("GET {text}").into_bytes();
    let target = parse(method, &bytes, Span::new(4, bytes.len()))?;
    let text = |span: Span| String::from_utf8_lossy(span.of(&bytes)).into_owned();
    Ok(Parts {
        form: target.form,
        scheme: target.scheme.map(text),
        authority: target.authority.map(text),
        path: text(target.path),
        query: target.query.map(text),
    })
}

#[test]
fn origin_form() {
    for (text, path, query) in [
        ("/", "/", None),
        ("/a/b", "/a/b", None),
        ("/a?b=c", "/a", Some("b=c")),
        ("/a?", "/a", Some("")),
        ("/?a?b", "/", Some("a?b")),
        ("//a/b", "//a/b", None),
        ("/a:b@c", "/a:b@c", None),
        ("/%41%fF", "/%41%fF", None),
        ("/a?100%&%zz", "/a", Some("100%&%zz")),
        ("/\"<>\\^`{|}?\"<>\\^`{|}", "/\"<>\\^`{|}", Some("\"<>\\^`{|}")),
        ("/http://a/", "/http://a/", None),
    ] {
        let expected = Parts {
            form: TargetForm::Origin,
            scheme: None,
            authority: None,
            path: path.to_owned(),
            query: query.map(str::to_owned),
        };
        assert_eq!(target(Method::Get, text), Ok(expected), "{text}");
    }
}

#[test]
fn absolute_form() {
    for (text, scheme, authority, path, query) in [
        ("http://a", "http", "a", "", None),
        ("http://a/", "http", "a", "/", None),
        ("HTTPS://a:8443/b?c", "HTTPS", "a:8443", "/b", Some("c")),
        ("http://a?c", "http", "a", "", Some("c")),
        ("http://[::1]:80/x", "http", "[::1]:80", "/x", None),
        ("http://a//b", "http", "a", "//b", None),
        ("http://a/b@c", "http", "a", "/b@c", None),
    ] {
        let expected = Parts {
            form: TargetForm::Absolute,
            scheme: Some(scheme.to_owned()),
            authority: Some(authority.to_owned()),
            path: path.to_owned(),
            query: query.map(str::to_owned),
        };
        assert_eq!(target(Method::Get, text), Ok(expected), "{text}");
    }
}

#[test]
fn asterisk_and_authority_form() {
    let asterisk = target(Method::Options, "*").unwrap();
    assert_eq!((asterisk.form, asterisk.path.as_str()), (TargetForm::Asterisk, "*"));
    let authority = target(Method::Connect, "a.b:443").unwrap();
    assert_eq!(authority.form, TargetForm::Authority);
    assert_eq!(authority.authority.as_deref(), Some("a.b:443"));
    assert_eq!((authority.path.as_str(), authority.query), ("", None));
}

#[test]
fn what_is_no_target() {
    use Method::{Connect, Get, Options};
    use TargetError::{Asterisk, Authority, Byte, Empty, Form, Fragment, PercentEncoding, PercentNul, Scheme};
    for (method, text, error) in [
        (Get, "", Empty),
        (Get, "*", Asterisk),
        (Options, "**", Form),
        (Get, "a", Form),
        (Get, "a/b", Form),
        (Get, "?a", Form),
        (Get, "a.b:443", Form),
        (Get, "http:/a", Form),
        (Get, "://a", Scheme),
        (Get, "ftp://a/", Scheme),
        (Get, "ws://a/", Scheme),
        (Get, "httpx://a/", Scheme),
        (Get, "/a#b", Fragment),
        (Get, "/a?b#c", Fragment),
        (Get, "http://a#b", Fragment),
        (Get, "/a b", Byte),
        (Get, "/a\tb", Byte),
        (Get, "/a\0", Byte),
        (Get, "/a\x7f", Byte),
        (Get, "/a?\x1f", Byte),
        (Get, "/\u{e4}", Byte),
        (Get, "/?\u{e4}", Byte),
        (Get, "\u{e4}", Byte),
        (Get, "/%", PercentEncoding),
        (Get, "/%4", PercentEncoding),
        (Get, "/%zz", PercentEncoding),
        (Get, "/%4?1", PercentEncoding),
        (Get, "http://a/%x", PercentEncoding),
        (Get, "/a%00b", PercentNul),
        (Get, "http://", Authority(HostError::Empty)),
        (Get, "http:///a", Authority(HostError::Empty)),
        (Get, "http://:80/", Authority(HostError::Empty)),
        (Get, "http://u@a/", Authority(HostError::Userinfo)),
        (Get, "http://u:p@a/", Authority(HostError::Userinfo)),
        (Get, "http://a\\b/", Authority(HostError::Byte)),
        (Get, "http://a:x/", Authority(HostError::Port)),
        (Get, "http://a,b/", Authority(HostError::Byte)),
        (Connect, "", Empty),
        (Connect, "/", TargetError::Connect),
        (Connect, "*", TargetError::Connect),
        (Connect, "a", Authority(HostError::NoPort)),
        (Connect, "http://a:1", Authority(HostError::Port)),
        (Connect, "u@a:1", Authority(HostError::Userinfo)),
        (Connect, "a:1/", Authority(HostError::Port)),
    ] {
        assert_eq!(target(method, text), Err(error), "{method:?} {text:?}");
    }
}

#[test]
fn every_byte_in_path_and_query() {
    for byte in 0..=255u8 {
        let allowed = (0x21..0x7f).contains(&byte) && byte != b'#';
        for (before, path) in [(&b"/"[..], true), (b"/?", false)] {
            let text = [before, &[byte]].concat();
            let parsed = parse(Method::Get, &text, Span::new(0, text.len()));
            assert_eq!(parsed.is_ok(), allowed && !(path && byte == b'%'), "{byte:#x}");
        }
    }
}
