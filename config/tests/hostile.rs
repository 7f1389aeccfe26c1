//! No input panics, hangs or points outside the file: random bytes, random YAML, good files with damage.
#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use proptest::prelude::*;
use ringgate_config::{Action, Diagnostic, parse};

/// Everything that loads or is refused elsewhere in these tests: what mutations start from.
static SEEDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let mut seeds = Vec::new();
    for folder in ["tests/broken", "tests/contract", "../examples"] {
        let entries = std::fs::read_dir(format!("{root}{folder}")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        seeds.extend(
            paths.filter(|p| p.extension().is_some_and(|e| e == "yaml")).map(|p| std::fs::read_to_string(p).unwrap()),
        );
    }
    seeds.sort();
    seeds
});

/// The lines of a text as YAML counts them.
fn lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n").replace('\r', "\n").split('\n').map(str::to_owned).collect()
}

/// Loads the text and checks whatever comes of it.
fn check(text: &str) {
    let lines = lines(text);
    let inside = |d: &Diagnostic| {
        let line = lines.get(d.line as usize - 1).unwrap_or_else(|| panic!("no line {} in {text:?}: {d:?}", d.line));
        let columns = line.chars().count() as u32 + 1;
        assert!((1..=columns).contains(&d.column), "no column {} in {line:?}: {d:?}", d.column);
        // As it is, but for secrets that are written out.
        let source = d.source.as_deref().unwrap();
        let hidden = |(shown, c): (char, char)| shown == c || shown == '*';
        let same = || source.chars().count() == line.chars().count() && source.chars().zip(line.chars()).all(hidden);
        assert!(source == line || same(), "{d:?}");
        assert!(d.width >= 1 && !d.message.is_empty());
        let shown = d.to_string();
        assert!(shown.starts_with(&format!("f.yaml:{}:{}: ", d.line, d.column)));
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(shown.lines().count() <= 5, "{shown}");
    };
    let in_order = |found: &[Diagnostic]| assert!(found.is_sorted_by_key(|d| (d.line, d.column)));
    let env = |name: &str| name.len().is_multiple_of(2).then(|| format!("{name}:80"));
    match parse("f.yaml", text, &env) {
        Ok(config) => {
            config.warnings.iter().for_each(inside);
            in_order(&config.warnings);
            assert!(!config.listeners.is_empty());
            assert!(config.limits.target_bytes <= config.limits.header_bytes);
            assert!(config.upstreams.iter().all(|upstream| !upstream.endpoints.is_empty()));
            assert!(config.routes.iter().all(|route| match &route.action {
                Action::Forward(forward) => forward.to.iter().all(|share| share.upstream < config.upstreams.len()),
                Action::Redirect(_) | Action::Respond(_) => true,
            }));
        }
        Err(errors) => {
            assert!(errors.iter().count() > 0);
            errors.iter().for_each(inside);
            in_order(&errors.iter().cloned().collect::<Vec<_>>());
        }
    }
}

#[test]
fn every_beginning_of_every_file() {
    for seed in SEEDS.iter() {
        for end in (0..=seed.len()).filter(|&end| end < 1000 && seed.is_char_boundary(end)) {
            check(&seed[..end]);
        }
    }
}

#[test]
fn deep_and_wide_files_are_bounded() {
    for text in [
        "[".repeat(1 << 20),
        "{a: ".repeat(1 << 18),
        "- ".repeat(1 << 19),
        "? ".repeat(1 << 18),
        "a:\n ".repeat(1 << 10),
        format!("listeners: [{}]", "x, ".repeat(300_000)),
        "- a\n".repeat(2_100_000),
        format!("listeners: \"{}\"", "x".repeat(1 << 20)),
        format!("{}: 1", "x".repeat(1 << 20)),
        (0..100_000).map(|i| format!("limit{i}: 1\n")).collect::<String>(),
        "a: 1\n".repeat(200_000),
        format!(
            "routes: [{}]",
            (0..20_000).map(|i| format!("{{ forward: {{ upstream: u{i} }} }}, ")).collect::<String>()
        ),
    ] {
        let began = std::time::Instant::now();
        check(&text);
        assert!(began.elapsed().as_secs() < 20, "{} took {:?}", &text[..20], began.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn random_bytes_as_text(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    /// The signs that mean something to YAML or to a value.
    #[test]
    fn random_signs(text in "[-:{}\\[\\],?#&*!|>'\"%@` \n\r\tab0/$.~=<]{0,80}") {
        check(&text);
    }

    #[test]
    fn values_of_every_kind_under_every_key(
        key in prop::sample::select(vec![
            "cores", "deadline", "trusted_proxies", "header_bytes", "min_rate", "listeners", "address", "upstreams",
            "endpoints", "weight", "routes", "match", "hosts", "path", "methods", "headers", "query", "regex", "forward",
            "upstream", "timeout", "host", "access_log", "name", "include", "runtime", "per_core", "admin", "token", "file",
            "state_dir", "delay", "reload", "drain", "redirect", "to", "https", "status", "respond", "body", "health",
            "split", "format", "template", "tls", "certificates", "cert", "key", "client_auth", "ca", "crl", "mode", "suites",
            "alpn", "hsts", "max_age", "proxy_protocol", "from", "passthrough", "tcp", "https_redirect", "server_name", "verify",
        ]),
        value in "[-+a-zA-Z0-9/{}\\[\\]:.,*%$()|\\\\ \u{e9}]{0,40}",
    ) {
        let quoted = format!("\"{}\"", value.replace('\\', "\\\\"));
        for value in [&value, &quoted, &format!("[{quoted}]"), &format!("{{ {quoted}: {quoted} }}")] {
            check(&format!("{key}: {value}\n"));
            check(&format!("listeners: [{{ name: a, {key}: {value} }}]\nlimits: {{ {key}: {value} }}\n"));
            check(&format!("listeners: [{{ tls: {{ {key}: {value}, certificates: [{{ {key}: {value}, cert: {value} }}], client_auth: {{ {key}: {value} }}, hsts: {{ {key}: {value} }} }}, passthrough: [{{ {key}: {value} }}], proxy_protocol: {{ {key}: {value} }}, tcp: {{ {key}: {value} }} }}]\n"));
            check(&format!("upstreams: {{ a: {{ tls: {{ {key}: {value}, certificate: {{ {key}: {value} }} }}, endpoints: [\"unix:a\"] }} }}\n"));
            check(&format!("routes: [{{ {key}: {value}, match: {{ {key}: {value}, path: {{ {key}: {value} }} }}, forward: {{ {key}: {value} }} }}]\n"));
            check(&format!("routes: [{{ match: {{ path: \"/{{a}}/*\" }}, redirect: {{ {key}: {value}, to: {value} }}, respond: {{ body: {value}, {key}: {value}, headers: {{ {key}: {value} }} }} }}]\n"));
            check(&format!("access_log: {{ {key}: {value}, format: {{ template: {value} }}, to: {{ {key}: {value} }} }}\nadmin: {{ {key}: {value}, token: {value} }}\n"));
            check(&format!("upstreams: {{ a: {{ {key}: {value}, endpoints: [{value}, {{ {key}: {value} }}] }} }}\n"));
        }
    }

    #[test]
    fn good_files_with_damage(
        seed in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0usize..6, "[-:{}\\[\\],#&*!|>'\"%@ \n\ta0/$\u{e9}]"), 1..6),
    ) {
        let mut text: Vec<char> = seed.get(&SEEDS).chars().collect();
        for (place, kind, sign) in damage {
            if text.is_empty() {
                break;
            }
            let at = place.index(text.len());
            let sign = sign.chars().next().unwrap();
            match kind {
                0 => text[at] = sign,
                1 => text.insert(at, sign),
                2 => drop(text.remove(at)),
                3 => text.truncate(at),
                4 => text.rotate_left(at),
                _ => text = text[..at].iter().chain(&text).copied().collect(),
            }
        }
        check(&text.into_iter().collect::<String>());
    }
}
