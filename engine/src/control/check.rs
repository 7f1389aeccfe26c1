//! `ringgate check`: the loader itself, and nothing else.

use std::path::Path;

/// What came of a check.
pub struct Checked {
    /// What is probably not meant, or everything that is wrong: for standard error.
    pub findings: String,
    /// That the file is good, and what it holds; none if it is not good.
    pub summary: Option<String>,
}

/// Checks a file.
pub fn check(path: &Path) -> Checked {
    match ringgate_config::load(path, &crate::secure::Inspector) {
        Ok(config) => Checked {
            findings: config.warnings.iter().map(|warning| format!("{warning}\n")).collect(),
            summary: Some(format!("{}: ok ({})\n", path.display(), config.summary())),
        },
        Err(diagnostics) => Checked { findings: format!("{diagnostics}\n"), summary: None },
    }
}
