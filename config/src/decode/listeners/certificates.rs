//! `listeners[].tls.certificates`: certificates with their keys, and the hosts that each is for.

use std::collections::HashMap;

use crate::decode::Once;
use crate::decode::tls::{self, CERTIFICATES_FILE, KEY_FILE, SERVER_NAME};
use crate::form::Form;
use crate::node::{Node, Span};
use crate::pattern::HostPattern;
use crate::reader::Reader;
use crate::secure::{Certificate, CertificateFacts};
use crate::table::{Field, Presence, Table};
use crate::wording::{either, shorten};

/// Names of a certificate that a hint lists.
const NAMES_SHOWN_MAX: usize = 5;
/// What to do about a host that no client names.
const NO_NAME: &str = "leave it out: clients that name no host, or another one, get the first certificate";

/// A certificate while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    hosts: Vec<(HostPattern, Span)>,
    cert: Option<tls::Placed>,
    key: Option<tls::Placed>,
}

pub(crate) static CERTIFICATE: Table<Draft> = Table {
    path: "listeners[].tls.certificates[]",
    noun: "a certificate",
    doc: "A certificate with its key, both in PEM, and the hosts that it is for. Both files are read again when they change.",
    fields: &[
        Field {
            key: "hosts",
            form: Form::List { of: &SERVER_NAME, min: 1 },
            presence: Presence::Optional("the names that the certificate holds"),
            doc: "The hosts, as clients name them, that it is served for.",
            example: "[www.example.org, \"*.example.org\"]",
            exceeding: None,
            read: |reader, node, form, draft| {
                let mut once = Once::new("the host");
                draft.hosts = tls::server_names(reader, node, form, NO_NAME).unwrap_or_default();
                draft.hosts.retain(|(host, span)| once.check(reader, &host.to_string(), *span));
            },
        },
        Field {
            key: "cert",
            form: CERTIFICATES_FILE,
            presence: Presence::Required,
            doc: "The file of the certificate, followed by those between it and the root.",
            example: "certs/site.pem",
            exceeding: None,
            read: |reader, node, _, draft| draft.cert = tls::file(reader, node, "cert: certs/site.pem"),
        },
        Field {
            key: "key",
            form: KEY_FILE,
            presence: Presence::Required,
            doc: "The file of its private key, not encrypted.",
            example: "certs/site.key",
            exceeding: None,
            read: |reader, node, _, draft| draft.key = tls::file(reader, node, "key: certs/site.key"),
        },
    ],
    alternatives: &[],
    later: &[],
};

/// A certificate and where it is named.
pub(crate) struct Placed {
    hosts: Vec<(HostPattern, Span)>,
    cert: tls::Placed,
    key: tls::Placed,
    facts: CertificateFacts,
}

/// A host that a certificate is given for, and the certificate's file.
pub(crate) struct Given {
    pub(crate) host: HostPattern,
    pub(crate) span: Span,
    pub(crate) file: String,
}

impl Placed {
    /// The hosts that the file names.
    pub(crate) fn given(&self) -> impl Iterator<Item = Given> {
        let file = self.file();
        self.hosts.iter().map(move |(host, span)| Given { host: host.clone(), span: *span, file: file.clone() })
    }

    pub(crate) fn into_certificate(self) -> Certificate {
        let hosts = self.hosts.into_iter().map(|(host, _)| host).collect();
        Certificate { hosts, cert: self.cert.0, key: self.key.0 }
    }

    fn file(&self) -> String {
        tls::shown(&self.cert.0.path)
    }

    /// The names that it is served for, each where the file says so.
    fn names(&self) -> Vec<(String, Span)> {
        if self.hosts.is_empty() {
            return self.facts.names.iter().map(|name| (name.clone(), self.cert.1)).collect();
        }
        self.hosts.iter().map(|(host, span)| (host.to_string(), *span)).collect()
    }

    /// Whether clients that ask for this host take the certificate (RFC 6125 section 6.4.3).
    fn holds(&self, host: &HostPattern) -> bool {
        let held = |name: &str| self.facts.names.iter().any(|own| own == name);
        match host {
            HostPattern::Exact(name) => {
                held(name) || name.split_once('.').is_some_and(|(_, parent)| held(&format!("*.{parent}")))
            }
            HostPattern::Wildcard(_) => held(&host.to_string()),
        }
    }
}

/// The certificates that can be used.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Option<Vec<Placed>> {
    let items = reader.list(node, form, "certificates", "{ cert: certs/site.pem, key: certs/site.key }")?;
    let mut certificates = Vec::with_capacity(items.len());
    for item in items {
        let mut draft = Draft::default();
        reader.table(item, &CERTIFICATE, &mut draft);
        if let (Some(cert), Some(key)) = (draft.cert, draft.key)
            && let Some(facts) = tls::pair(reader, &cert, &key)
        {
            certificates.push(Placed { hosts: draft.hosts, cert, key, facts });
        }
    }
    Some(certificates)
}

/// Warns of certificates that no client is ever served, and of those that clients will refuse. Nothing is said of one
/// that nobody has looked into.
pub(crate) fn lint(reader: &mut Reader<'_>, certificates: &[Placed]) {
    // The first certificate of each name and kind of key.
    let mut first: HashMap<(String, &str), usize> = HashMap::new();
    for (index, placed) in certificates.iter().enumerate().filter(|(_, placed)| !placed.facts.key_kind.is_empty()) {
        foreign(reader, placed);
        let kind = placed.facts.key_kind;
        let names = placed.names();
        if names.is_empty() && index > 0 {
            let message = format!("no client is ever served the certificate in `{}`: it holds no name", placed.file());
            reader.warning(placed.cert.1, message, "name the `hosts` that it is for, or put it first");
        }
        let before = |name: &String| first.get(&(name.clone(), kind)).and_then(|&index| certificates.get(index));
        let taken: Vec<(&String, Span, &Placed)> =
            names.iter().filter_map(|(name, span)| before(name).map(|other| (name, *span, other))).collect();
        // Certificates often hold names that others hold too; those that the file itself gives are meant.
        let meant = !placed.hosts.is_empty() || taken.len() == names.len();
        for (name, span, other) in taken.into_iter().filter(|_| meant) {
            let message = format!(
                "the certificate in `{}` is never served for `{}`: that in `{}` comes before",
                placed.file(),
                shorten(name),
                other.file()
            );
            let hint =
                format!("both keys are {kind}: of each kind of key, ECDSA and RSA, one certificate serves a host");
            reader.warning(span, message, hint);
        }
        for (name, _) in names {
            first.entry((name, kind)).or_insert(index);
        }
    }
}

/// Warns of hosts that the certificate doesn't hold.
fn foreign(reader: &mut Reader<'_>, placed: &Placed) {
    for (host, span) in placed.hosts.iter().filter(|(host, _)| !placed.holds(host)) {
        let message = format!("the certificate in `{}` is not for `{host}`: browsers will refuse it", placed.file());
        let names = &placed.facts.names;
        let hint = match names.len() {
            0 => "it holds no names at all".to_owned(),
            1..=NAMES_SHOWN_MAX => format!("it is for {}", either(names)),
            n => format!("it is for {} and {} other names", either(&names[..NAMES_SHOWN_MAX]), n - NAMES_SHOWN_MAX),
        };
        reader.warning(*span, message, hint);
    }
}
