//! The body of a ClientHello (RFC 8446 section 4.1.2; RFC 5246 section 7.4.1.2 is the same to this reader).

use super::{Flaw, Hello, MAJOR_VERSION};
use std::net::IpAddr;

/// Most protocols that a client may offer. Real ones offer two or three.
pub const ALPN_PROTOCOLS_MAX: usize = 64;

/// Bytes of the client's random.
const RANDOM_BYTES: usize = 32;

/// Longest session id, in bytes.
const SESSION_ID_BYTES_MAX: usize = 32;

/// Extension types (RFC 6066 section 3, RFC 7301 section 3.1).
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

/// The one type of name (RFC 6066 section 3).
const HOST_NAME: u8 = 0;

/// Longest name and longest label of one, in bytes (RFC 1035 section 2.3.4, as text without the root's dot).
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Reads the body of a hello.
pub(super) fn read(body: &[u8]) -> Result<Hello, Flaw> {
    let mut body = Bytes(body);
    let [major, _minor] = body.array()?;
    if major != MAJOR_VERSION {
        return Err(Flaw::HelloVersion);
    }
    body.take(RANDOM_BYTES)?;
    let session_id = body.block8()?;
    let cipher_suites = body.block16()?;
    let compression_methods = body.block8()?;
    let lengths_fit = session_id.len() <= SESSION_ID_BYTES_MAX
        && !cipher_suites.is_empty()
        && cipher_suites.len().is_multiple_of(2)
        && !compression_methods.is_empty();
    if !lengths_fit {
        return Err(Flaw::Length);
    }
    // Before TLS 1.3 a hello may end here.
    let extensions = if body.is_empty() { &[] } else { body.last_block16()? };
    self::extensions(Bytes(extensions))
}

fn extensions(mut extensions: Bytes<'_>) -> Result<Hello, Flaw> {
    let (mut server_names, mut protocols) = (None, None);
    while !extensions.is_empty() {
        let kind = u16::from_be_bytes(extensions.array()?);
        let content = extensions.block16()?;
        let place = match kind {
            SERVER_NAME => &mut server_names,
            ALPN => &mut protocols,
            _ => continue,
        };
        if place.replace(Bytes(content)).is_some() {
            return Err(Flaw::Repeated);
        }
    }
    Ok(Hello {
        server_name: server_names.map(server_name).transpose()?.flatten(),
        alpn: protocols.map(alpn).transpose()?.unwrap_or_default(),
    })
}

/// Takes one host name and nothing else, as OpenSSL does: another type of name was never defined, and one that is
/// unknown can't be read over.
fn server_name(mut content: Bytes<'_>) -> Result<Option<String>, Flaw> {
    let mut list = Bytes(content.last_block16()?);
    if list.array()? != [HOST_NAME] {
        return Err(Flaw::ServerNames);
    }
    let name = list.block16()?;
    if !list.is_empty() {
        return Err(Flaw::ServerNames);
    }
    let name = std::str::from_utf8(name).map_err(|_| Flaw::ServerName)?;
    if name.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    // A trailing dot is not allowed there, but it leaves no doubt about which name is meant.
    let name = name.strip_suffix('.').unwrap_or(name);
    if is_dns_name(name) { Ok(Some(name.to_ascii_lowercase())) } else { Err(Flaw::ServerName) }
}

/// Whether `name` is a name of labels of letters, digits, inner hyphens and underscores, and could not be taken for an
/// IPv4 address: the last label is no number, not even one like `0x1f`, which some readers take in addresses.
fn is_dns_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = match last.strip_prefix("0x").or_else(|| last.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label) && !is_number
}

fn is_label(label: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let hyphens_inside = !label.starts_with('-') && !label.ends_with('-');
    (1..=LABEL_BYTES_MAX).contains(&label.len()) && hyphens_inside && label.bytes().all(known)
}

fn alpn(mut content: Bytes<'_>) -> Result<Vec<Vec<u8>>, Flaw> {
    let mut list = Bytes(content.last_block16()?);
    let mut protocols = Vec::new();
    while !list.is_empty() {
        let protocol = list.block8()?;
        if protocol.is_empty() || protocols.len() == ALPN_PROTOCOLS_MAX {
            return Err(Flaw::Alpn);
        }
        protocols.push(protocol.to_vec());
    }
    if protocols.is_empty() { Err(Flaw::Alpn) } else { Ok(protocols) }
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Flaw> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Flaw::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Flaw::Length)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// What a length of one byte announces.
    fn block8(&mut self) -> Result<&'a [u8], Flaw> {
        let [len] = self.array()?;
        self.take(usize::from(len))
    }

    /// What a length of two bytes announces.
    fn block16(&mut self) -> Result<&'a [u8], Flaw> {
        let len = u16::from_be_bytes(self.array()?);
        self.take(usize::from(len))
    }

    /// The same, where nothing may follow.
    fn last_block16(&mut self) -> Result<&'a [u8], Flaw> {
        let block = self.block16()?;
        if self.is_empty() { Ok(block) } else { Err(Flaw::Length) }
    }
}
