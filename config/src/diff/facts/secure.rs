//! What a document says of TLS, the PROXY protocol and plain TCP. The content of a file is compared and never shown.

use super::{Fact, fact, list, name_of, set, switch, time};
use crate::document::Upstream;
use crate::secure::{
    Certificate, ClientAuth, ClientAuthMode, Hsts, HttpsRedirect, ListenerTls, Passthrough, Pem, ProxySenders,
    ProxyVersion, TcpForward, TlsVersion, UpstreamTls,
};
use crate::units::show_duration;

/// A file by its path, which is what a person is shown of it.
fn file<'c>(field: impl Into<std::borrow::Cow<'static, str>>, pem: &'c Pem) -> Fact<'c> {
    let Pem { path, bytes } = pem;
    Fact { hidden: bytes.into(), alike: "changed", ..fact(field, format_args!("file {}", path.display())) }
}

fn version(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls12 => "1.2",
        TlsVersion::Tls13 => "1.3",
    }
}

pub(super) fn written(version: ProxyVersion) -> &'static str {
    match version {
        ProxyVersion::V1 => "v1",
        ProxyVersion::V2 => "v2",
    }
}

pub(super) fn senders<'c>(senders: &ProxySenders) -> Fact<'c> {
    let ProxySenders { from } = senders;
    fact("proxy_protocol.from", set(from))
}

pub(super) fn listener<'c>(tls: &'c ListenerTls, facts: &mut Vec<Fact<'c>>) {
    let ListenerTls { certificates, strict_sni, client_auth, min_version, suites, alpn, tickets, match_host, hsts } =
        tls;
    // The first is for whoever names no host; of the others only those for one host have an order.
    facts.extend(certificates.first().map(|first| fact("tls.first", first.cert.path.display())));
    for (index, own) in certificates.iter().enumerate() {
        let before = certificates.iter().take(index).filter(|other| other.cert.path == own.cert.path).count();
        certificate(own, before, facts);
    }
    if let Some(ClientAuth { ca, mode, crl }) = client_auth {
        facts.push(fact(
            "tls.client_auth.mode",
            match mode {
                ClientAuthMode::Optional => "optional",
                ClientAuthMode::Required => "required",
            },
        ));
        facts.push(file("tls.client_auth.ca", ca));
        facts.extend(crl.as_ref().map(|crl| file("tls.client_auth.crl", crl)));
    }
    facts.push(fact("tls.min_version", version(*min_version)));
    facts.push(fact("tls.suites", if suites.is_empty() { "all".to_owned() } else { list(suites) }));
    facts.push(fact("tls.alpn", list(alpn)));
    facts.push(fact("tls.tickets", switch(*tickets)));
    facts.push(fact("tls.match_host", switch(*match_host)));
    facts.push(fact("tls.strict_sni", switch(*strict_sni)));
    facts.push(fact("tls.hsts", hsts.as_ref().map_or_else(|| "off".to_owned(), told)));
}

/// `before` others have the same file.
fn certificate<'c>(certificate: &'c Certificate, before: usize, facts: &mut Vec<Fact<'c>>) {
    let Certificate { hosts, cert, key } = certificate;
    let again = if before == 0 { String::new() } else { format!(" ({})", before + 1) };
    let field = format!("tls.certificate {}{again}", cert.path.display());
    let hosts = if hosts.is_empty() { "its own names".to_owned() } else { set(hosts) };
    facts.push(fact(format!("{field}, hosts"), hosts));
    facts.push(file(format!("{field}, key"), key));
    facts.push(Fact { hidden: (&cert.bytes).into(), alike: "changed", ..fact(field, "its content") });
}

fn told(hsts: &Hsts) -> String {
    let Hsts { max_age, include_subdomains, preload } = hsts;
    let (age, below, preload) = (show_duration(*max_age), switch(*include_subdomains), switch(*preload));
    format!("{{ max_age: {age}, include_subdomains: {below}, preload: {preload} }}")
}

pub(super) fn passthrough<'c>(entry: &Passthrough, upstreams: &[Upstream]) -> Fact<'c> {
    let Passthrough { hosts, upstream } = entry;
    let hosts = if hosts.is_empty() { "every other host".to_owned() } else { set(hosts) };
    fact(format!("passthrough {hosts}"), name_of(*upstream, upstreams))
}

pub(super) fn tcp(tcp: &TcpForward, upstreams: &[Upstream], facts: &mut Vec<Fact<'_>>) {
    let TcpForward { upstream, idle_timeout } = tcp;
    facts.push(fact("tcp.upstream", name_of(*upstream, upstreams)));
    facts.push(time("tcp.idle_timeout", *idle_timeout));
}

pub(super) fn https_redirect<'c>(redirect: &HttpsRedirect) -> Fact<'c> {
    let HttpsRedirect { port, status } = redirect;
    fact("https_redirect", format_args!("{{ port: {port}, status: {status} }}"))
}

pub(super) fn upstream<'c>(tls: &'c UpstreamTls, facts: &mut Vec<Fact<'c>>) {
    let UpstreamTls { ca, server_name, certificate, verify, min_version, suites, alpn, resumption } = tls;
    facts.push(match ca {
        Some(ca) => file("tls.ca", ca),
        None => fact("tls.ca", "whom this system trusts"),
    });
    facts.push(fact("tls.server_name", server_name.as_deref().unwrap_or("the endpoint's address")));
    if let Some((cert, key)) = certificate {
        facts.push(file("tls.certificate.cert", cert));
        facts.push(file("tls.certificate.key", key));
    }
    facts.push(fact("tls.verify", switch(*verify)));
    facts.push(fact("tls.min_version", version(*min_version)));
    facts.push(fact("tls.suites", if suites.is_empty() { "all".to_owned() } else { list(suites) }));
    facts.push(fact("tls.alpn", list(alpn)));
    facts.push(fact("tls.resumption", switch(*resumption)));
}
