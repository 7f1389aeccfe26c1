//! The request as bytes on the wire. What is wrong with it is for the parser to say; only what could not be sent at all
//! is refused here.

use super::super::printable::printable;
use super::Question;

/// The head that a client would send.
///
/// # Errors
/// What the command line must say and does not: a host, or a name and a value for each header field.
pub(super) fn bytes(question: &Question<'_>) -> Result<Vec<u8>, String> {
    let Question { method, url, headers, .. } = question;
    if method.is_empty() || [method, url].iter().any(|text| text.contains(['\r', '\n'])) {
        return Err("the method and the URL are one line each, and not empty".to_owned());
    }
    let mut fields = Vec::with_capacity(headers.len());
    for header in *headers {
        let shown = printable(header.as_bytes());
        let named = header.split_once(':').filter(|(name, _)| !name.is_empty() && !header.contains(['\r', '\n']));
        let (name, value) = named.ok_or(format!("`{shown}` is no header field: write -H 'name: value'"))?;
        fields.push((name, value.trim_matches([' ', '\t'])));
    }
    let given = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    let (host, target) = match split(url)? {
        (_, target) if given => (None, target),
        (Some(host), target) => (Some(host), target),
        (None, target) => {
            let shown = printable(target.as_bytes());
            return Err(format!("the URL names no host: write http://HOST{shown}, or add -H 'host: HOST'"));
        }
    };
    let mut out = format!("{method} {target} HTTP/1.1\r\n");
    host.into_iter().for_each(|host| out.push_str(&format!("host: {host}\r\n")));
    fields.iter().for_each(|(name, value)| out.push_str(&format!("{name}: {value}\r\n")));
    out.push_str("\r\n");
    Ok(out.into_bytes())
}

/// The host that a URL names, and the target that a client sends for it. A fragment is never sent.
fn split(url: &str) -> Result<(Option<&str>, String), String> {
    let url = url.split('#').next().unwrap_or("");
    if url == "*" || url.starts_with('/') {
        return Ok((None, url.to_owned()));
    }
    let scheme = url
        .split_once("://")
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"));
    let Some((_, rest)) = scheme else {
        let shown = printable(url.as_bytes());
        return Err(format!("`{shown}` is no URL: write http://HOST/PATH, or /PATH with -H 'host: HOST'"));
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(end);
    let slash = if target.starts_with('/') { "" } else { "/" };
    Ok((Some(host), format!("{slash}{target}")))
}

/// Whether a URL is an https one; none if it does not say.
pub(super) fn secured(url: &str) -> Option<bool> {
    url.split_once("://").map(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
}

/// The target in a head that [`bytes`] has made.
pub(super) fn target(head: &[u8]) -> String {
    let line = head.split(|b| *b == b'\r').next().unwrap_or(b"");
    let line = line.strip_suffix(b" HTTP/1.1").unwrap_or(line);
    let target = line.splitn(2, |b| *b == b' ').nth(1).unwrap_or(b"");
    printable(target)
}

/// The host in a head that [`bytes`] has made.
pub(super) fn host(head: &[u8]) -> String {
    let lines = head.split(|b| *b == b'\n').skip(1);
    let mut fields = lines.filter_map(|line| line.split_at_checked(5));
    let host = fields.find(|(name, _)| name.eq_ignore_ascii_case(b"host:")).map_or(&b""[..], |(_, value)| value);
    printable(host.trim_ascii())
}
