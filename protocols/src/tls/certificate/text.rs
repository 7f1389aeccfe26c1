//! Names of certificates as printable text: whoever made a certificate has chosen them, and may try to end a line, or a
//! value in a list.

use super::TEXT_BYTES_MAX;
use std::fmt::Write;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// What stands at the end of a text that was cut.
const CUT: &str = "...";

/// A distinguished name as RFC 4514 writes it: the last part first, special characters escaped.
pub(super) fn distinguished(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for part in parts.into_iter().rev() {
        let mut between = ",";
        for attribute in part.iter() {
            if !text.is_empty() {
                text.push_str(between);
            }
            between = "+";
            attribute_value(&mut text, attribute);
        }
        // The rest would be cut off.
        if text.len() > TEXT_BYTES_MAX {
            break;
        }
    }
    text
}

fn attribute_value(text: &mut String, attribute: &AttributeTypeAndValue<'_>) {
    match oid2abbrev(attribute.attr_type(), oid_registry()) {
        Ok(short) => text.push_str(short),
        Err(_) => text.push_str(&attribute.attr_type().to_id_string()),
    }
    text.push('=');
    let Ok(value) = attribute.as_str() else {
        text.push('#');
        return text.push_str(&hex(attribute.as_slice()));
    };
    let last = value.chars().count().saturating_sub(1);
    for (at, character) in value.chars().enumerate() {
        let special = match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => true,
            '#' => at == 0,
            ' ' => at == 0 || at == last,
            _ => false,
        };
        put(text, character, special);
    }
}

/// A value that may stand between commas and quotes.
pub(super) fn listed(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    value.chars().for_each(|character| put(&mut text, character, matches!(character, '"' | ',' | '\\')));
    text
}

fn put(text: &mut String, character: char, special: bool) {
    if !shows(character) {
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to memory can't fail, here and below.
            let _ = write!(text, "\\{byte:02X}");
        }
        return;
    }
    if special {
        text.push('\\');
    }
    text.push(character);
}

/// Whether a character is seen, and changes neither the line nor the order in which others are.
fn shows(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Lower-case hexadecimal digits, of so many bytes as a text may have room for.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len().min(TEXT_BYTES_MAX));
    for byte in bytes.iter().take(TEXT_BYTES_MAX) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A text of at most [`TEXT_BYTES_MAX`] bytes.
pub(super) fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let mut end = TEXT_BYTES_MAX - CUT.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(CUT);
    }
    text
}
