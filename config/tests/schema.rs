//! The schema against another's validator: it takes what the loader takes, and refuses what a schema can refuse.
#![allow(clippy::unwrap_used)]

mod materials;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jsonschema::Validator;
use materials::Told;
use proptest::prelude::*;
use ringgate_config::{Disk, Files, Listed, Unchecked, parse_with, schema};
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&serde_json::from_str(&schema::json()).unwrap()).unwrap());

/// A text as an editor's YAML reads it: the core schema of YAML 1.2.2, section 10.3. `None`: not one document of YAML.
fn value(text: &str) -> Option<Value> {
    let mut open: Vec<Value> = Vec::new();
    let mut keys: Vec<Option<String>> = Vec::new();
    let mut documents = Vec::new();
    for event in Parser::new_from_str(text) {
        let done = match event.ok()?.0 {
            Event::Scalar(text, style, _, _) => scalar(&text, style == ScalarStyle::Plain),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() > 100 => return None,
            Event::SequenceStart(..) => {
                open.push(Value::Array(Vec::new()));
                keys.push(None);
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Value::Object(Map::new()));
                keys.push(None);
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                keys.pop();
                open.pop()?
            }
            _ => continue,
        };
        match open.last_mut() {
            None => documents.push(done),
            Some(Value::Array(items)) => items.push(done),
            Some(Value::Object(members)) => match keys.last_mut()?.take() {
                Some(key) => drop(members.insert(key, done)),
                None => *keys.last_mut()? = Some(done.as_str().map_or_else(|| done.to_string(), str::to_owned)),
            },
            Some(_) => return None,
        }
    }
    (documents.len() == 1).then(|| documents.remove(0))
}

fn scalar(text: &str, plain: bool) -> Value {
    let digits = text.trim_start_matches(['-', '+']);
    let decimal = digits.starts_with(|c: char| c.is_ascii_digit()) || digits.starts_with('.') && digits.len() > 1;
    match text {
        _ if !plain => Value::String(text.to_owned()),
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if digits.bytes().all(|b| b.is_ascii_digit()) && text.parse::<i64>().is_ok() => {
            Value::Number(text.parse::<i64>().unwrap().into())
        }
        _ if decimal => match text.parse::<f64>().ok().and_then(Number::from_f64) {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
        _ => Value::String(text.to_owned()),
    }
}

/// What the schema says against a text: for each error its place and its words.
fn errors(text: &str) -> Vec<String> {
    match value(text) {
        None => vec!["not YAML".to_owned()],
        Some(value) => {
            VALIDATOR.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect()
        }
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files
}

#[test]
fn the_schema_is_one() {
    let schema: Value = serde_json::from_str(&schema::json()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    // Every definition is used, and every reference leads to one.
    let text = schema.to_string();
    let definitions = schema["$defs"].as_object().unwrap();
    // But that of an included file, which is for whoever checks one.
    for name in definitions.keys().filter(|name| *name != "FILE") {
        assert!(text.contains(&format!("\"#/$defs/{name}\"")), "{name} is used nowhere");
    }
    for reference in text.split("\"#/$defs/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(definitions.contains_key(name), "{name} is defined nowhere");
    }
}

/// Every object's properties with the path of that object.
fn properties(schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                properties.iter().filter(|(_, property)| property.is_object()).for_each(|(key, p)| visit(key, p));
            }
            members.values().for_each(|value| properties(value, visit));
        }
        Value::Array(items) => items.iter().for_each(|value| properties(value, visit)),
        _ => {}
    }
}

#[test]
fn every_example_and_every_default_is_valid_under_its_own_key() {
    let schema: Value = serde_json::from_str(&schema::json()).unwrap();
    let mut seen = 0;
    properties(&schema, &mut |key, property| {
        let mut alone = property.clone();
        alone["$defs"] = schema["$defs"].clone();
        let validator = jsonschema::draft202012::new(&alone).unwrap();
        assert!(
            property["title"].as_str().unwrap().ends_with(key) && !property["description"].as_str().unwrap().is_empty()
        );
        let examples = property["examples"].as_array().unwrap();
        for value in examples.iter().chain(property.get("default")) {
            assert!(validator.is_valid(value), "{key}: {value}: {property}");
            seen += 1;
        }
    });
    assert!(seen >= 50, "{seen}");
}

#[test]
fn what_the_loader_takes_is_valid() {
    let mut good = files("../examples");
    assert!(good.len() >= 4);
    good.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/minimal-h1.yaml"));
    for path in good {
        let text =
            std::fs::read_to_string(&path).unwrap().replace("@HTTP@", "127.0.0.1:1").replace("@ORIGIN@", "[::1]:2");
        assert_eq!(errors(&text), [""; 0], "{}", path.display());
    }
}

/// What a schema can't say, by words of the loader's messages.
const BEYOND: [(&str, &[&str]); 8] = [
    ("that a name or an address is given once", &["given twice"]),
    ("that a name is defined elsewhere", &["there is no upstream", "no route uses"]),
    (
        "what a variable of the environment holds",
        &["environment", "${", "after its variables", "words`", "`9001", "empty text"],
    ),
    (
        "how two values go together",
        &[
            "is larger than `header_bytes`",
            "is only for `format: json`",
            " too",
            "contradicts",
            "leads back",
            "has no body",
            "`cores` does not name it",
            "`tls` is only for",
            "takes every host",
            "take every host",
            "secured already",
            "those of `trusted_proxies`",
            "is for HTTP",
            "has no meaning",
            "behind a Unix socket",
            "`preload` needs",
            "none of these suites",
        ],
    ),
    (
        "what files hold, and whether they are there",
        &["the file", "the secret", "no directory", "an included file", "content of a file", "what this system trusts"],
    ),
    ("what stands in included files", &["not valid YAML", "expected a map of keys"]),
    ("what a path gives to templates", &["stands for nothing here", "in a template", "is no value of the access log"]),
    (
        "the grammar of texts that the loader takes apart",
        &[
            "not for `admin`",
            "stands alone",
            "which no URL does",
            "this URL",
            "is not a host",
            "is more than a host",
            "nor an http URL",
            "begins with `//`",
            "names a directory",
            "line break",
            "can't be logged",
            "can't be set here",
            "can't come from the request",
            "can't refer to the request",
            "more than 32 header fields",
            "is not the number of a core",
            "no `authorization` field",
            "which clients don't name",
            "can't be a `server_name`",
            "is not the name of a cipher suite",
            "whole seconds",
        ],
    ),
];

/// Files whose broken YAML an editor's parser accepts: anchors, tags and doubled keys are gone when the schema looks.
const PARSED_AWAY: [&str; 3] = ["YAML aliases", "YAML anchors", "YAML tags"];

/// The files that lie beside the broken ones.
struct Beside;

impl Files for Beside {
    fn read(&self, path: &Path, max: u64) -> Result<Vec<u8>, String> {
        Disk.read(&broken().join(path), max)
    }

    fn is_directory(&self, path: &Path) -> bool {
        Disk.is_directory(&broken().join(path))
    }

    fn list(&self, directory: &Path) -> Result<Vec<Listed>, String> {
        Disk.list(&broken().join(directory))
    }
}

fn broken() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken")
}

#[test]
fn the_broken_files_that_pass_hold_nothing_that_a_schema_could_refuse() {
    let environment = |name: &str| match name {
        "PORT" => Some("9001".to_owned()),
        "EMPTY" => Some(String::new()),
        "WORDS" => Some("two words".to_owned()),
        "LONG" => Some("x".repeat(40_000)),
        "PEM" => Some("-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n".to_owned()),
        _ => None,
    };
    let words: Vec<&str> = BEYOND.iter().flat_map(|(_, words)| *words).chain(&PARSED_AWAY).copied().collect();
    let all = files("tests/broken");
    let (mut passed, mut wrong) = (0, Vec::new());
    for path in &all {
        let text = std::fs::read_to_string(path).unwrap();
        if !errors(&text).is_empty() {
            continue;
        }
        passed += 1;
        for error in &parse_with("t.yaml", &text, &environment, &Beside, &Told { system: false }).unwrap_err() {
            let beyond = words.iter().any(|word| error.message.contains(word));
            // In a value with a variable, any error is one that the variable brings.
            let variable = error.source.as_deref().is_some_and(|source| source.contains("${"));
            if !beyond && !variable {
                wrong.push(format!("{}: {error}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "the schema lets these pass:\n{}", wrong.join("\n"));
    let refused = all.len() - passed;
    assert!(refused * 10 >= all.len() * 7, "only {refused} of {} are refused", all.len());
}

/// Documents around one value, which stands where the `@` is.
const AROUND: [&str; 30] = [
    "runtime: { cores: @ }",
    "runtime: { ring_entries: @ }",
    "trusted_proxies: [@]",
    "limits: { header_bytes: @, target_bytes: 16 }",
    "limits: { body_bytes: @ }",
    "limits: { min_rate: @ }",
    "limits: { header_timeout: @ }",
    "shutdown: { deadline: @ }",
    "access_log: @",
    "upstreams: { u: { endpoints: [@] } }",
    "routes: [{ name: @, match: { }, forward: { upstream: u } }]",
    "routes: [{ name: r, match: { path: @ }, forward: { upstream: u } }]",
    "routes: [{ name: r, match: { hosts: [@] }, forward: { upstream: u } }]",
    "routes: [{ name: r, match: { methods: [@], headers: { x-a: @ }, query: { a: @ } }, forward: { upstream: u } }]",
    "routes: [{ name: r, match: { }, forward: { upstream: u, host: @ } }]",
    "routes: [{ name: r, match: { }, @ }]",
    "routes: [{ name: r, match: { path: \"/*\" }, redirect: { to: @ } }]",
    "routes: [{ name: r, match: { }, redirect: { https: @ } }]",
    "routes: [{ name: r, match: { }, redirect: { to: /a, status: @ } }]",
    "routes: [{ name: r, match: { }, respond: { @ } }]",
    "admin: { address: \"unix:/a\", token: @ }",
    "runtime: { per_core: { @: { ring_entries: 64 } } }",
    "listeners: [{ name: a, address: \"127.0.0.1:0\", tls: { certificates: [{ cert: a, key: b }], @ } }]",
    "listeners: [{ name: a, address: \"127.0.0.1:0\", tls: { certificates: [{ cert: @, key: b, hosts: [@] }] } }]",
    "listeners: [{ name: a, address: \"127.0.0.1:0\", tls: { certificates: [{ cert: a, key: b }], suites: [@] } }]",
    "listeners: [{ name: a, address: \"127.0.0.1:0\", @ }]",
    "listeners: [{ name: a, address: \"127.0.0.1:0\", passthrough: [{ hosts: [@], upstream: u }] }]",
    "upstreams: { u: { endpoints: [\"127.0.0.1:1\"], tls: { @ } } }",
    "upstreams: { u: { endpoints: [\"127.0.0.1:1\"], tls: { server_name: @ } } }",
    "limits: { handshakes: @ }",
];

/// Every file is there.
struct Everything;

impl Files for Everything {
    fn read(&self, _: &Path, _: u64) -> Result<Vec<u8>, String> {
        Ok(b"text\n".to_vec())
    }

    fn is_directory(&self, _: &Path) -> bool {
        true
    }
}

/// The document around a value.
fn document(around: &str, value: &str) -> String {
    let listeners =
        if around.starts_with("listeners") { "" } else { "listeners: [{ name: a, address: \"127.0.0.1:0\" }]" };
    let upstreams =
        if around.starts_with("upstreams") { "" } else { "upstreams: { u: { endpoints: [\"127.0.0.1:1\"] } }" };
    format!("{listeners}\n{upstreams}\n{}\n", around.replace('@', value))
}

/// Whatever the loader takes is valid; returns whether it took it.
fn holds(around: &str, value: &str) -> bool {
    let text = document(around, value);
    let taken = parse_with("t.yaml", &text, &|_| Some("1".to_owned()), &Everything, &Unchecked).is_ok();
    assert!(!taken || errors(&text).is_empty(), "{text}{:?}", errors(&text));
    taken
}

#[test]
fn values_that_are_written_in_other_ways_are_valid() {
    for (place, values) in [
        (0, "auto [0] [\"1\"] [\"${CORE}\"]"),
        (1, "64 \"64\" 32768 '0128'"),
        (2, "10.0.0.0/8 192.0.2.7 \"::/0\" \"fd00::/8\" \"::ffff:192.0.2.1\" 0.0.0.0/0"),
        (3, "256 256B 1KiB \"0256\" 256KiB 262144 0256 \"${SIZE}KiB\""),
        (4, "off false \"off\" 0 0B 1TiB 1024GiB \"${SIZE}\""),
        (5, "on true 'true' off {} {bytes:\u{a0}1,grace:\u{a0}1h}"),
        (6, "10ms 1h 60m 3600s 3600000ms 010ms"),
        (7, "0s 0h 24h 1440m"),
        (8, "on off true false \"off\" {}"),
        (
            9,
            "127.0.0.1:1 localhost:65535 \"[::1]:080\" \"[fe80::1%2]:80\" unix:a \"unix:a\u{a0}b:70000\" \"[::ffff:1.2.3.4]:5\"",
        ),
        (10, "a 1 1.5 true -1 0x10 \"${NAME}\" 1e3 .inf"),
        (11, "/ /* /a /a/ \"/{id}\" \"/{id}/*\" /caf%C3%A9 /caf\u{e9} /a.b/c;d=1 {\u{a0}regex:\u{a0}a|b\u{a0}}"),
        (12, "a A.b 127.0.0.1 \"*.a\" \"[::1]\" a_b.c-d"),
        (13, "GET M-SEARCH a1"),
        (14, "a:1 \"[::1]:443\" UPPER.case 127.0.0.1"),
        (
            15,
            "redirect:\u{a0}{https:\u{a0}on} respond:\u{a0}{} forward:\u{a0}{split:\u{a0}[{upstream:\u{a0}u,weight:\u{a0}7}]}",
        ),
        (16, "/ \"/{rest}?a={request.method}\" https://a.example/b"),
        (17, "on true \"on\""),
        (18, "301 \"308\" 307"),
        (
            19,
            "status:\u{a0}204 body:\u{a0}1 body:\u{a0}\"\" health:\u{a0}ready,status:\u{a0}299 headers:\u{a0}{a:\u{a0}2,b:\u{a0}true}",
        ),
        (20, "\"${X}\" 12345678"),
        (21, "0 \"3\" 1023"),
        (
            22,
            "min_version:\u{a0}1.2 min_version:\u{a0}\"1.3\" alpn:\u{a0}[http/1.1] tickets:\u{a0}off hsts:\u{a0}on hsts:\u{a0}{max_age:\u{a0}0s} client_auth:\u{a0}{ca:\u{a0}c,mode:\u{a0}optional} suites:\u{a0}[A]",
        ),
        (23, "a a_b \"*.a.example\""),
        (24, "TLS13_AES_128_GCM_SHA256 1 true \"${A}\""),
        (
            25,
            "tls:\u{a0}off proxy_protocol:\u{a0}{from:\u{a0}[192.0.2.7]} proxy_protocol:\u{a0}off tcp:\u{a0}{upstream:\u{a0}u} https_redirect:\u{a0}on https_redirect:\u{a0}{port:\u{a0}1,status:\u{a0}\"301\"} passthrough:\u{a0}[{upstream:\u{a0}u}]",
        ),
        (26, "a A.b \"*.a\""),
        (
            27,
            "verify:\u{a0}off ca:\u{a0}a certificate:\u{a0}{cert:\u{a0}a,key:\u{a0}b} min_version:\u{a0}1.3 resumption:\u{a0}off",
        ),
        (28, "a 127.0.0.1 \"[::1]\" a_b.c"),
        (29, "1 \"1\" 1000000"),
    ] {
        for value in values.split(' ') {
            assert!(holds(AROUND[place], &value.replace('\u{a0}', " ")), "{} is refused: {value}", AROUND[place]);
        }
    }
}

#[test]
fn values_one_past_a_limit_are_refused() {
    for (place, values) in [
        (0, "[] [1024] [\"1024\"] [-1] all"),
        (1, "32 100 \"65536\" 1e2x"),
        (2, "10.0.0.0/33 256.0.0.1 \"::/129\" 10.0.0 a"),
        (3, "255 255B \"255\" 0B 257KiB 1MiB 262145 99999999999 32KB 1.5KiB on"),
        (4, "1025GiB 1099511627777 1PiB yes on"),
        (6, "9ms 0s 2h 61m 3601s 3600001ms 5 \"5\" 1.5s 5sec"),
        (9, "127.0.0.1 127.0.0.1:65536 127.0.0.1:100000 256.0.0.1:1 \"unix:\" \"unix:@a\" http://a:1 8080 [] a:1"),
        (10, "\"\" \"a/b\" a\u{e9}"),
        (11, "users \"/a//b\" /a*b /a%2 \"/a{b}\" \"/{1}\" \"/a?b\" {regex:\u{a0}\"\"} {regx:\u{a0}a}"),
        (12, "\"[::1]:65536\" a..b \"*\" \"a b\""),
        (13, "get TRACE CONNECT \"G T\""),
        (
            15,
            "redirect:\u{a0}{https:\u{a0}on},respond:\u{a0}{} compose:\u{a0}{} forward:\u{a0}{} forward:\u{a0}{upstream:\u{a0}u,split:\u{a0}[]} timeout:\u{a0}1s",
        ),
        (17, "yes 1 On"),
        (18, "300 \"309\" on"),
        (19, "status:\u{a0}600 status:\u{a0}99 health:\u{a0}live body:\u{a0}a,file:\u{a0}b"),
        (20, "\"\" [a] {}"),
        (21, "a -1 1.5 \"\""),
        (
            22,
            "min_version:\u{a0}1.1 min_version:\u{a0}1 alpn:\u{a0}[h2] alpn:\u{a0}[] hsts:\u{a0}{max_age:\u{a0}87601h} client_auth:\u{a0}{} client_auth:\u{a0}{ca:\u{a0}c,mode:\u{a0}on} suites:\u{a0}[] ciphers:\u{a0}a",
        ),
        (24, "A-B \"\" [a]"),
        (
            25,
            "tls:\u{a0}on tls:\u{a0}{} proxy_protocol:\u{a0}{from:\u{a0}[]} proxy_protocol:\u{a0}v1 tcp:\u{a0}{} tcp:\u{a0}u https_redirect:\u{a0}{port:\u{a0}0} https_redirect:\u{a0}{status:\u{a0}303} passthrough:\u{a0}[] tcp:\u{a0}{upstream:\u{a0}u},https_redirect:\u{a0}on",
        ),
        (27, "verify:\u{a0}none ca:\u{a0}\"\" certificate:\u{a0}{cert:\u{a0}a} alpn:\u{a0}[http/1.0]"),
        (28, "\"*.\" a..b \"a b\" \"\""),
        (29, "0 1000001 off"),
    ] {
        for value in values.split(' ').map(|value| value.replace('\u{a0}', " ")) {
            assert!(!holds(AROUND[place], &value), "{}: {value}", AROUND[place]);
            let text = document(AROUND[place], &value);
            assert!(!errors(&text).is_empty(), "{text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_schema_never_refuses_what_the_loader_takes(
        around in prop::sample::select(AROUND.to_vec()),
        value in "[0-9]{1,7}(|B|KiB|MiB|ms|s|m|h)|[0-9.]{1,5}[0-9.:/]{4,12}|[-a-zA-Z0-9_./:*]{1,12}|/[-a-z0-9{}*/%.]{0,12}|[ -~\u{e9}]{0,8}",
        quoted in any::<bool>(),
    ) {
        let text = format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
        holds(around, if quoted { &text } else { &value });
    }
}
