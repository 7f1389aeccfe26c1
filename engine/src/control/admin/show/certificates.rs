//! The certificates that are in use, as JSON.

use super::super::answer::{Answer, list};
use super::super::status::Status;
use super::values::time;
use crate::secure::{CertificateStatus, Whose};
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The certificates of all listeners, then those that are shown to services.
pub(in crate::control::admin) fn certificates(status: &Status) -> Answer {
    let items = status.secured.certificates().into_iter().map(|certificate| shown(&certificate));
    list("{\"certificates\":[".to_owned(), items, "]}")
}

fn shown(certificate: &CertificateStatus) -> Value {
    let mut shown = match &certificate.whose {
        Whose::Listener(name) => json!({ "listener": name }),
        Whose::Upstream(name) => json!({ "upstream": name }),
    };
    shown["names"] = json!(certificate.names);
    shown["file"] = json!(certificate.file.display().to_string());
    shown["key"] = json!(certificate.key.to_string());
    shown["serial"] = json!(certificate.serial);
    shown["sha256"] = json!(hex(&certificate.fingerprint));
    shown["not_before"] = json!(time(unix(certificate.not_before)));
    shown["not_after"] = json!(time(unix(certificate.not_after)));
    shown["loaded_at"] = json!(time(certificate.loaded_at));
    shown
}

/// A time of a certificate; one before 1970 is shown as then.
fn unix(seconds: i64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))).unwrap_or(UNIX_EPOCH)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to memory can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
