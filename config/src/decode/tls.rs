//! What both ends of TLS have in common: files in PEM, hosts that clients name, versions, suites, protocols on top.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::decode::{Once, Wrong, host, parsed, secret};
use crate::form::Form;
use crate::node::{Node, Span, Value};
use crate::pattern::HostPattern;
use crate::reader::{Reader, first_of};
use crate::secure::{CertificateFacts, Flaw, Part, Pem, TlsVersion};
use crate::suggest::nearest;
use crate::wording::{describe, either, shorten};

/// Bytes of the largest file of certificates, of a key or of revocations.
pub(crate) const PEM_BYTES_MAX: u64 = 1 << 20;
/// Bytes of the longest name of a file (NAME_MAX, limits.h): what is longer is no path but the content itself.
const FILE_NAME_MAX: usize = 255;
/// Characters of the shortest text that is taken for a key in base64: half of the smallest there is.
const ENCODED_MIN: usize = 48;

const LIMITS: &str = "at most 1MiB";
pub(crate) const CERTIFICATES_FILE: Form = Form::Text { kind: "path of a file", limits: LIMITS };
pub(crate) const KEY_FILE: Form = Form::Text { kind: "path of a file", limits: LIMITS };
pub(crate) const MIN_VERSION: Form = Form::Choice(&["1.2", "1.3"]);
pub(crate) const SUITES: Form = Form::List {
    of: &Form::Text { kind: "cipher suite", limits: "one of those that there are, which an error lists" },
    min: 1,
};
pub(crate) const ALPN: Form = Form::List { of: &Form::Choice(&["http/1.1"]), min: 1 };
/// A host that clients name when they connect.
pub(crate) const SERVER_NAME: Form =
    Form::Text { kind: "host", limits: "a host name; `*.` in front of a name stands for one label" };

/// A file and where it is named.
pub(crate) type Placed = (Pem, Span);

/// The file of this path. What may be the content itself, and so a key, is in no message.
pub(crate) fn file(reader: &mut Reader<'_>, node: &Node, model: &str) -> Option<Placed> {
    if let Value::List(_) | Value::Map(_) = &node.value {
        secret::hide(reader, node, true);
        let message = format!("expected the path of a file, found {}", describe(node));
        reader.error(first_of(node), message, format!("write the path alone: `{model}`"));
        return None;
    }
    let text = reader.filled(node, "the path of a file")?;
    if is_content(&text.value) {
        secret::hide(reader, node, true);
        let hint = format!("write it to a file, and the path of that here: `{model}`");
        reader.error(text.span, "this is the content of a file, where its path belongs", hint);
        return None;
    }
    let path = reader.path(node, "the path of a file")?;
    let bytes = reader.read(node.span, &path, PEM_BYTES_MAX)?;
    Some((Pem { path, bytes }, node.span))
}

fn is_content(text: &str) -> bool {
    text.contains(secret::PEM)
        || text.contains(['\n', '\r'])
        || text.split('/').any(|name| name.len() > FILE_NAME_MAX)
        || is_encoded(text)
}

/// Whether a text is what stands between the lines of PEM: paths of files as long as that have a dot somewhere.
fn is_encoded(text: &str) -> bool {
    let encoded = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    // What is encoded begins with a sequence of ASN.1, whose first six bits are `M`.
    let begins = text.starts_with('M') || text.contains('+') || text.ends_with('=');
    text.len() >= ENCODED_MIN && begins && !text.starts_with('/') && text.bytes().all(encoded)
}

/// Reports what is wrong with a file.
pub(crate) fn flawed(reader: &mut Reader<'_>, (pem, span): &Placed, flaw: Flaw) {
    reader.error(*span, format!("the file `{}` {}", shown(&pem.path), flaw.message), flaw.hint);
}

pub(crate) fn shown(path: &Path) -> String {
    shorten(&path.display().to_string())
}

/// What a certificate says that goes with this key; `None` if they don't go together, which is reported.
pub(crate) fn pair(reader: &mut Reader<'_>, cert: &Placed, key: &Placed) -> Option<CertificateFacts> {
    match reader.materials().certificate(&cert.0.bytes, &key.0.bytes) {
        Ok(facts) => {
            for warning in &facts.warnings {
                let message = format!("the certificate in `{}` {warning}", shown(&cert.0.path));
                reader.warning(cert.1, message, "put another one into the file: it is read again when it changes");
            }
            Some(facts)
        }
        Err((part, flaw)) => {
            flawed(reader, if part == Part::Chain { cert } else { key }, flaw);
            None
        }
    }
}

/// The file of those who may have signed certificates.
pub(crate) fn authorities(reader: &mut Reader<'_>, node: &Node) -> Option<Pem> {
    let placed = file(reader, node, "ca: certs/ca.pem")?;
    if let Err(flaw) = reader.materials().authorities(Some(&placed.0.bytes)) {
        flawed(reader, &placed, flaw);
        return None;
    }
    Some(placed.0)
}

/// A list of hosts that clients name; `instead` says what to do about one that none can.
pub(crate) fn server_names(
    reader: &mut Reader<'_>,
    node: &Node,
    form: &Form,
    instead: &str,
) -> Option<Vec<(HostPattern, Span)>> {
    let items = reader.list(node, form, "hosts", "api.example.com")?;
    let mut names = Vec::with_capacity(items.len());
    for item in items {
        let name = parsed(reader, item, "a host such as `api.example.com`", |text| server_name(text, instead));
        names.extend(name.map(|name| (name, item.span)));
    }
    Some(names)
}

fn server_name(text: &str, instead: &str) -> Result<HostPattern, Wrong> {
    if text == "*" {
        return Err(("`*` is not a host".to_owned(), instead.to_owned()));
    }
    match host::parse(text)? {
        // RFC 6066 section 3.
        HostPattern::Exact(host) if host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() => {
            Err((format!("`{}` is an IP address, which clients don't name", shorten(&host)), instead.to_owned()))
        }
        host => Ok(host),
    }
}

/// The oldest version that is spoken.
pub(crate) fn min_version(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Option<TlsVersion> {
    reader.choice(node, form, &[]).map(|word| if word == "1.3" { TlsVersion::Tls13 } else { TlsVersion::Tls12 })
}

/// Cipher suites, and where their list stands.
pub(crate) type Suites = (Vec<String>, Span);

/// The suites that are known among those of a list.
pub(crate) fn suites(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Option<Suites> {
    let items = reader.list(node, form, "cipher suites", "TLS13_AES_256_GCM_SHA384")?;
    let known: Vec<&str> = reader.materials().suites().into_iter().map(|(name, _)| name).collect();
    let mut once = Once::new("the cipher suite");
    let mut suites = Vec::new();
    for item in items {
        let suite = parsed(reader, item, "the name of a cipher suite", |text| suite(text, &known));
        suites.extend(suite.filter(|suite| once.check(reader, suite, item.span)));
    }
    Some((suites, first_of(node)))
}

fn suite(text: &str, known: &[&str]) -> Result<String, Wrong> {
    let named = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if named && (known.is_empty() || known.contains(&text)) {
        return Ok(text.to_owned());
    }
    let message = format!("`{}` is not the name of a cipher suite", shorten(text));
    let meant =
        known.iter().copied().find(|name| openssl(name) == text).or_else(|| nearest(text, known.iter().copied()));
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if text.contains(':') => "write a list, one name for each suite: `[NAME, NAME]`".to_owned(),
        None if known.is_empty() => "a name is `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`, for example".to_owned(),
        None => format!("there are {}", either(known)),
    };
    Err((message, hint))
}

/// A suite of TLS 1.2 as OpenSSL calls it.
fn openssl(name: &str) -> String {
    let name = name.strip_prefix("TLS_").unwrap_or(name).replace("_WITH_", "_").replace("AES_", "AES");
    name.strip_suffix("POLY1305_SHA256").map_or(name.clone(), |head| format!("{head}POLY1305")).replace('_', "-")
}

/// Reports a version that none of the suites is for: an error at the oldest allowed one, a warning above it.
pub(crate) fn agree(reader: &mut Reader<'_>, min_version: TlsVersion, suites: &Suites) {
    let (names, span) = suites;
    let known = reader.materials().suites();
    let version = |suite: &String| known.iter().find(|(name, _)| name == suite).map(|(_, version)| *version);
    let versions: Option<Vec<TlsVersion>> = names.iter().map(version).collect();
    let Some(versions) = versions.filter(|versions| !versions.is_empty()) else {
        return;
    };
    if min_version == TlsVersion::Tls13 && !versions.contains(&TlsVersion::Tls13) {
        let message = "`min_version` is 1.3, and none of these suites is for TLS 1.3";
        reader.error(*span, message, "add one whose name begins with `TLS13_`, or lower `min_version`");
    } else if min_version == TlsVersion::Tls12 && !versions.contains(&TlsVersion::Tls12) {
        let message = "none of these suites is for TLS 1.2, which `min_version` allows";
        reader.warning(*span, message, "write `min_version: 1.3`, or add a suite for TLS 1.2");
    }
}

/// Protocols on top.
pub(crate) fn alpn(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Option<Vec<String>> {
    let Form::List { of, .. } = form else {
        return None;
    };
    let items = reader.list(node, form, "protocols", "http/1.1")?;
    let mut once = Once::new("the protocol");
    let mut protocols = Vec::new();
    for item in items {
        if let Some(word) = reader.choice(item, of, &[("h2", "HTTP/2")])
            && once.check(reader, word, item.span)
        {
            protocols.push(word.to_owned());
        }
    }
    Some(protocols)
}

/// What is offered where the file doesn't say.
pub(crate) fn default_alpn() -> Vec<String> {
    vec!["http/1.1".to_owned()]
}
