//! Request targets (RFC 9112 section 3.2).

#[cfg(test)]
mod tests;

use super::{
    Method, Span,
    host::{self, HostError},
    text::percent_decoded,
};

/// Which of the four forms a target has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetForm {
    /// `/path?query` (RFC 9112 section 3.2.1)
    Origin,
    /// `http://host/path?query` (RFC 9112 section 3.2.2)
    Absolute,
    /// `*`, for OPTIONS only (RFC 9112 section 3.2.4)
    Asterisk,
    /// `host:port`, for CONNECT only (RFC 9112 section 3.2.3)
    Authority,
}

/// A request target, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// Which form it has.
    pub form: TargetForm,
    /// `http` or `https` as written, in absolute form only.
    pub scheme: Option<Span>,
    /// `host[:port]` in absolute and authority form; valid by [`host::parse`].
    pub authority: Option<Span>,
    /// The path. Empty in authority form, and in absolute form where none is written (it means `/`, or `*` for
    /// OPTIONS without a query).
    pub path: Span,
    /// What follows the first `?`, without it; may be empty.
    pub query: Option<Span>,
}

impl Default for Target {
    fn default() -> Self {
        Self { form: TargetForm::Origin, scheme: None, authority: None, path: Span::default(), query: None }
    }
}

/// Why a target was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetError {
    /// There is no target.
    Empty,
    /// A control character, a space, DEL, or a byte above 0x7e.
    Byte,
    /// `#`: fragments are never sent (RFC 9110 section 7.1).
    Fragment,
    /// `%` without two hexadecimal digits behind it, in the path.
    PercentEncoding,
    /// `%00` in the path: what follows it is lost on many a service.
    PercentNul,
    /// Neither `/...`, nor `*`, nor an absolute URI.
    Form,
    /// A scheme other than `http` and `https`.
    Scheme,
    /// `*` with a method other than OPTIONS.
    Asterisk,
    /// CONNECT with anything but `host:port`.
    Connect,
    /// The authority of an absolute URI, or of CONNECT, is not valid.
    Authority(HostError),
}

impl TargetError {
    /// What was found and what was expected, fit for the client.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Empty => "the request target is missing",
            Self::Byte => "the request target has a control character, a space or a non-ASCII byte; percent-encode it",
            Self::Fragment => "the request target has a '#'; fragments are not sent to servers",
            Self::PercentEncoding => "the path has a '%' that is not followed by two hexadecimal digits",
            Self::PercentNul => "the path has a percent-encoded NUL",
            Self::Form => "the request target is neither a path that begins with '/' nor an absolute http or https URI",
            Self::Scheme => "the request target has a scheme other than http and https",
            Self::Asterisk => "the request target '*' is for OPTIONS only",
            Self::Connect => "CONNECT needs a target of the form host:port",
            Self::Authority(error) => error.message(),
        }
    }
}

/// Takes a request target apart (RFC 9112 section 3.2).
///
/// Allowed are visible ASCII characters except `#`. Of those, RFC 3986 would have `" < > \ ^ ` { | }` percent-encoded;
/// clients send them as they are, and they mean the same to everyone inside a path or query, so they pass (a
/// backslash in a path counts as ambiguous, see [`super::path::ambiguous`]). A `%` in the path must begin a
/// percent-encoding other than `%00`; in the query, which belongs to the service, a bare `%` passes. Userinfo and
/// schemes other than `http` and `https` are refused. Allocates nothing.
pub fn parse(method: Method, bytes: &[u8], at: Span) -> Result<Target, TargetError> {
    let text = at.of(bytes);
    if method == Method::Connect {
        return authority_form(bytes, at);
    }
    match text {
        [] => Err(TargetError::Empty),
        [b'/', ..] => {
            let (path, query) = path_and_query(bytes, at)?;
            Ok(Target { path, query, ..Target::default() })
        }
        b"*" if method == Method::Options => Ok(Target { form: TargetForm::Asterisk, path: at, ..Target::default() }),
        b"*" => Err(TargetError::Asterisk),
        _ => absolute_form(bytes, at),
    }
}

fn authority_form(bytes: &[u8], at: Span) -> Result<Target, TargetError> {
    match at.of(bytes) {
        [] => return Err(TargetError::Empty),
        [b'/', ..] | b"*" => return Err(TargetError::Connect),
        _ => {}
    }
    let host = host::parse(bytes, at).map_err(TargetError::Authority)?;
    if host.port.is_none() {
        return Err(TargetError::Authority(HostError::NoPort));
    }
    Ok(Target {
        form: TargetForm::Authority,
        authority: Some(at),
        path: Span { start: at.end, ..at },
        ..Target::default()
    })
}

fn absolute_form(bytes: &[u8], at: Span) -> Result<Target, TargetError> {
    let text = at.of(bytes);
    let scheme_len = text
        .iter()
        .position(|&byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')))
        .unwrap_or(text.len());
    let (scheme, rest) = text.split_at(scheme_len);
    let Some(rest) = rest.strip_prefix(b"://") else {
        return Err(match rest.first() {
            Some(0x21..=0x7e) | None => TargetError::Form,
            Some(_) => TargetError::Byte,
        });
    };
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return Err(TargetError::Scheme);
    }
    let authority_len = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let start = at.start as usize;
    let authority_start = start + scheme_len + 3;
    let authority = Span::new(authority_start, authority_start + authority_len);
    host::parse(bytes, authority).map_err(TargetError::Authority)?;
    let (path, query) = path_and_query(bytes, Span { start: authority.end, ..at })?;
    Ok(Target {
        form: TargetForm::Absolute,
        scheme: Some(Span::new(start, start + scheme_len)),
        authority: Some(authority),
        path,
        query,
    })
}

/// What a byte means inside a path or query.
const REFUSED: u8 = 0;
const PLAIN: u8 = 1;
const QUESTION: u8 = 2;
const PERCENT: u8 = 3;
const CLASSES: [u8; 256] = {
    let mut table = [REFUSED; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        table[byte] = PLAIN;
        byte += 1;
    }
    table[b'#' as usize] = REFUSED;
    table[b'?' as usize] = QUESTION;
    table[b'%' as usize] = PERCENT;
    table
};

/// Splits at the first `?`, and looks at every byte.
fn path_and_query(bytes: &[u8], at: Span) -> Result<(Span, Option<Span>), TargetError> {
    let text = at.of(bytes);
    let mut question = None;
    for (index, &byte) in text.iter().enumerate() {
        match CLASSES[byte as usize] {
            PLAIN => {}
            QUESTION => {
                question.get_or_insert(index);
            }
            PERCENT if question.is_some() => {}
            PERCENT => match text.get(index..).and_then(percent_decoded) {
                None => return Err(TargetError::PercentEncoding),
                Some(0) => return Err(TargetError::PercentNul),
                Some(_) => {}
            },
            _ if byte == b'#' => return Err(TargetError::Fragment),
            _ => return Err(TargetError::Byte),
        }
    }
    let start = at.start as usize;
    Ok(match question {
        None => (at, None),
        Some(index) => (Span::new(start, start + index), Some(Span { start: at.start + index as u32 + 1, ..at })),
    })
}
