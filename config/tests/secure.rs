//! What the file says of TLS, the PROXY protocol, passthrough and plain TCP: its defaults, what is given, its limits, and
//! what is allowed but hardly meant.
#![allow(clippy::unwrap_used)]

mod materials;

use std::path::Path;
use std::time::Duration;

use materials::Told;
use ringgate_config::diff;
use ringgate_config::{
    ClientAuthMode, Config, Diagnostics, Files, HostPattern, Hsts, HttpsRedirect, Listener, ListenerTls, ProxyVersion,
    TlsVersion, Upstream, UpstreamTls, parse_with,
};

/// Files whose names say what they hold: `NAMES.KIND.pem`, the names with `+` between them, `_` for `*`.
struct Named;

impl Files for Named {
    fn read(&self, path: &Path, max: u64) -> Result<Vec<u8>, String> {
        let name = path.file_stem().unwrap().to_str().unwrap();
        match name.split_once('@') {
            Some((_, size)) if size.parse::<u64>().unwrap() > max => Err("is larger than may be".to_owned()),
            Some((_, size)) => Ok(vec![b' '; size.parse().unwrap()]),
            None => {
                let (names, kind) = name.split_once('=').unwrap_or((name, ""));
                let names = names.replace('+', " ").replace('_', "*");
                Ok(format!(
                    "names {names}\nkind {kind}\n{}",
                    if names.contains("old") { "warning expires soon\n" } else { "" }
                )
                .into_bytes())
            }
        }
    }

    fn is_directory(&self, _: &Path) -> bool {
        true
    }
}

const REST: &str = "upstreams: { u: { endpoints: [\"127.0.0.1:1\"] } }\n\
                    routes: [{ name: r, match: {}, forward: { upstream: u } }]\n";

fn load(text: &str) -> Result<Config, Diagnostics> {
    parse_with("t.yaml", text, &|_| None, &Named, &Told { system: true })
}

fn listener_or(keys: &str) -> Result<Listener, Diagnostics> {
    let text = format!(
        "trusted_proxies: [10.0.0.0/8]\nlisteners:\n  - {{ name: a, address: \"127.0.0.1:0\", {keys} }}\n{REST}"
    );
    load(&text).map(|config| config.listeners[0].clone())
}

fn listener(keys: &str) -> Listener {
    listener_or(keys).unwrap_or_else(|errors| panic!("{errors}"))
}

const CERTIFICATES: &str = "certificates: [{ cert: a.example.pem, key: a.key }]";

fn tls(keys: &str) -> ListenerTls {
    listener(&format!("tls: {{ {CERTIFICATES}{keys} }}")).tls.unwrap()
}

fn upstream_or(keys: &str) -> Result<Upstream, Diagnostics> {
    let text = format!(
        "listeners: [{{ name: a, address: \"127.0.0.1:0\" }}]\nupstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"], {keys} }} }}\n"
    );
    load(&text).map(|config| config.upstreams[0].clone())
}

fn service(keys: &str) -> UpstreamTls {
    upstream_or(keys).unwrap_or_else(|errors| panic!("{errors}")).tls.unwrap()
}

fn hosts(hosts: &[&str]) -> Vec<HostPattern> {
    let pattern = |host: &&str| match host.strip_prefix('*') {
        Some(suffix) => HostPattern::Wildcard(suffix.to_owned()),
        None => HostPattern::Exact((*host).to_owned()),
    };
    hosts.iter().map(pattern).collect()
}

#[test]
fn the_defaults_of_a_listener() {
    let plain = listener("proxy_protocol: off, tls: off");
    assert_eq!((&plain.tls, &plain.proxy_protocol, &plain.tcp, &plain.https_redirect), (&None, &None, &None, &None));
    assert!(plain.passthrough.is_empty());
    assert_eq!(listener("https_redirect: off").https_redirect, None);
    let ListenerTls { certificates, strict_sni, client_auth, min_version, suites, alpn, tickets, match_host, hsts } =
        tls("");
    assert_eq!((certificates.len(), certificates[0].hosts.len()), (1, 0));
    assert_eq!(certificates[0].cert.path, Path::new("a.example.pem"));
    assert_eq!(certificates[0].key.bytes, b"names a\nkind \n");
    assert_eq!((strict_sni, tickets, match_host), (false, true, true));
    assert_eq!((client_auth, hsts, min_version), (None, None, TlsVersion::Tls12));
    assert_eq!((suites.len(), alpn), (0, vec!["http/1.1".to_owned()]));
}

#[test]
fn what_a_listener_gives_is_what_is_read() {
    let tls = tls(
        ", client_auth: { ca: ca.pem, crl: a.crl }, min_version: 1.3, suites: [TLS13_AES_128_GCM_SHA256], alpn: [http/1.1], \
         tickets: off, match_host: off, strict_sni: on, hsts: { max_age: 0s, include_subdomains: on }",
    );
    let auth = tls.client_auth.unwrap();
    assert_eq!((auth.mode, auth.ca.path.as_path()), (ClientAuthMode::Required, Path::new("ca.pem")));
    assert_eq!(auth.crl.unwrap().path, Path::new("a.crl"));
    assert_eq!((tls.strict_sni, tls.tickets, tls.match_host), (true, false, false));
    assert_eq!((tls.min_version, tls.suites), (TlsVersion::Tls13, vec!["TLS13_AES_128_GCM_SHA256".to_owned()]));
    assert_eq!(tls.hsts, Some(Hsts { max_age: Duration::ZERO, include_subdomains: true, preload: false }));
    for (mode, meant) in [("optional", ClientAuthMode::Optional), ("required", ClientAuthMode::Required)] {
        let auth = listener(&format!("tls: {{ {CERTIFICATES}, client_auth: {{ ca: ca.pem, mode: {mode} }} }}"));
        assert_eq!(auth.tls.unwrap().client_auth.unwrap().mode, meant);
    }
}

#[test]
fn versions_are_numbers_or_texts() {
    for (version, meant) in [("1.2", TlsVersion::Tls12), ("\"1.2\"", TlsVersion::Tls12), ("\"1.3\"", TlsVersion::Tls13)]
    {
        assert_eq!(tls(&format!(", min_version: {version}")).min_version, meant);
    }
}

#[test]
fn several_certificates() {
    let listener = listener(
        "tls: { certificates: [{ cert: a.pem, key: a.key }, { hosts: [B.example, \"*.c.example\"], cert: b.pem, key: b.key }] }",
    );
    let certificates = listener.tls.unwrap().certificates;
    assert_eq!(certificates[1].hosts, hosts(&["b.example", "*.c.example"]));
}

#[test]
fn hsts() {
    let year = Duration::from_secs(365 * 24 * 3600);
    let hsts = |value: &str| tls(&format!(", hsts: {value}")).hsts;
    assert_eq!(hsts("on"), Some(Hsts { max_age: year, include_subdomains: false, preload: false }));
    assert_eq!(hsts("{}"), hsts("on"));
    assert_eq!(hsts("off"), None);
    // The least that the lists take, and one past it.
    let preload = |age: &str| {
        format!("tls: {{ {CERTIFICATES}, hsts: {{ max_age: {age}, include_subdomains: on, preload: on }} }}")
    };
    assert!(listener(&preload("8760h")).tls.unwrap().hsts.unwrap().preload);
    assert!(listener_or(&preload("31535999s")).is_err());
    for (age, good) in [("0s", true), ("87600h", true), ("315360001s", false), ("1001ms", false), ("1000ms", true)] {
        assert_eq!(
            listener_or(&format!("tls: {{ {CERTIFICATES}, hsts: {{ max_age: {age} }} }}")).is_ok(),
            good,
            "{age}"
        );
    }
}

#[test]
fn files_are_read_up_to_a_mebibyte() {
    let sized =
        |size: u64| listener_or(&format!("tls: {{ certificates: [{{ cert: \"a@{size}.pem\", key: a.key }}] }}"));
    assert_eq!(sized(1 << 20).unwrap().tls.unwrap().certificates[0].cert.bytes.len(), 1 << 20);
    assert!(sized((1 << 20) + 1).unwrap_err().to_string().contains("the file `a@1048577.pem` is larger"));
    let config =
        load(&format!("listeners: [{{ name: a, address: \"127.0.0.1:0\", tls: {{ {CERTIFICATES} }} }}]\n{REST}"))
            .unwrap();
    assert_eq!(config.files, ["t.yaml", "a.example.pem", "a.key"].map(|file| Path::new(file).to_owned()));
}

#[test]
fn the_path_of_a_file_is_told_from_its_content() {
    let named = |length: usize| {
        let key = format!("dir/{}", "k".repeat(length));
        listener_or(&format!("tls: {{ certificates: [{{ cert: a.pem, key: {key} }}] }}"))
    };
    assert!(named(255).is_ok());
    let error = named(256).unwrap_err().to_string();
    assert!(error.contains("this is the content of a file") && !error.contains("kkkk"), "{error}");
}

#[test]
fn the_proxy_protocol() {
    let from = |keys: &str| -> Option<Vec<String>> {
        listener(keys).proxy_protocol.map(|senders| senders.from.iter().map(ToString::to_string).collect())
    };
    assert_eq!(from("proxy_protocol: on"), Some(vec!["10.0.0.0/8".to_owned()]));
    assert_eq!(
        from("proxy_protocol: { from: [192.0.2.7, \"fd00::/8\"] }"),
        Some(vec!["192.0.2.7/32".to_owned(), "fd00::/8".to_owned()])
    );
    assert_eq!(from("proxy_protocol: off"), None);
    for (written, meant) in [("v1", ProxyVersion::V1), ("v2", ProxyVersion::V2)] {
        assert_eq!(upstream_or(&format!("proxy_protocol: {written}")).unwrap().proxy_protocol, Some(meant));
    }
    // Wherever `trusted_proxies` stands.
    let after = format!(
        "listeners: [{{ name: a, address: \"unix:/a\", proxy_protocol: on }}]\n{REST}trusted_proxies: [192.0.2.0/24]\n"
    );
    assert_eq!(load(&after).unwrap().listeners[0].proxy_protocol.as_ref().unwrap().from.len(), 1);
}

#[test]
fn https_redirect() {
    assert_eq!(listener("https_redirect: on").https_redirect, Some(HttpsRedirect { port: 443, status: 308 }));
    let given = listener("https_redirect: { port: 8443, status: 301 }").https_redirect;
    assert_eq!(given, Some(HttpsRedirect { port: 8443, status: 301 }));
    for (port, good) in [("0", false), ("1", true), ("65535", true), ("65536", false)] {
        assert_eq!(listener_or(&format!("https_redirect: {{ port: {port} }}")).is_ok(), good, "{port}");
    }
}

#[test]
fn plain_tcp_and_passthrough_need_no_routes() {
    let text = |keys: &str, routes: &str| {
        load(&format!("listeners: [{{ name: a, address: \"127.0.0.1:0\", {keys} }}]\nupstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"] }} }}\n{routes}"))
            .unwrap_or_else(|errors| panic!("{errors}"))
    };
    let config = text("tcp: { upstream: u }", "");
    let tcp = config.listeners[0].tcp.as_ref().unwrap();
    assert_eq!((tcp.upstream, tcp.idle_timeout), (0, Duration::from_secs(3600)));
    assert_eq!(config.warnings, []);
    let config =
        text("passthrough: [{ hosts: [A.example, \"*.b.example\"], upstream: u }, { upstream: u }]", "routes: []");
    let entries: Vec<(usize, usize)> =
        config.listeners[0].passthrough.iter().map(|e| (e.hosts.len(), e.upstream)).collect();
    assert_eq!(entries, [(2, 0), (0, 0)]);
    assert_eq!(config.listeners[0].passthrough[0].hosts, hosts(&["a.example", "*.b.example"]));
    assert_eq!(config.warnings, []);
    // With `tls` beside it there are requests, and so there should be routes.
    let config = text(&format!("passthrough: [{{ hosts: [b.example], upstream: u }}], tls: {{ {CERTIFICATES} }}"), "");
    assert!(config.warnings[0].message.starts_with("no routes"));
    // And the other way round.
    let routes = "routes: [{ name: r, match: {}, respond: {} }]";
    let warnings = text("tcp: { upstream: u }", routes).warnings;
    assert_eq!(warnings[0].message, "no request reaches the route `r`: every listener forwards plain bytes");
    for (time, good) in [("9ms", false), ("10ms", true), ("168h", true), ("604800001ms", false)] {
        assert_eq!(listener_or(&format!("tcp: {{ upstream: u, idle_timeout: {time} }}")).is_ok(), good, "{time}");
    }
    assert_eq!(listener(&format!("tcp: {{ upstream: u }}, tls: {{ {CERTIFICATES} }}")).tls.unwrap().alpn, [""; 0]);
}

#[test]
fn the_defaults_of_an_upstream() {
    let expected = UpstreamTls {
        ca: None,
        server_name: None,
        certificate: None,
        verify: true,
        min_version: TlsVersion::Tls12,
        suites: Vec::new(),
        alpn: vec!["http/1.1".to_owned()],
        resumption: true,
    };
    assert_eq!(service("tls: on"), expected);
    assert_eq!(service("tls: {}"), expected);
    assert_eq!(upstream_or("tls: off").unwrap().tls, None);
}

#[test]
fn what_an_upstream_gives_is_what_is_read() {
    let tls = service(
        "tls: { ca: ca.pem, server_name: Users.Internal, certificate: { cert: a.pem, key: a.key }, min_version: 1.3, \
         suites: [TLS13_AES_128_GCM_SHA256], resumption: off }",
    );
    assert_eq!(tls.ca.unwrap().path, Path::new("ca.pem"));
    assert_eq!(tls.server_name.as_deref(), Some("users.internal"));
    assert_eq!(tls.certificate.unwrap().1.path, Path::new("a.key"));
    assert_eq!((tls.min_version, tls.resumption), (TlsVersion::Tls13, false));
    for (written, meant) in [("\"[::0:1]\"", "::1"), ("192.0.2.7", "192.0.2.7"), ("a_b.example", "a_b.example")] {
        assert_eq!(service(&format!("tls: {{ server_name: {written} }}")).server_name.as_deref(), Some(meant));
    }
    // Unchecked, a service behind a Unix socket needs no name.
    let unix = "listeners: [{ name: a, address: \"127.0.0.1:0\" }]\nupstreams: { u: { endpoints: [\"unix:/a\"], tls: { verify: off } } }\n";
    assert!(!load(unix).unwrap().upstreams[0].tls.as_ref().unwrap().verify);
}

#[test]
fn whom_the_system_trusts_is_asked_for_only_where_it_matters() {
    let nobody = |tls: &str| {
        let text = format!(
            "listeners: [{{ name: a, address: \"127.0.0.1:0\" }}]\nupstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"], tls: {tls} }} }}\n"
        );
        parse_with("t.yaml", &text, &|_| None, &Named, &Told { system: false })
    };
    assert!(nobody("{ ca: ca.pem }").is_ok());
    assert!(nobody("{ verify: off }").is_ok());
    let errors = nobody("on").unwrap_err();
    assert!(errors.to_string().starts_with("t.yaml:2:52: what this system trusts can't be found\n"), "{errors}");
}

/// The warnings of a listener whose certificates are these.
fn warned(certificates: &str, more: &str) -> Vec<String> {
    let text = format!(
        "listeners:\n  - {{ name: a, address: \"127.0.0.1:0\"{more}, tls: {{ certificates: [{certificates}] }} }}\n{REST}"
    );
    let config = load(&text).unwrap_or_else(|errors| panic!("{errors}"));
    config.warnings.iter().map(|w| format!("{}: {}", w.message, w.hint.as_deref().unwrap_or_default())).collect()
}

#[test]
fn certificates_that_are_hardly_meant() {
    let nothing: [String; 0] = [];
    // ECDSA and RSA for one name, and a wildcard beside a name.
    let good = "{ cert: a.example=ECDSA.pem, key: a.key }, { cert: a.example=RSA.pem, key: a.key }, { cert: _.a.example+a.example=RSA.pem, key: a.key }";
    assert_eq!(warned(good, ""), nothing);
    // What nobody has looked into.
    assert_eq!(
        warned("{ cert: a.pem, key: a.key }, { cert: a.pem, key: a.key }, { hosts: [b], cert: a.pem, key: a.key }", ""),
        nothing
    );
    assert_eq!(
        warned("{ cert: old.example=RSA.pem, key: a.key }", ""),
        [
            "the certificate in `old.example=RSA.pem` expires soon: put another one into the file: it is read again when it changes"
        ]
    );
    assert_eq!(
        warned("{ cert: a.example=RSA.pem, key: a.key }, { cert: =RSA.pem, key: a.key }", ""),
        [
            "no client is ever served the certificate in `=RSA.pem`: it holds no name: name the `hosts` that it is for, or put it first"
        ]
    );
    assert_eq!(warned("{ cert: =RSA.pem, key: a.key }", ""), nothing, "the first is for whoever names no host");
    assert_eq!(
        warned("{ cert: a.example=RSA.pem, key: a.key }, { cert: 2/a.example=RSA.pem, key: a.key }", ""),
        [
            "the certificate in `2/a.example=RSA.pem` is never served for `a.example`: that in `a.example=RSA.pem` comes before: \
          both keys are RSA: of each kind of key, ECDSA and RSA, one certificate serves a host"
        ]
    );
    assert_eq!(
        warned("{ hosts: [a.example], cert: _.example+a.example=RSA.pem, key: a.key }, { hosts: [a.example, b.example], cert: 2/_.example=RSA.pem, key: a.key }", "").len(),
        1,
        "by hosts that are given, each is told"
    );
}

#[test]
fn hosts_that_the_certificate_is_not_for() {
    let held = |host: &str, names: &str| {
        let found = warned(&format!("{{ hosts: [\"{host}\"], cert: \"{names}=ECDSA.pem\", key: a.key }}"), "");
        assert!(found.len() <= 1 && found.iter().all(|w| w.contains("browsers will refuse it")), "{found:?}");
        found.is_empty()
    };
    for (host, names) in [("a.example", "a.example"), ("b.a.example", "_.a.example"), ("*.a.example", "b+_.a.example")]
    {
        assert!(held(host, names), "{host} {names}");
    }
    for (host, names) in [
        ("a.example", "b.example"),
        ("a.example", "_.a.example"),
        ("c.b.a.example", "_.a.example"),
        ("*.a.example", "b.a.example"),
        ("*.b.a.example", "_.a.example"),
        ("a.example", ""),
    ] {
        assert!(!held(host, names), "{host} {names}");
    }
    let many = warned("{ hosts: [x], cert: a+b+c+d+e+f+g=ECDSA.pem, key: a.key }", "");
    assert!(many[0].ends_with("it is for `a`, `b`, `c`, `d` or `e` and 2 other names"), "{many:?}");
}

#[test]
fn what_passes_through_is_not_served() {
    let more = ", passthrough: [{ hosts: [b.example], upstream: u }]";
    let found = warned("{ cert: a.pem, key: a.key }, { hosts: [b.example], cert: b.pem, key: b.key }", more);
    assert_eq!(
        found,
        [
            "connections for `b.example` pass through: `b.pem` is not served for it: name the host in one of the two places"
        ]
    );
}

#[test]
fn services_that_are_not_checked() {
    let text = |tls: &str| {
        let text = format!(
            "listeners: [{{ name: a, address: \"127.0.0.1:0\" }}]\nupstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"], tls: {tls} }} }}\nroutes: [{{ name: r, match: {{}}, forward: {{ upstream: u }} }}]\n"
        );
        load(&text).unwrap().warnings
    };
    let warnings = text("{ verify: off }");
    assert!(warnings[0].message.starts_with("the service's certificate is not checked: whoever is in between"));
    assert_eq!(text("{ verify: on }"), []);
    let warnings = text("{ suites: [TLS13_AES_128_GCM_SHA256] }");
    assert_eq!(warnings[0].message, "none of these suites is for TLS 1.2, which `min_version` allows");
    assert_eq!(text("{ suites: [TLS13_AES_128_GCM_SHA256], min_version: 1.3 }"), []);
    assert_eq!(text("{ suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS13_AES_128_GCM_SHA256] }"), []);
}

#[test]
fn no_text_shows_a_key() {
    let config =
        load(&format!("listeners: [{{ name: a, address: \"127.0.0.1:0\", tls: {{ {CERTIFICATES} }} }}]\n{REST}"))
            .unwrap();
    let bytes = format!("{:?}", config.listeners[0].tls.as_ref().unwrap().certificates[0].key.bytes);
    assert!(!format!("{config:?}").contains(&bytes));
}

#[test]
fn what_changes_is_told_without_bytes() {
    let text = format!(
        "listeners:\n  - {{ name: a, address: \"127.0.0.1:0\", proxy_protocol: {{ from: [192.0.2.7] }}, tls: {{ {CERTIFICATES} }} }}\n  \
           - {{ name: p, address: \"127.0.0.1:0\", passthrough: [{{ hosts: [b.example], upstream: u }}] }}\n  \
           - {{ name: t, address: \"127.0.0.1:0\", tcp: {{ upstream: u }} }}\n  \
           - {{ name: r, address: \"127.0.0.1:0\", https_redirect: on }}\n\
         upstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"] }}, s: {{ endpoints: [\"127.0.0.1:2\"], tls: {{ ca: ca.pem }} }} }}\n{}",
        "routes: [{ name: r, match: {}, forward: { upstream: s } }]\n"
    );
    let old = load(&text).unwrap();
    let shown = |new: &Config| diff::documents(&old, new).iter().map(|c| c.to_string()).collect::<Vec<_>>().join("\n");
    let changed = |change: &dyn Fn(&mut Config)| {
        let mut new = old.clone();
        change(&mut new);
        shown(&new)
    };
    assert_eq!(shown(&old), "");
    let renewed = |config: &mut Config| {
        let own = &mut config.listeners[0].tls.as_mut().unwrap().certificates[0];
        own.cert.bytes.push(b'x');
        own.key.bytes.push(b'x');
        config.upstreams[1].tls.as_mut().unwrap().ca.as_mut().unwrap().bytes.push(b'x');
    };
    assert_eq!(
        changed(&renewed),
        "changed: listener a\n    \
             tls.certificate a.example.pem, key: file a.key -> file a.key (changed)\n    \
             tls.certificate a.example.pem: its content -> its content (changed)\n\
         changed: upstream s\n    \
             tls.ca: file ca.pem -> file ca.pem (changed)"
    );
    let keys = |config: &mut Config| {
        config.limits.handshakes = 5;
        config.limits.handshake_timeout = Duration::from_secs(3);
        let tls = config.listeners[0].tls.as_mut().unwrap();
        tls.min_version = TlsVersion::Tls13;
        tls.hsts = Some(Hsts { max_age: Duration::from_secs(60), include_subdomains: false, preload: false });
        tls.certificates[0].hosts = hosts(&["b.example"]);
        config.listeners[0].proxy_protocol = None;
        config.listeners[1].passthrough[0].upstream = 1;
        config.listeners[2].tcp.as_mut().unwrap().idle_timeout = Duration::from_secs(5);
        config.listeners[3].https_redirect = Some(HttpsRedirect { port: 8443, status: 308 });
        config.upstreams[1].tls.as_mut().unwrap().verify = false;
        config.upstreams[1].proxy_protocol = Some(ProxyVersion::V2);
        config.access_log.as_mut().unwrap().tls = true;
    };
    assert_eq!(
        changed(&keys),
        "changed: limits\n    \
             handshake_timeout: 10s -> 3s\n    \
             handshakes: 2000 -> 5\n\
         changed: listener a\n    \
             tls.certificate a.example.pem, hosts: its own names -> [b.example]\n    \
             tls.min_version: 1.2 -> 1.3\n    \
             tls.hsts: off -> { max_age: 1m, include_subdomains: off, preload: off }\n    \
             proxy_protocol.from: [192.0.2.7/32] (gone)\n\
         changed: listener p\n    \
             passthrough [b.example]: u -> s\n\
         changed: listener t\n    \
             tcp.idle_timeout: 1h -> 5s\n\
         changed: listener r\n    \
             https_redirect: { port: 443, status: 308 } -> { port: 8443, status: 308 }\n\
         changed: upstream s\n    \
             tls.verify: on -> off\n    \
             proxy_protocol: v2 (new)\n\
         changed: access_log\n    \
             tls: on (new)"
    );
}
