//! `upstreams.NAME.tls`: how connections to a service are secured.

use std::net::Ipv6Addr;

use crate::address::EndpointAddress;
use crate::decode::tls::{self, ALPN, CERTIFICATES_FILE, KEY_FILE, MIN_VERSION, SUITES};
use crate::decode::{Wrong, host, parsed};
use crate::document::Endpoint;
use crate::form::Form;
use crate::node::{Node, Span};
use crate::pattern::HostPattern;
use crate::reader::{Reader, first_of};
use crate::secure::{Pem, TlsVersion, UpstreamTls};
use crate::table::{Field, Presence, Table};
use crate::wording::shorten;

/// `tls` while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    ca: Option<(Option<Pem>, Span)>,
    /// `Some(None)`: it can't be read.
    server_name: Option<Option<String>>,
    certificate: Option<(Pem, Pem)>,
    verify: Option<bool>,
    min_version: TlsVersion,
    suites: Option<tls::Suites>,
    alpn: Option<Vec<String>>,
    resumption: Option<bool>,
    /// Where it stands, if all of it can be read.
    span: Option<Span>,
}

pub(crate) static TLS: Table<Draft> = Table {
    path: "upstreams.NAME.tls",
    noun: "`tls`",
    doc: "How connections to a service are secured. All files are read again when they change.",
    fields: &[
        Field {
            key: "ca",
            form: CERTIFICATES_FILE,
            presence: Presence::Optional("whom this system trusts"),
            doc: "The file of those who may have signed the service's certificate, in PEM.",
            example: "certs/internal-ca.pem",
            exceeding: None,
            read: |reader, node, _, draft| draft.ca = Some((tls::authorities(reader, node), node.span)),
        },
        Field {
            key: "server_name",
            form: Form::Text { kind: "host", limits: "a host name or IP address, without a port" },
            presence: Presence::Optional("the endpoint's IP address"),
            doc: "The name that the service is asked for (SNI) and that its certificate must hold. Required for an endpoint that \
                  is a Unix socket.",
            example: "users.internal",
            exceeding: None,
            read: |reader, node, _, draft| {
                draft.server_name = Some(parsed(reader, node, "a host such as `users.internal`", server_name));
            },
        },
        Field {
            key: "certificate",
            form: Form::Object(&CERTIFICATE),
            presence: Presence::Optional("none"),
            doc: "The certificate that the gateway shows the service.",
            example: "{ cert: certs/gateway.pem, key: certs/gateway.key }",
            exceeding: None,
            read: |reader, node, _, draft| draft.certificate = certificate(reader, node),
        },
        Field {
            key: "verify",
            form: Form::Switch,
            presence: Presence::Default("on"),
            doc: "Whether the service's certificate is checked. With `off`, which gets a warning, whoever is between the gateway and \
                  the service can read and change everything.",
            example: "on",
            exceeding: None,
            read: |reader, node, _, draft| {
                draft.verify = reader.on_or_off(node);
                if draft.verify == Some(false) {
                    let message = "the service's certificate is not checked: whoever is in between can read and change everything";
                    reader.warning(
                        node.span,
                        message,
                        "name who has signed it in the place of this: `ca: certs/ca.pem`",
                    );
                }
            },
        },
        Field {
            key: "min_version",
            form: MIN_VERSION,
            presence: Presence::Default("1.2"),
            doc: "The oldest version of TLS that is spoken.",
            example: "1.3",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.min_version = tls::min_version(reader, node, form).unwrap_or_default();
            },
        },
        Field {
            key: "suites",
            form: SUITES,
            presence: Presence::Optional("all that there are; none of them is weak"),
            doc: "Cipher suites, in order of preference.",
            example: "[TLS13_AES_256_GCM_SHA384]",
            exceeding: None,
            read: |reader, node, form, draft| draft.suites = tls::suites(reader, node, form),
        },
        Field {
            key: "alpn",
            form: ALPN,
            presence: Presence::Default("[http/1.1]"),
            doc: "Protocols on top that the service may choose from (ALPN); none for connections of a listener's `tcp`.",
            example: "[http/1.1]",
            exceeding: None,
            read: |reader, node, form, draft| draft.alpn = tls::alpn(reader, node, form),
        },
        Field {
            key: "resumption",
            form: Form::Switch,
            presence: Presence::Default("on"),
            doc: "Whether sessions are resumed, which saves most of the handshake.",
            example: "off",
            exceeding: None,
            read: |reader, node, _, draft| draft.resumption = reader.on_or_off(node),
        },
    ],
    alternatives: &[],
    later: &[],
};

/// A certificate while it is read.
#[derive(Default)]
pub(crate) struct CertificateDraft {
    cert: Option<tls::Placed>,
    key: Option<tls::Placed>,
}

pub(crate) static CERTIFICATE: Table<CertificateDraft> = Table {
    path: "upstreams.NAME.tls.certificate",
    noun: "`certificate`",
    doc: "The certificate that the gateway shows the service, with its key, both in PEM.",
    fields: &[
        Field {
            key: "cert",
            form: CERTIFICATES_FILE,
            presence: Presence::Required,
            doc: "The file of the certificate, followed by those between it and the root.",
            example: "certs/gateway.pem",
            exceeding: None,
            read: |reader, node, _, draft| draft.cert = tls::file(reader, node, "cert: certs/gateway.pem"),
        },
        Field {
            key: "key",
            form: KEY_FILE,
            presence: Presence::Required,
            doc: "The file of its private key, not encrypted.",
            example: "certs/gateway.key",
            exceeding: None,
            read: |reader, node, _, draft| draft.key = tls::file(reader, node, "key: certs/gateway.key"),
        },
    ],
    alternatives: &[],
    later: &[],
};

/// `None`: clear text.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Draft> {
    let before = reader.errors();
    let mut draft = Draft::default();
    match reader.switch(node) {
        Some(true) => {}
        Some(false) => return None,
        None => reader.table(node, &TLS, &mut draft),
    }
    draft.span = (reader.errors() == before).then(|| first_of(node));
    Some(draft)
}

fn certificate(reader: &mut Reader<'_>, node: &Node) -> Option<(Pem, Pem)> {
    let mut draft = CertificateDraft::default();
    reader.table(node, &CERTIFICATE, &mut draft);
    let (cert, key) = (draft.cert?, draft.key?);
    tls::pair(reader, &cert, &key)?;
    Some((cert.0, key.0))
}

/// A name of the DNS or an IP address, that without brackets.
fn server_name(text: &str) -> Result<String, Wrong> {
    let wrong = |hint: &str| Err((format!("`{}` can't be a `server_name`", shorten(text)), hint.to_owned()));
    let HostPattern::Exact(name) = host::parse(text)? else {
        return wrong("name one host: it is asked for by name");
    };
    // What TLS takes for a name is narrower than what HTTP takes for a host (RFC 1123 section 2.1).
    if name.split('.').any(|label| label.starts_with('-') || label.ends_with('-')) {
        return wrong("no part of a name begins or ends with `-`");
    }
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).map(str::parse::<Ipv6Addr>);
    Ok(address.and_then(Result::ok).map_or(name, |address| address.to_string()))
}

/// `tls` of a service with these endpoints; `system` is where whom this system trusts is relied on first.
pub(crate) fn finish(
    reader: &mut Reader<'_>,
    draft: Draft,
    endpoints: &[(Endpoint, Span)],
    system: &mut Option<Span>,
) -> UpstreamTls {
    let verify = draft.verify.unwrap_or(true);
    if let Some(suites) = &draft.suites {
        tls::agree(reader, draft.min_version, suites);
    }
    if let (Some((_, span)), false) = (&draft.ca, verify) {
        let message = "`ca` has no meaning where the certificate is not checked";
        reader.error(*span, message, "remove `verify: off`, or `ca`");
    }
    let nameless = draft.server_name.is_none() && verify;
    let unix = |endpoint: &Endpoint| matches!(endpoint.address, EndpointAddress::Unix(_));
    if let Some((_, span)) = endpoints.iter().find(|(endpoint, _)| nameless && unix(endpoint)) {
        let message = "a service behind a Unix socket has no address that its certificate could hold";
        reader.error(*span, message, "say which name it must hold: `tls: { server_name: users.internal }`");
    }
    if draft.ca.is_none() && verify {
        *system = system.or(draft.span);
    }
    UpstreamTls {
        ca: draft.ca.and_then(|(ca, _)| ca),
        server_name: draft.server_name.flatten(),
        certificate: draft.certificate,
        verify,
        min_version: draft.min_version,
        suites: draft.suites.map(|(names, _)| names).unwrap_or_default(),
        alpn: draft.alpn.unwrap_or_else(tls::default_alpn),
        resumption: draft.resumption.unwrap_or(true),
    }
}
