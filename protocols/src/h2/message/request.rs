//! Requests as a whole (RFC 9113 section 8.3.1, RFC 8441 section 4).

use super::{Head, Malformed};
use crate::h1::METHOD_BYTES_MAX;
use crate::hpack::Pseudo;
use crate::wire::{Method, Span, host, target, text};

impl Head {
    /// Decides what a complete request is; `extended_connect` if this end has offered it.
    pub(in crate::h2) fn end_request(&mut self, extended_connect: bool) -> Result<(), Malformed> {
        self.end_section();
        if !self.has(Pseudo::Method) {
            return Err(Malformed::PseudoMissing);
        }
        let method = self.method;
        let method_text = self.method_text.of(&self.bytes);
        if method_text.len() > METHOD_BYTES_MAX || !text::is_token(method_text) {
            return Err(Malformed::Method);
        }
        if let Some(protocol) = self.protocol {
            let is_token = text::is_token(protocol.of(&self.bytes));
            if method != Method::Connect || !extended_connect || !is_token {
                return Err(Malformed::Protocol);
            }
        } else if method == Method::Connect {
            return self.connect();
        }
        let scheme = self.scheme.ok_or(Malformed::PseudoMissing)?.of(&self.bytes);
        if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
            return Err(Malformed::Scheme);
        }
        self.path(method)?;
        self.authority()
    }

    fn path(&mut self, method: Method) -> Result<(), Malformed> {
        let path = self.section.path.ok_or(Malformed::PseudoMissing)?;
        // An absolute URI here would be read as a proxy's request by an HTTP/1.1 service.
        if !matches!(path.of(&self.bytes), [b'/', ..] | b"*") {
            return Err(Malformed::Path);
        }
        // With `:protocol`, the target is that of a request and not that of a tunnel.
        let method = if method == Method::Connect { Method::Get } else { method };
        self.target = target::parse(method, &self.bytes, path).map_err(Malformed::Target)?;
        self.target_text = path;
        Ok(())
    }

    /// `:authority` and `Host` must name one host, or one of them must.
    fn authority(&mut self) -> Result<(), Malformed> {
        let host = match (self.section.authority, self.section.host) {
            (None, None) => return Err(Malformed::HostMissing),
            (Some(span), None) | (None, Some(span)) => span,
            (Some(authority), Some(host)) if self.same(authority, host) => authority,
            (Some(_), Some(_)) => return Err(Malformed::HostDiffers),
        };
        self.host = Some(host::parse(&self.bytes, host).map_err(Malformed::Host)?);
        self.target.authority = Some(host);
        Ok(())
    }

    fn same(&self, one: Span, other: Span) -> bool {
        one.of(&self.bytes).eq_ignore_ascii_case(other.of(&self.bytes))
    }

    /// A plain CONNECT has a host and a port, and nothing else (RFC 9113 section 8.5).
    fn connect(&mut self) -> Result<(), Malformed> {
        if self.scheme.is_some() || self.section.path.is_some() {
            return Err(Malformed::Connect);
        }
        self.section.authority.ok_or(Malformed::HostMissing)?;
        self.authority()?;
        self.target_text = self.host.map_or(Span::default(), |host| host.text);
        self.target = target::parse(Method::Connect, &self.bytes, self.target_text).map_err(Malformed::Target)?;
        Ok(())
    }
}
