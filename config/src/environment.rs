//! `${NAME}` and `${NAME:-default}` in values. `$${` stands for the two characters `${`; any other `$` for itself.

#[cfg(test)]
mod tests;

/// Bytes of the longest value after expansion.
pub(crate) const EXPANDED_MAX: usize = 64 * 1024;

/// Why a value can't be expanded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unexpandable {
    /// No `}` follows the `${`.
    Unclosed,
    /// What stands in the braces is not the name of a variable.
    Name(String),
    /// No such variable, and no default.
    Unset(String),
    /// The result is longer than [`EXPANDED_MAX`].
    TooLong,
}

/// The value with every reference replaced; `None` if it holds none. What comes out of a variable is not looked at
/// again.
pub(crate) fn expand(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, Unexpandable> {
    if !text.contains("${") {
        return Ok(None);
    }
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            expanded.push_str(&rest[..at - 1]);
            expanded.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        expanded.push_str(&rest[..at]);
        let (reference, behind) = rest[at + 2..].split_once('}').ok_or(Unexpandable::Unclosed)?;
        expanded.push_str(&value_of(reference, env)?);
        if expanded.len() > EXPANDED_MAX {
            return Err(Unexpandable::TooLong);
        }
        rest = behind;
    }
    expanded.push_str(rest);
    if expanded.len() > EXPANDED_MAX { Err(Unexpandable::TooLong) } else { Ok(Some(expanded)) }
}

/// As in a shell, `:-` also stands in for a variable that is set to nothing.
fn value_of(reference: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, Unexpandable> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let nested = default.is_some_and(|default| default.contains("${"));
    if !first || nested || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Unexpandable::Name(reference.to_owned()));
    }
    match (env(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(Unexpandable::Unset(name.to_owned())),
    }
}
