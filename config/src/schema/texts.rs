//! The grammars of single values as regular expressions, by the names that the tables give them. Where a grammar is more
//! than an expression can say, the expression takes more; a grammar that is not known here takes any text.

use super::numbers::above;
use super::value::Json;

/// What a value with a variable of the environment holds.
pub(super) const REFERENCE: &str = r"\$\{";

/// What YAML may make of a text that is not quoted.
const PLAIN: [&str; 4] = ["string", "integer", "number", "boolean"];

/// Kinds of text that have no pattern but say something.
const FILLED: [&str; 5] = ["regular expression", "secret", "path of a file", "path of a directory", "pattern of files"];

/// Four numbers of at most three digits; those that are too large are in [`OCTET`].
const IPV4: &str = r"[0-9]{1,3}(\.[0-9]{1,3}){3}";
/// An IPv4 address that holds a number above 255.
const OCTET: &str = r"^[0-9.]*(25[6-9]|2[6-9][0-9]|[3-9][0-9]{2})($|[.:/])";
/// The largest port.
const PORT_MAX: u64 = 65_535;

/// What a text of this kind may be.
pub(super) fn schema(kind: &str) -> Vec<(&'static str, Json)> {
    let types = match numeric(kind) {
        true => Json::List(PLAIN.map(Json::text).into()),
        false => Json::text("string"),
    };
    let mut schema = vec![("type", types)];
    schema.extend(pattern(kind).map(|pattern| ("pattern", Json::Text(format!("{pattern}|{REFERENCE}")))));
    if FILLED.contains(&kind) {
        schema.push(("minLength", Json::Number(1)));
    }
    schema.extend(refused(kind).map(|refused| ("not", refused)));
    schema
}

/// Whether a text of this kind may look like a number or `true` to YAML.
fn numeric(kind: &str) -> bool {
    !matches!(kind, "IP network" | "address" | "host" | "path")
}

/// The whole text, in an expression that a person can read: an editor shows it with its error. `None`: any text.
fn pattern(kind: &str) -> Option<String> {
    let pattern = match kind {
        "name" => "^[A-Za-z0-9_.-]{1,64}$".to_owned(),
        "address" => format!(r"^(unix:[^@]|({IPV4}|localhost|\[[0-9A-Fa-f:.%]+\]):[0-9]+$)"),
        "IP network" => format!("^({IPV4}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(/[0-9]+)?$"),
        "host" => {
            let label = "[A-Za-z0-9_-]{1,63}";
            format!(r"^((\*\.)?{label}(\.{label})*|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$")
        }
        "path" => {
            let segment = r"(\{[A-Za-z_][A-Za-z0-9_]{0,63}\}|([^/?#*{}%\\]|%[0-9A-Fa-f]{2})+)";
            format!(r"^(/{segment})*/(\*|{segment})?$")
        }
        "cipher suite" => "^[A-Za-z0-9_]+$".to_owned(),
        "method" | "header field" => "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$".to_owned(),
        _ => return None,
    };
    Some(pattern)
}

/// What the keys are of a map from what the tables call so.
pub(super) fn key(named: &str) -> (&'static str, Json) {
    match named {
        "CORE" => ("pattern", Json::text("^[0-9]+$")),
        _ => ("minLength", Json::Number(1)),
    }
}

/// What has the form of a text of this kind, but is none.
fn refused(kind: &str) -> Option<Json> {
    let number_above = |max| format!("0*({})$", above(max).join("|"));
    let pattern = match kind {
        "method" => {
            let refused = "TRACE CONNECT get head post put delete options patch".split(' ').map(Json::text);
            return Some(Json::object([("enum", Json::List(refused.collect()))]));
        }
        // Behind a variable it may be a default that is not taken.
        "pattern of files" => r"^[^$]*\*\*".to_owned(),
        "address" => format!("{OCTET}|^[^u$].*:{}", number_above(PORT_MAX)),
        "IP network" => format!("{OCTET}|^[0-9.]+/{}|/{}", number_above(32), number_above(128)),
        "host" => format!("{OCTET}|[^:]:{}", number_above(PORT_MAX)),
        _ => return None,
    };
    Some(Json::object([("type", Json::text("string")), ("pattern", Json::Text(pattern))]))
}
