//! What a certificate says, in texts that a log line or a header field can hold.
//!
//! Nothing here says whether a certificate is to be believed: who signed it, and whether it has expired, is decided in the
//! handshake.

mod text;

use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Alternative names that are kept of a certificate; further ones are left out.
pub const SANS_MAX: usize = 256;
/// Bytes of a text that is kept; what is cut off is marked with `...`.
pub const TEXT_BYTES_MAX: usize = 1024;
/// Bytes of a host name (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;
/// The object identifier of Ed25519 keys (RFC 8410 section 3).
const ED25519: &str = "1.3.101.112";

/// What a certificate says. Every text is printable: see [`Facts::read`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its subject as RFC 4514 writes it, the most specific part first: `CN=mail,O=Example`. Empty if it has none.
    pub subject: String,
    /// The DNS names that it is for, wildcards included, in lower case. The subject's common name is none of them
    /// (RFC 9525 section 2).
    pub names: Vec<String>,
    /// Every alternative name with its kind: `DNS:a.example`, `IP:192.0.2.1`, `URI:spiffe://a/b`, `email:a@example`.
    pub sans: Vec<String>,
    /// Its serial number in lower-case hexadecimal digits.
    pub serial: String,
    /// From when it is valid, in Unix seconds.
    pub not_before: i64,
    /// Until when it is valid, in Unix seconds.
    pub not_after: i64,
    /// Its key.
    pub key: KeyKind,
    /// The SHA-256 of the whole certificate.
    pub fingerprint: [u8; 32],
}

/// The kind of a key, and its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A point on a curve of so many bits.
    Ecdsa(u32),
    /// A modulus of so many bits.
    Rsa(u32),
    /// Ed25519.
    Ed25519,
    /// Any other.
    Other,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyKind::Ecdsa(bits) => write!(f, "ECDSA {bits}"),
            KeyKind::Rsa(bits) => write!(f, "RSA {bits}"),
            KeyKind::Ed25519 => f.write_str("Ed25519"),
            KeyKind::Other => f.write_str("other"),
        }
    }
}

/// Why something is no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It is no certificate in DER, or breaks off.
    Malformed,
    /// Something follows it.
    Trailing,
    /// Its alternative names can't be read, or it has two lists of them.
    AlternativeNames,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::Malformed => "is no certificate in DER",
            Flaw::Trailing => "has bytes behind its end",
            Flaw::AlternativeNames => "has alternative names that can't be read",
        })
    }
}

impl Facts {
    /// Reads a certificate (X.509 in DER), whoever sent it. Control characters are written as backslash and two
    /// hexadecimal digits for each byte, what is no UTF-8 as `#` and hexadecimal digits; at most [`SANS_MAX`] alternative
    /// names are kept, each text of at most [`TEXT_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// It is none, or not one alone.
    pub fn read(der: &[u8]) -> Result<Facts, Flaw> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| Flaw::Malformed)?;
        if !rest.is_empty() {
            return Err(Flaw::Trailing);
        }
        let alternative = certificate.subject_alternative_name().map_err(|_| Flaw::AlternativeNames)?;
        let general = alternative.as_ref().map_or(&[][..], |extension| &extension.value.general_names);
        Ok(Facts {
            subject: text::cut(text::distinguished(certificate.subject())),
            names: general.iter().filter_map(dns_name).take(SANS_MAX).collect(),
            sans: general.iter().take(SANS_MAX).map(|name| text::cut(alternative_name(name))).collect(),
            serial: text::cut(text::hex(certificate.raw_serial())),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            key: key_kind(certificate.public_key()),
            fingerprint: fingerprint(der),
        })
    }
}

/// Whether a certificate names the other one as its issuer; whether that one has signed it is not looked at. False if one
/// of them is none.
pub fn names_as_issuer(certificate: &[u8], issuer: &[u8]) -> bool {
    match (X509Certificate::from_der(certificate), X509Certificate::from_der(issuer)) {
        (Ok((_, one)), Ok((_, other))) => one.issuer().as_raw() == other.subject().as_raw(),
        _ => false,
    }
}

/// When the list after this revocation list (DER) is due, in Unix seconds; none if it does not say so, or is none.
pub fn next_update(list: &[u8]) -> Option<i64> {
    let (_, list) = CertificateRevocationList::from_der(list).ok()?;
    list.next_update().map(|due| due.timestamp())
}

/// The SHA-256 of some bytes.
pub fn fingerprint(bytes: &[u8]) -> [u8; 32] {
    let mut print = [0; 32];
    print.copy_from_slice(digest(&SHA256, bytes).as_ref());
    print
}

/// The name of a host, if that is what this is and it can be one.
fn dns_name(name: &GeneralName<'_>) -> Option<String> {
    let GeneralName::DNSName(name) = name else { return None };
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'*');
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(good);
    fits.then(|| name.to_ascii_lowercase())
}

fn alternative_name(name: &GeneralName<'_>) -> String {
    let of_kind = |kind: &str, value: &str| format!("{kind}:{}", text::listed(value));
    match name {
        GeneralName::DNSName(name) => of_kind("DNS", name),
        GeneralName::RFC822Name(address) => of_kind("email", address),
        GeneralName::URI(uri) => of_kind("URI", uri),
        GeneralName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(four), _) => format!("IP:{}", Ipv4Addr::from(four)),
            (_, Ok(sixteen)) => format!("IP:{}", Ipv6Addr::from(sixteen)),
            _ => format!("IP:#{}", text::hex(bytes)),
        },
        GeneralName::DirectoryName(name) => of_kind("dirName", &text::distinguished(name)),
        GeneralName::RegisteredID(oid) => format!("RID:{oid}"),
        GeneralName::OtherName(oid, value) => format!("otherName:{oid}#{}", text::hex(value)),
        GeneralName::X400Address(any) | GeneralName::EDIPartyName(any) => format!("other:#{}", text::hex(any.data)),
        GeneralName::Invalid(_, value) => format!("other:#{}", text::hex(value)),
    }
}

fn key_kind(key: &SubjectPublicKeyInfo<'_>) -> KeyKind {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => KeyKind::Rsa(bits(rsa.modulus)),
        // A point's coordinates are whole bytes; no curve but P-521 has bits that are none.
        Ok(PublicKey::EC(point)) => KeyKind::Ecdsa(if point.key_size() == 528 { 521 } else { point.key_size() as u32 }),
        _ if key.algorithm.algorithm.to_id_string() == ED25519 => KeyKind::Ed25519,
        _ => KeyKind::Other,
    }
}

/// Bits of a number, leading zeros left out.
fn bits(number: &[u8]) -> u32 {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = &number[zeros..];
    number.first().map_or(0, |first| number.len() as u32 * 8 - first.leading_zeros())
}

#[cfg(test)]
mod tests;
