//! What the README says of a file of one's own is what the loader says.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use ringgate_config::parse;

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap()
}

/// The first indented block behind these words, without its indent.
fn block(text: &str, after: &str) -> String {
    let (_, rest) = text.split_once(after).unwrap_or_else(|| panic!("the README does not say `{after}`"));
    let lines = rest.lines().skip_while(|line| !line.starts_with("    "));
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    let block: String = lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect();
    format!("{}\n", block.trim_end())
}

#[test]
fn its_file_loads() {
    let (readme, name) = (readme(), "my.yaml");
    let config = parse(name, &block(&readme, "`my.yaml`:"), &|_| None).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.warnings, []);
    assert!(readme.contains(&format!("{name}: ok ({})", config.summary())), "{}", config.summary());
}

#[test]
fn its_errors_are_those_of_the_file_that_it_describes() {
    let readme = readme();
    let good = block(&readme, "`my.yaml`:");
    let wrong =
        good.replace("upstream: users, timeout: 2s", "upstream: user, timeout: 2").replace("methods:", "method:");
    let errors = parse("my.yaml", &wrong, &|_| None).unwrap_err().to_string();
    assert_eq!(errors.trim_end(), block(&readme, "Write `upstream: user, timeout: 2`").trim_end());
}
