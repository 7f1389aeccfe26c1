//! A configuration with the files that it names.
#![no_main]

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use ringgate_config::{
    Action, CertificateFacts, Config, Diagnostic, Diagnostics, Files, Flaw, Listed, Listener, Materials, Part,
    PathPattern, Pem, Position, TlsVersion, Upstream, diff, format, parse_with, path_regex,
};

/// Answers for every file with the same text; each directory holds two files.
struct Same<'t>(&'t str);

impl Files for Same<'_> {
    fn read(&self, path: &Path, max: u64) -> Result<Vec<u8>, String> {
        match path.as_os_str().len() % 7 {
            6 => Err("can't be opened: it is not there".to_owned()),
            _ if self.0.len() as u64 > max => Err("is too large".to_owned()),
            _ => Ok(self.0.as_bytes().to_vec()),
        }
    }

    fn is_directory(&self, path: &Path) -> bool {
        path.as_os_str().len() % 5 != 4
    }

    fn list(&self, _: &Path) -> Result<Vec<Listed>, String> {
        Ok(["a.yaml", "b"].map(|name| Listed { name: OsString::from(name), directory: name == "b" }).into())
    }
}

/// Takes the words of a file for the names of a certificate; whether it is wrong depends on how long it is.
struct Words;

impl Words {
    fn flaw(bytes: &[u8]) -> Result<(), Flaw> {
        let flaw = || Flaw { message: "holds nothing".to_owned(), hint: "name another".to_owned() };
        if bytes.len() % 11 == 10 { Err(flaw()) } else { Ok(()) }
    }
}

impl Materials for Words {
    fn certificate(&self, chain: &[u8], key: &[u8]) -> Result<CertificateFacts, (Part, Flaw)> {
        Words::flaw(chain).map_err(|flaw| (if key.len() % 2 == 0 { Part::Chain } else { Part::Key }, flaw))?;
        let names = String::from_utf8_lossy(chain).split_ascii_whitespace().take(5).map(str::to_owned).collect();
        let warnings = if chain.len() % 3 == 2 { vec!["expires soon".to_owned()] } else { Vec::new() };
        Ok(CertificateFacts { names, key_kind: "ECDSA", warnings })
    }

    fn authorities(&self, pem: Option<&[u8]>) -> Result<(), Flaw> {
        Words::flaw(pem.unwrap_or_default())
    }

    fn revocations(&self, lists: &[u8]) -> Result<(), Flaw> {
        Words::flaw(lists)
    }

    fn suites(&self) -> Vec<(&'static str, TlsVersion)> {
        vec![("TLS13_A", TlsVersion::Tls13), ("TLS_ECDHE_RSA_WITH_A", TlsVersion::Tls12)]
    }
}

fn load(main: &str, others: &str) -> Result<Config, Diagnostics> {
    let env = |name: &str| name.len().is_multiple_of(2).then(|| format!("{name}:80"));
    parse_with("main.yaml", main, &env, &Same(others), &Words)
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (main, others) = text.split_once("\n%%%\n").unwrap_or((&text, ""));
    match load(main, others) {
        Err(errors) => {
            assert!(errors.iter().count() > 0);
            errors.iter().for_each(|error| inside(error, main, others));
        }
        Ok(config) => {
            config.warnings.iter().for_each(|warning| inside(warning, main, others));
            consistent(&config);
            formatted(&config, main, others);
        }
    }
});

/// A diagnostic points into its file, and nothing of the file gets through to a terminal.
fn inside(diagnostic: &Diagnostic, main: &str, others: &str) {
    let text = if diagnostic.file == "main.yaml" { main } else { others };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let line =
        text.split('\n').nth(diagnostic.line as usize - 1).unwrap_or_else(|| panic!("no such line: {diagnostic:?}"));
    let columns = line.chars().count() + 1;
    assert!((1..=columns).contains(&(diagnostic.column as usize)), "{diagnostic:?}");
    assert!(diagnostic.width >= 1 && !diagnostic.message.is_empty());
    let shown = diagnostic.to_string();
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    assert!(shown.lines().count() <= 5, "{shown}");
}

fn unique<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    let mut seen = HashSet::new();
    names.into_iter().all(|name| (1..=64).contains(&name.len()) && seen.insert(name))
}

/// What the engine relies on.
fn consistent(config: &Config) {
    assert!(!config.listeners.is_empty() && unique(config.listeners.iter().map(|l| l.name.as_str())));
    assert!(unique(config.upstreams.iter().map(|u| u.name.as_str())));
    assert!(unique(config.routes.iter().map(|r| r.name.as_str())));
    assert!(config.limits.target_bytes <= config.limits.header_bytes);
    for upstream in &config.upstreams {
        assert!(!upstream.endpoints.is_empty() && upstream.endpoints.iter().all(|e| (1..=1000).contains(&e.weight)));
    }
    for listener in &config.listeners {
        let tcp = listener.tcp.iter().map(|tcp| tcp.upstream);
        let mut upstreams = tcp.chain(listener.passthrough.iter().map(|entry| entry.upstream));
        assert!(upstreams.all(|index| index < config.upstreams.len()));
        assert!(listener.tls.iter().all(|tls| !tls.certificates.is_empty()));
        assert!(listener.passthrough.iter().filter(|entry| entry.hosts.is_empty()).count() <= 1);
        let streams = [listener.tcp.is_some(), !listener.passthrough.is_empty(), listener.https_redirect.is_some()];
        assert!(streams.into_iter().filter(|is| *is).count() <= 1);
    }
    for route in &config.routes {
        if let Some(PathPattern::Regex(source)) = &route.matches.path {
            path_regex(source).unwrap();
        }
        match &route.action {
            Action::Forward(forward) => {
                assert!(forward.to.iter().map(|share| share.weight).sum::<u32>() > 0);
                assert!(forward.to.iter().all(|share| share.upstream < config.upstreams.len() && share.weight <= 1000));
            }
            Action::Redirect(redirect) => assert!([301, 302, 303, 307, 308].contains(&redirect.status)),
            Action::Respond(respond) => assert!((200..600).contains(&respond.status)),
        }
    }
    assert_eq!(diff::documents(config, config), []);
}

/// The canonical form says the same, elsewhere.
fn formatted(config: &Config, main: &str, others: &str) {
    let Ok(text) = format::text("main.yaml", main) else {
        return;
    };
    let again = load(&text, others).unwrap_or_else(|errors| panic!("{errors}\n{main}\n---\n{text}"));
    assert_eq!(nowhere(again), nowhere(config.clone()), "{main}\n---\n{text}");
}

/// The configuration without the places in its file.
fn nowhere(mut config: Config) -> Config {
    config.warnings.clear();
    config.admin.iter_mut().for_each(|admin| admin.at = Position::START);
    for listener in &mut config.listeners {
        listener.at = Position::START;
        listener.tls.iter_mut().flat_map(|tls| &mut tls.certificates).for_each(|own| own.at = Position::START);
        of_listener(listener).for_each(|pem| pem.at = Position::START);
    }
    for upstream in &mut config.upstreams {
        upstream.at = Position::START;
        of_upstream(upstream).for_each(|pem| pem.at = Position::START);
    }
    config.routes.iter_mut().for_each(|route| route.at = Position::START);
    config
}

fn of_listener(listener: &mut Listener) -> impl Iterator<Item = &mut Pem> {
    listener.tls.iter_mut().flat_map(|tls| {
        let own = tls.certificates.iter_mut().flat_map(|own| [&mut own.cert, &mut own.key]);
        own.chain(tls.client_auth.iter_mut().flat_map(|auth| auth.crl.iter_mut().chain([&mut auth.ca])))
    })
}

fn of_upstream(upstream: &mut Upstream) -> impl Iterator<Item = &mut Pem> {
    upstream.tls.iter_mut().flat_map(|tls| {
        let own = tls.certificate.iter_mut().flat_map(|(cert, key)| [cert, key]);
        own.chain(tls.ca.iter_mut())
    })
}
