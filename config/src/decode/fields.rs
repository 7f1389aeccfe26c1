//! Names of header fields, and which of them the gateway keeps to itself.

use crate::decode::Wrong;
use crate::wording::shorten;

/// Bytes of the longest name.
const NAME_MAX: usize = 256;

/// Fields that frame a message or belong to one connection (RFC 9110 section 7.6.1), and those that the gateway sets
/// on every answer: an answer that is written in the file can't have them.
const OWN: [&str; 13] = [
    "connection",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
];
/// Fields whose values are credentials: no log may show one.
const SECRET: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// The name of a field, in lower case.
pub(crate) fn name(text: &str) -> Result<String, Wrong> {
    let shown = shorten(text);
    if text.starts_with(':') {
        let hint = "names with a `:` in front are HTTP/2's own; templates and `match` have the host and the path";
        return Err((format!("`{shown}` is no header field"), hint.to_owned()));
    }
    if !is_token(text) {
        let message = format!("`{shown}` can't be the name of a header field");
        return Err((message, "a name is letters, digits and ``!#$%&'*+-.^_`|~``".to_owned()));
    }
    if text.len() > NAME_MAX {
        let message = format!("`{shown}` is too long for the name of a header field");
        return Err((message, format!("a name has at most {NAME_MAX} characters")));
    }
    Ok(text.to_ascii_lowercase())
}

/// The name of a field that an answer written in the file may have.
pub(crate) fn of_answer(text: &str) -> Result<String, Wrong> {
    let name = name(text)?;
    if OWN.contains(&name.as_str()) {
        return Err((format!("`{name}` can't be set here"), "remove it: the gateway itself sees to it".to_owned()));
    }
    Ok(name)
}

/// The name of a field of a request that a log may show.
pub(crate) fn of_log(text: &str) -> Result<String, Wrong> {
    let name = name(text)?;
    if SECRET.contains(&name.as_str()) {
        let message = format!("`{name}` can't be logged: it holds credentials");
        return Err((message, "remove it: no log holds secrets".to_owned()));
    }
    Ok(name)
}
