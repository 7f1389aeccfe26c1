//! Text with references in braces, as in redirects, header values and bodies: parsed at load, filled in by the engine.

use std::fmt;

/// Text with references.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// What stands one behind the other; two literals never do.
    pub parts: Vec<TemplatePart>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// This text.
    Literal(String),
    /// What the request gives for this.
    Reference(Reference),
}

impl TemplatePart {
    /// The text, if it is one.
    pub fn as_literal(&self) -> Option<&str> {
        match self {
            TemplatePart::Literal(text) => Some(text),
            TemplatePart::Reference(_) => None,
        }
    }
}

/// What a template may refer to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// `{id}`: a segment of the path, percent-decoded.
    Capture(String),
    /// `{rest}`: what `/*` took, without a leading slash, percent-decoded.
    Rest,
    /// `{route.name}`.
    RouteName,
    /// `{request.NAME}`.
    Request(RequestValue),
}

/// What a template may say of the request itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestValue {
    /// Its method.
    Method,
    /// `http` or `https`, as the client used it.
    Scheme,
    /// Its host without a port.
    Host,
    /// Its path as sent.
    Path,
    /// Its query as sent, without the question mark; empty for none.
    Query,
    /// Its id.
    Id,
    /// The client's address.
    Client,
    /// The host that the client named in its TLS handshake; empty for none, as are the four below.
    ServerName,
    /// `TLSv1.2` or `TLSv1.3`.
    TlsVersion,
    /// The subject of the client's certificate (RFC 4514).
    ClientSubject,
    /// The alternative names of the client's certificate.
    ClientSans,
    /// The SHA-256 of the client's certificate, in hexadecimal digits.
    ClientFingerprint,
}

impl RequestValue {
    /// Every value under its name.
    pub const ALL: [(&'static str, RequestValue); 12] = [
        ("method", RequestValue::Method),
        ("scheme", RequestValue::Scheme),
        ("host", RequestValue::Host),
        ("path", RequestValue::Path),
        ("query", RequestValue::Query),
        ("id", RequestValue::Id),
        ("client", RequestValue::Client),
        ("server_name", RequestValue::ServerName),
        ("tls_version", RequestValue::TlsVersion),
        ("client_subject", RequestValue::ClientSubject),
        ("client_sans", RequestValue::ClientSans),
        ("client_fingerprint", RequestValue::ClientFingerprint),
    ];
}

impl Template {
    /// The template that is this text and refers to nothing.
    pub fn literal(text: &str) -> Template {
        let parts = if text.is_empty() { Vec::new() } else { vec![TemplatePart::Literal(text.to_owned())] };
        Template { parts }
    }

    /// The text, if it refers to nothing.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [TemplatePart::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

/// As the file writes it.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                TemplatePart::Literal(text) => f.write_str(text)?,
                TemplatePart::Reference(reference) => write!(f, "{{{reference}}}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Capture(name) => f.write_str(name),
            Reference::Rest => f.write_str("rest"),
            Reference::RouteName => f.write_str("route.name"),
            Reference::Request(value) => {
                let named = RequestValue::ALL.iter().find(|(_, known)| known == value);
                write!(f, "request.{}", named.map_or("", |(name, _)| name))
            }
        }
    }
}
