//! Files that include others: which are read, in which order, and where what is wrong with them is said to be.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ringgate_config::{Address, Config, Diagnostics, EndpointAddress, Files, Listed, Unchecked, load, parse_with};

/// Files by their paths, held in memory.
struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Memory {
    fn new(files: &[(&str, &str)]) -> Memory {
        Memory(files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect())
    }
}

impl Files for Memory {
    fn read(&self, path: &Path, max: u64) -> Result<Vec<u8>, String> {
        let bytes = self.0.get(path).ok_or("can't be opened: no such file")?;
        if bytes.len() as u64 > max { Err("is too large".to_owned()) } else { Ok(bytes.clone()) }
    }

    fn is_directory(&self, _: &Path) -> bool {
        true
    }

    fn list(&self, directory: &Path) -> Result<Vec<Listed>, String> {
        let mut listed: Vec<Listed> = Vec::new();
        // From the last to the first: nobody may rely on an order.
        for path in self.0.keys().rev() {
            let mut parts = match path.strip_prefix(directory) {
                Ok(below) => below.components(),
                Err(_) => continue,
            };
            let Some(name) = parts.next() else { continue };
            let entry = Listed { name: name.as_os_str().to_owned(), directory: parts.next().is_some() };
            if !listed.contains(&entry) {
                listed.push(entry);
            }
        }
        Ok(listed)
    }
}

const LISTENERS: &str = "listeners: [{ name: a, address: \"127.0.0.1:0\" }]\n";

fn read(include: &str, files: &[(&str, &str)]) -> Result<Config, Diagnostics> {
    let text = format!("include: {include}\n{LISTENERS}");
    parse_with("/etc/gw/main.yaml", &text, &|_| None, &Memory::new(files), &Unchecked)
}

fn file(name: &str) -> String {
    format!(
        "upstreams: {{ {name}: {{ endpoints: [\"unix:{name}.sock\"] }} }}\n\
         routes: [{{ name: {name}, match: {{ path: /{name} }}, forward: {{ upstream: {name} }} }}]\n"
    )
}

fn names(config: &Config) -> Vec<&str> {
    config.routes.iter().map(|route| route.name.as_str()).collect()
}

#[test]
fn patterns_name_files_in_sorted_order_each_once() {
    let (a, b, c, d) = (file("a"), file("b"), file("c"), file("d"));
    let files = [
        ("/etc/gw/main.yaml", "not read again"),
        ("/etc/gw/routes/b.yaml", b.as_str()),
        ("/etc/gw/routes/a.yaml", a.as_str()),
        ("/etc/gw/routes/a.yaml~", "not read"),
        ("/etc/gw/routes/.hidden.yaml", "not read"),
        ("/etc/gw/routes/folder.yaml/x", "not read"),
        ("/etc/gw/teams/one/r.yaml", c.as_str()),
        ("/etc/gw/teams/two/r.yaml", d.as_str()),
    ];
    let sorted = read("[\"routes/*.yaml\"]", &files).unwrap();
    assert_eq!(names(&sorted), ["a", "b"]);
    let read_files = ["/etc/gw/main.yaml", "/etc/gw/routes/a.yaml", "/etc/gw/routes/b.yaml"];
    assert_eq!(sorted.files, read_files.map(PathBuf::from));
    assert_eq!(sorted.warnings, []);
    assert_eq!(names(&read("[routes/b.yaml, \"routes/*.yaml\", ./routes/a.yaml]", &files).unwrap()), ["b", "a"]);
    assert_eq!(names(&read("[\"teams/*/r.yaml\", \"/etc/gw/routes/?.yaml\"]", &files).unwrap()), ["c", "d", "a", "b"]);
    assert_eq!(names(&read("[\"*.yaml\", routes/a.yaml]", &files).unwrap()), ["a"], "never the main file");
}

#[test]
fn what_an_included_file_says_knows_its_file_and_its_directory() {
    let config = read("[routes/a.yaml]", &[("/etc/gw/routes/a.yaml", &file("a"))]).unwrap();
    assert_eq!(config.upstreams[0].endpoints[0].address, EndpointAddress::Unix("/etc/gw/routes/a.sock".into()));
    let place = |at: ringgate_config::Position| (config.files[at.file as usize].to_str().unwrap(), at.line);
    assert_eq!(place(config.routes[0].at), ("/etc/gw/routes/a.yaml", 2));
    assert_eq!(place(config.upstreams[0].at), ("/etc/gw/routes/a.yaml", 1));
    assert_eq!(place(config.listeners[0].at), ("/etc/gw/main.yaml", 2));
    assert!(matches!(config.listeners[0].address, Address::Tcp(_)));
}

#[test]
fn files_share_their_upstreams() {
    let a = "routes: [{ name: r, match: {}, forward: { upstream: b } }]";
    let config = read("[a.yaml, b.yaml]", &[("/etc/gw/a.yaml", a), ("/etc/gw/b.yaml", &file("b"))]).unwrap();
    assert_eq!(names(&config), ["r", "b"]);
}

#[test]
fn a_pattern_that_matches_nothing_is_a_warning_and_a_missing_file_an_error() {
    let warnings = read("[\"none/*.yaml\"]", &[]).unwrap().warnings;
    let start = "/etc/gw/main.yaml:1:11: warning: no file matches `none/*.yaml`\n";
    assert!(warnings.iter().any(|warning| warning.to_string().starts_with(start)), "{warnings:?}");
    let errors = read("[none/a.yaml]", &[]).unwrap_err().to_string();
    assert!(errors.starts_with("/etc/gw/main.yaml:1:11: the file `/etc/gw/none/a.yaml` can't be opened"), "{errors}");
    let empty = read("[a.yaml]", &[("/etc/gw/a.yaml", "# nothing yet\n")]).unwrap().warnings;
    assert!(empty.iter().any(|warning| warning.message.contains("`/etc/gw/a.yaml` holds nothing")), "{empty:?}");
}

#[test]
fn files_are_bounded_in_number_and_in_size() {
    let many = |n: usize| -> Vec<(String, String)> {
        (0..n).map(|i| (format!("/etc/gw/r/{i:04}.yaml"), "upstreams: {}\n".to_owned())).collect()
    };
    let with = |files: &[(String, String)]| {
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        read("[\"r/*.yaml\"]", &files)
    };
    assert_eq!(with(&many(1000)).unwrap().files.len(), 1001);
    assert!(with(&many(1001)).unwrap_err().to_string().contains("more than 1000 files are included"));
    let large = |bytes: usize| format!("{}\n", "#23456789\n".repeat(bytes / 10));
    let half = 8 << 20;
    let two = [("/a.yaml".to_owned(), large(half - 100)), ("/b.yaml".to_owned(), large(half - 100))];
    let two: Vec<(String, String)> = two.into_iter().map(|(path, text)| (format!("/etc/gw/r{path}"), text)).collect();
    assert!(with(&two).is_ok());
    let more = [two[0].clone(), (two[1].0.clone(), large(half + 100))];
    assert!(with(&more).unwrap_err().to_string().contains("the files together are larger than 16MiB"));
}

/// The real file system, with a directory of its own.
#[test]
fn files_on_the_disk() {
    let directory = std::env::temp_dir().join(format!("ringgate-include-{}", std::process::id()));
    std::fs::create_dir_all(directory.join("parts")).unwrap();
    std::fs::write(directory.join("parts/b.yaml"), file("b")).unwrap();
    std::fs::write(directory.join("parts/a.yaml"), file("a")).unwrap();
    std::fs::write(directory.join("main.yaml"), format!("include: [\"p?rts/*.yaml\"]\n{LISTENERS}")).unwrap();
    let config = load(&directory.join("main.yaml"), &Unchecked);
    std::fs::write(directory.join("parts/a.yaml"), b"upstreams: {}\n# caf\xe9\n").unwrap();
    let broken = load(&directory.join("main.yaml"), &Unchecked);
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(names(&config.unwrap()), ["a", "b"]);
    let broken = broken.unwrap_err().to_string();
    assert!(broken.contains("parts/a.yaml:2:6: the file is not UTF-8 from here on"), "{broken}");
}
