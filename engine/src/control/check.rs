//! `ringgate check`: the loader itself, and nothing else.

use std::path::Path;

/// Checks a file. Returns what to print, and whether the file is good.
pub fn check(path: &Path) -> (String, bool) {
    match ringgate_config::load(path) {
        Ok(config) => {
            let warnings: String = config.warnings.iter().map(|warning| format!("{warning}\n")).collect();
            (format!("{warnings}{}: ok ({})\n", path.display(), config.summary()), true)
        }
        Err(diagnostics) => (format!("{diagnostics}"), false),
    }
}
