//! The files that Ringgate promises to accept: those whose features have landed load; the others are refused with
//! nothing but the features that have not.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use ringgate_config::{Config, Cores, Diagnostics, Files, Unchecked, parse_with};

/// Every file that is named is there.
struct Everything;

impl Files for Everything {
    fn read(&self, _: &Path, _: u64) -> Result<Vec<u8>, String> {
        Ok(b"secret\n".to_vec())
    }

    fn is_directory(&self, _: &Path) -> bool {
        true
    }
}

/// A file of the contract with its placeholders filled in, as whoever runs it would.
fn filled(name: &str) -> Result<Config, Diagnostics> {
    let path = format!("{}/tests/contract/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut text = std::fs::read_to_string(path).unwrap();
    let places =
        ["HTTP", "H2C", "TLS", "ORIGIN", "ORIGIN_H2C", "USERS", "USERS2", "ORDERS", "NOTES", "GRPC", "AUTH", "TRACES"];
    for (port, place) in (8081..).zip(places) {
        text = text.replace(&format!("@{place}@"), &format!("127.0.0.1:{port}"));
    }
    text = text.replace("@CERT@", "site.pem").replace("@KEY@", "site.key");
    parse_with(name, &text, &|_| None, &Everything, &Unchecked)
}

#[test]
fn the_minimal_clear_text_gateway_loads() {
    let config = filled("minimal-h1.yaml").unwrap();
    assert_eq!(config.runtime.cores, Cores::List(vec![0]));
    assert_eq!(config.access_log, None);
    assert_eq!(config.summary(), "1 routes, 1 upstreams, 1 listeners");
    assert_eq!(config.warnings, []);
}

#[test]
fn the_minimal_gateway_over_tls_loads() {
    let config = filled("minimal.yaml").unwrap();
    let secure = config.listeners.iter().find_map(|listener| listener.tls.as_ref()).unwrap();
    assert_eq!(secure.certificates[0].cert.path, Path::new("site.pem"));
    assert_eq!(secure.certificates[0].key.path, Path::new("site.key"));
    assert_eq!(config.summary(), "1 routes, 1 upstreams, 3 listeners");
    assert_eq!(config.warnings, []);
}

#[test]
fn what_has_not_landed_is_all_that_is_refused() {
    for (name, features) in [("minimal-h2c-upstream.yaml", 1), ("gateway.yaml", 14)] {
        let errors = filled(name).unwrap_err();
        for error in &errors {
            assert!(error.message.ends_with(" is not part of this version yet"), "{error}");
        }
        assert_eq!(errors.iter().count(), features, "{errors}");
    }
}
