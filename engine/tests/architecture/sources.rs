//! Rust sources as text: their tokens without comments and literals, and the paths that they name.

use std::path::Path;

/// One file.
pub(crate) struct Source {
    /// Its path from the workspace's root, with `/`.
    pub(crate) path: String,
    pub(crate) lines: usize,
    pub(crate) tokens: Vec<String>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), lines: text.lines().count(), tokens: tokens(text) }
    }

    /// Every source of the workspace, those of tests, benches and fuzz targets included.
    pub(crate) fn all(root: &Path) -> Vec<Source> {
        let mut found = Vec::new();
        for folder in ["protocols", "config", "engine", "bench", "loadtest"] {
            walk(root, &root.join(folder), &mut found);
        }
        found
    }

    /// Whether it is part of a crate itself, not of its tests and benches.
    pub(crate) fn is_src(&self) -> bool {
        self.path.contains("/src/")
    }

    /// Every path that the file names and that begins with one of `roots`, `use` trees taken apart. `super` and `self`
    /// are resolved to `crate` as far as the file's place allows.
    pub(crate) fn paths(&self, roots: &[&str]) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        let mut inline: Vec<(String, usize)> = Vec::new();
        let mut depth = 0;
        let t = &self.tokens;
        for at in 0..t.len() {
            match t[at].as_str() {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    inline.retain(|(_, opened)| *opened <= depth);
                }
                "mod" if t.get(at + 2).is_some_and(|next| next == "{") => {
                    inline.push((t[at + 1].clone(), depth + 1));
                }
                word if at > 0 && t[at - 1] == "::" && word != "{" => {}
                word if t.get(at + 1).is_some_and(|next| next == "::") => {
                    let relative = matches!(word, "super" | "self" | "crate");
                    if !relative && !roots.contains(&word) {
                        continue;
                    }
                    let mut named = Vec::new();
                    tree(t, at, Vec::new(), &mut named);
                    let module = self.module().into_iter().chain(inline.iter().map(|(name, _)| name.clone()));
                    let module: Vec<String> = module.collect();
                    let named = named.into_iter().map(|path| resolved(path, &module));
                    found.extend(named.filter(|path| roots.contains(&path[0].as_str())));
                }
                _ => {}
            }
        }
        found
    }

    /// The module that the file is, from the root of its crate.
    fn module(&self) -> Vec<String> {
        let inside = self.path.split_once("/src/").map_or("", |(_, inside)| inside);
        let inside = inside.strip_suffix(".rs").unwrap_or(inside);
        let names = inside.split('/').filter(|name| !matches!(*name, "" | "lib" | "main" | "mod"));
        names.map(str::to_owned).collect()
    }
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            walk(root, &path, found);
        } else if name.ends_with(".rs") {
            let shown = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            found.push(Source::new(&shown, &std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Adds every path of the `use` tree that begins at `at`; returns where it ends.
fn tree(t: &[String], mut at: usize, mut path: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    loop {
        match t.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while t.get(at).is_some_and(|token| token != "}") {
                    at = tree(t, at, path.clone(), found);
                    while t.get(at).is_some_and(|token| token != "}" && token != ",") {
                        at += 1;
                    }
                    at += usize::from(t.get(at).is_some_and(|token| token == ","));
                }
                return at + 1;
            }
            Some(word) => path.push(word.to_owned()),
            None => {}
        }
        if t.get(at + 1).is_none_or(|next| next != "::") {
            found.push(path);
            return at + 1;
        }
        at += 2;
    }
}

fn resolved(path: Vec<String>, module: &[String]) -> Vec<String> {
    if !matches!(path[0].as_str(), "super" | "self") {
        return path;
    }
    let up = path.iter().filter(|segment| *segment == "super").count();
    let rest = path.into_iter().filter(|segment| !matches!(segment.as_str(), "super" | "self"));
    let kept = module.len().saturating_sub(up);
    std::iter::once("crate".to_owned()).chain(module[..kept].iter().cloned()).chain(rest).collect()
}

/// Words and marks. `::` is one token; comments, strings, characters and lifetimes are none.
fn tokens(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let first = bytes[at];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if let Some(len) = literal(rest) {
            at += len;
        } else if first.is_ascii_alphanumeric() || first == b'_' || !first.is_ascii() {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let len = rest.find(|c| !word(c)).unwrap_or(rest.len()).max(first.leading_ones().max(1) as usize);
            tokens.push(rest[..len].to_owned());
            at += len;
        } else {
            let len = if rest.starts_with("::") { 2 } else { 1 };
            if !first.is_ascii_whitespace() {
                tokens.push(rest[..len].to_owned());
            }
            at += len;
        }
    }
    tokens
}

/// The length of the literal or lifetime that `text` begins with.
fn literal(text: &str) -> Option<usize> {
    let plain = text.strip_prefix(['b', 'c']).unwrap_or(text);
    let prefix = text.len() - plain.len();
    if let Some(raw) = plain.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = &raw[hashes + 1..];
            return Some(prefix + 1 + hashes + 1 + body.find(&end)? + end.len());
        }
    }
    match plain.as_bytes().first()? {
        b'"' => quoted(plain, b'"').map(|len| prefix + len),
        // A lifetime has no second quote behind its first character.
        b'\'' if plain[1..].starts_with('\\') => quoted(plain, b'\'').map(|len| prefix + len),
        b'\'' => {
            let len = plain[1..].chars().next()?.len_utf8();
            Some(prefix + if plain[1 + len..].starts_with('\'') { len + 2 } else { 1 })
        }
        _ => None,
    }
}

fn quoted(text: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    let inside = text.bytes().enumerate().skip(1);
    for (at, byte) in inside {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[test]
fn comments_and_literals_are_no_tokens() {
    let text = r##"fn a<'x>(b: &'x str) { /* unsafe */ "unsafe \" {"; r#"dbg!("x")"#; b"}"; '{'; '\''; b'"'; c::d } // todo!"##;
    assert_eq!(tokens(text).join(" "), "fn a < x > ( b : & x str ) { ; ; ; ; ; ; c :: d }");
}

#[test]
fn use_trees_are_taken_apart() {
    let source = Source::new(
        "engine/src/proxy/h1/encode.rs",
        "use crate::{model::{A, b::C}, route};\nfn f() { crate::observe::json(1) }",
    );
    let paths: Vec<String> = source.paths(&["crate"]).iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["crate::model::A", "crate::model::b::C", "crate::route", "crate::observe::json"]);
}

#[test]
fn super_is_resolved_also_in_inline_modules() {
    let text =
        "use super::super::control::X; use super::y; mod tests { use super::*; use super::super::z; } use self::q::R;";
    let source = Source::new("engine/src/proxy/rate.rs", text);
    let paths: Vec<String> = source.paths(&["crate"]).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        paths,
        [
            "crate::control::X",
            "crate::proxy::y",
            "crate::proxy::rate::*",
            "crate::proxy::z",
            "crate::proxy::rate::q::R"
        ]
    );
}
