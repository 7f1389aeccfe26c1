//! The files of `docs/from-nginx.md` load, each of them.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use ringgate_config::{Files, Unchecked, parse_with};

/// The files and directories that the page names are there.
struct Everything;

impl Files for Everything {
    fn read(&self, _: &Path, _: u64) -> Result<Vec<u8>, String> {
        Ok(b"text\n".to_vec())
    }

    fn is_directory(&self, _: &Path) -> bool {
        true
    }
}

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/from-nginx.md")).unwrap()
}

/// The fenced blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    parts.map(|part| part.split_once("```").unwrap().0).collect()
}

#[test]
fn every_file_loads_without_a_warning() {
    let page = page();
    let files = blocks(&page, "yaml");
    assert!(files.len() >= 10, "{}", files.len());
    for file in files {
        let config = parse_with("from-nginx.md", file, &|_| None, &Everything, &Unchecked);
        let config = config.unwrap_or_else(|errors| panic!("{errors}\n{file}"));
        assert_eq!(config.warnings, [], "{file}");
    }
}

#[test]
fn each_section_has_both_sides() {
    let page = page();
    let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    assert!(sections.len() >= 10);
    for (at, section) in sections.iter().enumerate() {
        assert!(section.starts_with(&format!("{}. ", at + 1)), "{section}");
        assert_eq!((blocks(section, "nginx").len(), blocks(section, "yaml").len()), (1, 1), "{section}");
    }
}
