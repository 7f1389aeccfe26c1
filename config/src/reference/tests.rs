use std::path::Path;

use super::*;
use crate::document::Config;
use crate::{Diagnostics, Limits, Unchecked};

/// A file that holds one map with the given keys in its place, everything else as short as can be.
fn around(path: &str, keys: &[(&str, &str)]) -> String {
    let with = |defaults: &[(&'static str, &'static str)]| {
        let kept = defaults.iter().filter(|(key, _)| keys.iter().all(|(given, _)| given != key));
        let pairs: Vec<String> = kept.chain(keys).map(|(key, value)| format!("{key}: {value}")).collect();
        pairs.join(", ")
    };
    let listener = r#"listeners: [{ name: a, address: "127.0.0.1:0" }]"#;
    let upstream =
        r#"upstreams: { users: { endpoints: ["127.0.0.1:1"] }, users-next: { endpoints: ["127.0.0.1:2"] } }"#;
    let name = ("name", "a");
    let endpoint = ("address", "\"127.0.0.1:1\"");
    let (matches, forward) = (("match", "{}"), ("forward", "{ upstream: users }"));
    match path {
        "" => {
            let listeners = ("listeners", "[{ name: a, address: \"127.0.0.1:0\" }]");
            let upstreams = ("upstreams", "{ users: { endpoints: [\"127.0.0.1:1\"] } }");
            format!("{{ {} }}", with(&[listeners, upstreams]))
        }
        // What the file holds is looked at in tests/include.rs; these keys are the main file's own.
        "FILE" => around("", keys),
        "runtime" | "shutdown" | "reload" | "limits" | "access_log" => {
            format!("{listener}\n{path}: {{ {} }}", with(&[]))
        }
        "admin" => format!("{listener}\nadmin: {{ {} }}", with(&[("address", "\"127.0.0.1:0\"")])),
        "SECRET" => around("admin", &[("token", &format!("{{ {} }}", with(&[])))]),
        "runtime.per_core.CORE" => format!("{listener}\nruntime: {{ per_core: {{ 0: {{ {} }} }} }}", with(&[])),
        "access_log.format" | "access_log.to" => {
            let key = path.strip_prefix("access_log.").unwrap();
            around("access_log", &[(key, &format!("{{ {} }}", with(&[])))])
        }
        "limits.min_rate" => format!("{listener}\nlimits: {{ min_rate: {{ {} }} }}", with(&[])),
        // Those of `trusted_proxies` may send the PROXY protocol's header.
        "listeners[]" => {
            let listener = with(&[name, ("address", "\"127.0.0.1:0\"")]);
            format!("trusted_proxies: [192.0.2.7]\n{upstream}\nlisteners: [{{ {listener} }}]")
        }
        "upstreams.NAME" => {
            format!("{listener}\nupstreams: {{ users: {{ {} }} }}", with(&[("endpoints", "[\"127.0.0.1:1\"]")]))
        }
        "listeners[].tls" => {
            let certificates = ("certificates", "[{ cert: a.pem, key: a.key }]");
            around("listeners[]", &[("tls", &format!("{{ {} }}", with(&[certificates])))])
        }
        "listeners[].tls.certificates[]" => {
            let files = with(&[("cert", "a.pem"), ("key", "a.key")]);
            around("listeners[].tls", &[("certificates", &format!("[{{ {files} }}]"))])
        }
        "listeners[].tls.client_auth" | "listeners[].tls.hsts" => {
            let (outer, key) = path.rsplit_once('.').unwrap();
            let needed = if key == "client_auth" { vec![("ca", "a.pem")] } else { Vec::new() };
            around(outer, &[(key, &format!("{{ {} }}", with(&needed)))])
        }
        "listeners[].proxy_protocol" | "listeners[].https_redirect" => {
            let (outer, key) = path.rsplit_once('.').unwrap();
            let needed = if key == "proxy_protocol" { vec![("from", "[192.0.2.7]")] } else { Vec::new() };
            around(outer, &[(key, &format!("{{ {} }}", with(&needed)))])
        }
        "listeners[].passthrough[]" | "listeners[].tcp" => {
            let entry = format!("{{ {} }}", with(&[("upstream", "users")]));
            let (key, value) = match path {
                "listeners[].tcp" => ("tcp", entry),
                _ => ("passthrough", format!("[{entry}]")),
            };
            around("listeners[]", &[(key, &value)])
        }
        "upstreams.NAME.tls" => around("upstreams.NAME", &[("tls", &format!("{{ {} }}", with(&[])))]),
        "upstreams.NAME.tls.certificate" => {
            let files = with(&[("cert", "a.pem"), ("key", "a.key")]);
            around("upstreams.NAME.tls", &[("certificate", &format!("{{ {files} }}"))])
        }
        "upstreams.NAME.endpoints[]" => {
            format!("{listener}\nupstreams: {{ users: {{ endpoints: [{{ {} }}] }} }}", with(&[endpoint]))
        }
        "routes[]" => {
            let action = ["redirect", "respond"].iter().any(|key| keys.iter().any(|(given, _)| given == key));
            let needed = if action { vec![name, matches] } else { vec![name, matches, forward] };
            format!("{listener}\n{upstream}\nroutes: [{{ {} }}]", with(&needed))
        }
        "routes[].redirect" => {
            let to = if keys.iter().any(|(key, value)| (*key, *value) == ("https", "on")) {
                None
            } else {
                Some(("to", "/a"))
            };
            let redirect = format!("{{ {} }}", with(to.as_slice()));
            around("routes[]", &[("match", "{ path: \"/old/*\" }"), ("redirect", &redirect)])
        }
        "routes[].respond" => around("routes[]", &[("respond", &format!("{{ {} }}", with(&[])))]),
        "routes[].forward.split[]" => {
            let share = with(&[("upstream", "users"), ("weight", "1")]);
            around("routes[].forward", &[("split", &format!("[{{ {share} }}]"))])
        }
        "routes[].match" => {
            format!(
                "{listener}\n{upstream}\nroutes: [{{ name: a, match: {{ {} }}, forward: {{ upstream: users }} }}]",
                with(&[])
            )
        }
        "routes[].match.path" => around("routes[].match", &[("path", &format!("{{ {} }}", with(&[])))]),
        "routes[].forward" => around(
            "routes[]",
            &[(
                "forward",
                &format!(
                    "{{ {} }}",
                    with(if keys.iter().any(|(key, _)| *key == "split") { &[] } else { &[("upstream", "users")] })
                ),
            )],
        ),
        other => panic!("say here how a file with `{other}` looks"),
    }
}

/// Every file is there and holds the same.
struct Secrets;

impl crate::Files for Secrets {
    fn read(&self, _: &Path, _: u64) -> Result<Vec<u8>, String> {
        Ok(b"secret\n".to_vec())
    }

    fn is_directory(&self, _: &Path) -> bool {
        true
    }
}

fn load(path: &str, key: &str, value: &str) -> Result<Config, Diagnostics> {
    read(&around(path, &[(key, value)]))
}

fn read(text: &str) -> Result<Config, Diagnostics> {
    crate::parse_with("example.yaml", text, &|_| None, &Secrets, &Unchecked)
}

#[test]
fn every_example_loads() {
    for table in TABLES {
        for row in table.rows() {
            if let Err(errors) = load(table.path(), row.key, row.example) {
                panic!("the example of `{}` in `{}`:\n{errors}", row.key, table.path());
            }
        }
    }
}

#[test]
fn every_default_in_the_tables_is_the_one_that_holds() {
    for table in TABLES {
        let without = read(&around(table.path(), &[]));
        for row in table.rows() {
            let Presence::Default(default) = row.presence else {
                continue;
            };
            if (table.path(), row.key) == ("runtime", "ring_entries") || (table.path(), row.key) == ("", "upstreams") {
                // The engine's default; and the frame needs an upstream.
                continue;
            }
            let with = load(table.path(), row.key, default);
            let strip = |config: &Result<Config, Diagnostics>| {
                let mut config = config.clone().unwrap();
                config.warnings.clear();
                config
            };
            // The positions of what stands behind the key differ: only the maps of plain values can be compared whole.
            if matches!(
                table.path(),
                "" | "FILE" | "runtime" | "shutdown" | "limits" | "limits.min_rate" | "access_log"
            ) {
                assert_eq!(strip(&with).limits, strip(&without).limits, "{}", row.key);
                assert_eq!(strip(&with).runtime, strip(&without).runtime, "{}", row.key);
                assert_eq!(strip(&with).shutdown, strip(&without).shutdown, "{}", row.key);
                assert_eq!(strip(&with).access_log, strip(&without).access_log, "{}", row.key);
                assert_eq!(strip(&with).trusted_proxies, strip(&without).trusted_proxies, "{}", row.key);
            } else if table.path().starts_with("listeners[]") || table.path().starts_with("upstreams.NAME.tls") {
                // Positions are told apart by nothing but themselves.
                let changes = crate::diff::documents(&strip(&with), &strip(&without));
                assert_eq!(changes, [], "{} in {}", row.key, table.path());
            } else {
                assert_eq!(strip(&with).upstreams, strip(&without).upstreams, "{}", row.key);
                let forward = |config: &Config| config.routes.iter().map(|r| r.action.clone()).collect::<Vec<_>>();
                assert_eq!(forward(&strip(&with)), forward(&strip(&without)), "{}", row.key);
            }
        }
    }
    assert_eq!(crate::parse("d.yaml", &around("", &[]), &|_| None).unwrap().limits, Limits::default());
}

#[test]
fn every_later_key_is_refused_as_such() {
    for table in TABLES {
        for later in table.later() {
            let errors = load(table.path(), later.key, "whatever").unwrap_err();
            let messages: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
            let expected = format!("{} is not part of this version yet", later.subject());
            assert_eq!(messages, [expected]);
        }
    }
}

#[test]
fn every_limit_says_what_exceeding_it_gives() {
    let page = markdown();
    for row in TABLES.iter().find(|table| table.path() == "limits").unwrap().rows() {
        assert!(row.exceeding.is_some(), "{}", row.key);
        assert!(page.contains(&format!("| `limits.{}` | ", row.key)), "{}", row.key);
    }
}

#[test]
fn no_cell_breaks_its_table() {
    for line in markdown().lines().filter(|line| line.starts_with('|')) {
        let columns = line.replace("\\|", "").matches('|').count() - 1;
        assert!(matches!(columns, 2 | 3 | 4 | 7), "{line}");
    }
}
