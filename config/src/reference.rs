//! The key reference, written from the field tables.

/// `docs/configuration.md`.
pub fn markdown() -> String {
    crate::decode::TABLES
        .iter()
        .map(|table| table.path())
        .collect()
}
