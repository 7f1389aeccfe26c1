//! Requests as an access log has recorded them: lines of our JSON, or of the combined format.

use serde_json::Value;

#[cfg(test)]
mod tests;

/// A request, as far as the log tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) method: String,
    pub(super) target: String,
    /// None if the log does not name it.
    pub(super) host: Option<String>,
    /// HTTP/1.0, in which a request may have no host.
    pub(super) old_version: bool,
    /// Header fields that the log tells of, names in lower case; `None`: the request had none.
    pub(super) headers: Vec<(String, Option<String>)>,
}

impl Recorded {
    /// The request that a line records.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn read(line: &[u8]) -> Result<Recorded, &'static str> {
        let recorded = match line.trim_ascii_start().first() {
            None => return Err("it is empty"),
            Some(b'{') => json(line)?,
            Some(_) => combined(line).ok_or("it is neither JSON nor the combined log format")?,
        };
        if recorded.method.is_empty() || recorded.target.is_empty() {
            return Err("it names no method or no target");
        }
        let texts = [&recorded.method, &recorded.target].into_iter().chain(&recorded.host);
        let values = recorded.headers.iter().filter_map(|(_, value)| value.as_ref());
        if texts
            .chain(recorded.headers.iter().map(|(name, _)| name))
            .chain(values)
            .any(|t| t.contains(char::is_control))
        {
            return Err("it holds control characters that no request has");
        }
        Ok(recorded)
    }

    /// The head that the client has sent, as far as is known.
    pub(super) fn write(&self, host: Option<&str>, out: &mut Vec<u8>) {
        out.clear();
        let host = self.host.as_deref().or(host);
        let version = if host.is_none() || self.old_version { "1.0" } else { "1.1" };
        for part in [&self.method, " ", &self.target, " HTTP/", version, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        let sent = self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)));
        for (name, value) in host.map(|host| ("host", host)).into_iter().chain(sent.filter(|(name, _)| *name != "host"))
        {
            for part in [name, ": ", value, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Whether the log tells of a header field, be it that it was not there.
    pub(super) fn tells(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }
}

fn json(line: &[u8]) -> Result<Recorded, &'static str> {
    let Ok(Value::Object(line)) = serde_json::from_slice(line) else { return Err("it is no JSON object") };
    let text = |key: &str| line.get(key).and_then(Value::as_str).map(str::to_owned);
    let headers = match line.get("headers") {
        Some(Value::Object(headers)) => {
            let of = |(name, value): (&String, &Value)| (name.to_ascii_lowercase(), value.as_str().map(str::to_owned));
            headers.iter().map(of).collect()
        }
        _ => Vec::new(),
    };
    Ok(Recorded {
        method: text("method").unwrap_or_default(),
        target: text("target").unwrap_or_default(),
        host: text("host").filter(|host| !host.is_empty()),
        old_version: line.get("protocol").and_then(Value::as_str) == Some("HTTP/1.0"),
        headers,
    })
}

/// `[VHOST ]CLIENT IDENT USER [TIME] "METHOD TARGET PROTOCOL" STATUS BYTES "REFERER" "USER-AGENT"`; what follows the status
/// may be missing (the common log format).
fn combined(line: &[u8]) -> Option<Recorded> {
    let line = std::str::from_utf8(line).ok()?;
    let (before, after) = line.split_once(" [")?;
    let words: Vec<&str> = before.split(' ').collect();
    let host = match words.as_slice() {
        [_, _, _] => None,
        [host, _, _, _] => Some((*host).to_owned()),
        _ => return None,
    };
    let (_, after) = after.split_once("] \"")?;
    let (request, after) = quoted(after)?;
    let mut parts = request.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let old_version = match (parts.next(), parts.next()) {
        (Some(protocol), None) => protocol == "HTTP/1.0",
        _ => return None,
    };
    let mut headers = Vec::new();
    let mut rest = after;
    for name in ["referer", "user-agent"] {
        let Some((_, text)) = rest.split_once(" \"") else { break };
        let (value, after) = quoted(text)?;
        headers.push((name.to_owned(), (value != "-").then_some(value)));
        rest = after;
    }
    Some(Recorded { method, target, host, old_version, headers })
}

/// What stands before the next plain quote, escapes resolved, and what follows the quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.as_bytes().get(at..)?;
        match rest {
            [b'"', ..] => return Some((String::from_utf8(bytes).ok()?, text.get(at + 1..)?)),
            [b'\\', b'x', high, low, ..] => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                at += 4;
            }
            [b'\\', escaped @ (b'"' | b'\\'), ..] => {
                bytes.push(*escaped);
                at += 2;
            }
            [byte, ..] => {
                bytes.push(*byte);
                at += 1;
            }
            [] => return None,
        }
    }
}
