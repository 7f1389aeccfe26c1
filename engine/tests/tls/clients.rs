//! Certificates of clients: asked for or required, of whom, and revoked ones.

use crate::support::certs::Issued;
use crate::support::service::ok;
use crate::support::tls::Version;
use crate::support::{Authority, Plan, Service, on_both_drivers};
use crate::{Site, tls};
use ringgate_rt::driver::Choice;
use std::sync::Arc;

on_both_drivers!(
    where_it_is_optional_clients_come_with_and_without,
    where_it_is_required_only_good_ones_come_in,
    a_resumed_session_needs_what_the_first_one_had,
    what_the_certificate_says_goes_to_the_service_and_the_log,
);

const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

/// Whom clients have their certificates of, and others.
struct Cards {
    clients: Authority,
    good: Issued,
    revoked: Issued,
    expired: Issued,
    strange: Issued,
    /// Good only for a server.
    server: Issued,
}

impl Cards {
    fn new() -> Cards {
        let clients = Authority::new("clients have theirs of it");
        let of = |change: fn(&mut rcgen::CertificateParams)| clients.issue_with(&["client.example"], change);
        let revoked = of(|_| {});
        clients.write("revoked.pem", &clients.revoke(&[&revoked]));
        Cards {
            good: of(|_| {}),
            expired: of(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1)),
            server: of(|params| params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth]),
            strange: Authority::new("nobody knows it").issue(&["client.example"]),
            revoked,
            clients,
        }
    }

    /// `client_auth` of this mode.
    fn member(&self, mode: &str) -> String {
        let crl = self.clients.shown("revoked.pem");
        format!("client_auth: {{ ca: \"{}\", mode: {mode}, crl: \"{crl}\" }}", self.clients.ca())
    }

    fn bad(&self) -> [(&'static str, &Issued); 4] {
        [
            ("revoked", &self.revoked),
            ("expired", &self.expired),
            ("of a stranger", &self.strange),
            ("for a server", &self.server),
        ]
    }
}

/// The status that a client with this certificate gets, or why it gets none.
fn visit(site: &Site, version: Version, shown: Option<&Issued>) -> Result<u16, String> {
    let config = Arc::new(tls::client_config_with(&site.authority, version, shown));
    let mut socket = tls::connect(site.gate.address(), &config, "localhost");
    socket.shake().map_err(|error| error.to_string())?;
    let mut client = crate::Client::over(crate::support::client::Socket::Tls(Box::new(socket)));
    client.try_send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").map_err(|error| error.to_string())?;
    client.try_answer().map(|answer| answer.status).map_err(|error| error.to_string())
}

fn where_it_is_optional_clients_come_with_and_without(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let cards = Cards::new();
    let site = Site::start_with(Plan::to(&service), &cards.member("optional"), driver);
    for version in VERSIONS {
        assert_eq!(visit(&site, version, None), Ok(200), "{version:?}");
        assert_eq!(visit(&site, version, Some(&cards.good)), Ok(200), "{version:?}");
        // A bad one is not the same as none.
        for (what, card) in cards.bad() {
            assert!(visit(&site, version, Some(card)).is_err(), "{what} at {version:?}");
        }
    }
}

fn where_it_is_required_only_good_ones_come_in(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let cards = Cards::new();
    let site = Site::start_with(Plan::to(&service), &cards.member("required"), driver);
    for version in VERSIONS {
        assert_eq!(visit(&site, version, Some(&cards.good)), Ok(200), "{version:?}");
        let refused = visit(&site, version, None).expect_err("none is shown");
        let alert = if version == Version::Tls13 { "CertificateRequired" } else { "HandshakeFailure" };
        assert!(refused.contains(alert) || refused.contains("CertificateRequired"), "{version:?}: {refused}");
        for (what, card) in cards.bad() {
            let refused = visit(&site, version, Some(card)).expect_err(what);
            assert!(refused.contains("alert"), "{what} at {version:?}: {refused}");
        }
    }
    assert_eq!(service.request_count(), 2);
}

fn a_resumed_session_needs_what_the_first_one_had(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let cards = Cards::new();
    let mut site = Site::start_with(Plan::to(&service), &cards.member("required"), driver);
    let ticketed = |site: &Site, config: &Arc<rustls::ClientConfig>| {
        let mut client = tls::client(site.gate.address(), config, "localhost");
        assert_eq!(client.get("/").status, 200);
        client.wire.stream.tls().tls.handshake_kind().expect("it is over")
    };
    let of = |site: &Site| Arc::new(tls::client_config_with(&site.authority, Version::Tls13, Some(&cards.good)));
    let config = of(&site);
    assert_eq!(ticketed(&site, &config), rustls::HandshakeKind::Full);
    assert_eq!(ticketed(&site, &config), rustls::HandshakeKind::Resumed);
    // It is revoked: its tickets are worth nothing any more.
    cards.clients.write("revoked.pem", &cards.clients.revoke(&[&cards.revoked, &cards.good]));
    let secured = crate::secured(&site.authority, &cards.member("required"));
    let address = site.gate.address();
    site.gate.reload(&Plan::to(&service).listen(&address.to_string()).listener(&secured).text()).expect("reloaded");
    tls::refused(address, &config, "localhost");
}

fn what_the_certificate_says_goes_to_the_service_and_the_log(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let cards = Cards::new();
    let site = Site::start_with(Plan::to(&service), &cards.member("optional"), driver);
    // What a client says of itself in fields is not what TLS says.
    let config = Arc::new(tls::client_config_with(&site.authority, Version::Any, Some(&cards.good)));
    let mut client = tls::client(site.gate.address(), &config, "localhost");
    assert_eq!(client.get("/").status, 200);
    let request = service.only_request();
    assert_eq!(request.fields.get("x-forwarded-proto"), Some("https"));
}
