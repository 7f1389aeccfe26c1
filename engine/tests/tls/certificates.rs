//! Certificates that change while the gateway runs.

use crate::support::process::Process;
use crate::support::service::ok;
use crate::support::tls::{self, Version};
use crate::support::{Authority, Client, Gate, Plan, Service, on_both_drivers, wait_for};
use ringgate_rt::driver::Choice;
use rustls::HandshakeKind;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

on_both_drivers!(
    connections_outlive_their_certificate,
    sessions_are_resumed_across_a_reload,
    a_hundred_swaps_under_load_fail_no_handshake,
    a_reload_with_a_broken_file_keeps_the_one_before,
);

fn shown(client: &mut Client) -> CertificateDer<'static> {
    client.wire.stream.tls().tls.peer_certificates().expect("a certificate")[0].clone().into_owned()
}

/// A gateway whose file is read anew again and again.
struct Renewed {
    gate: Gate,
    plan: Plan,
    authority: Authority,
    _service: Service,
}

impl Renewed {
    fn start(driver: Choice) -> Renewed {
        let service = Service::answering(|_| ok("good"));
        let authority = Authority::new("renews them");
        let plan = Plan::to(&service).listener(&crate::secured(&authority, ""));
        let gate = plan.start(driver);
        // The port stays the same.
        let plan = plan.listen(&gate.address().to_string());
        Renewed { gate, plan, authority, _service: service }
    }

    /// Puts a new certificate in the place of the one before, and has it read.
    fn renew(&mut self) -> CertificateDer<'static> {
        let issued = self.authority.issue(&["localhost"]);
        self.authority.save("site", &issued);
        self.gate.reload(&self.plan.text()).expect("reloaded");
        issued.der
    }
}

fn connections_outlive_their_certificate(driver: Choice) {
    let mut renewed = Renewed::start(driver);
    let config = Arc::new(tls::client_config(&renewed.authority, Version::Any));
    let mut before = tls::client(renewed.gate.address(), &config, "localhost");
    let mut idle = tls::client(renewed.gate.address(), &config, "localhost");
    assert_eq!(before.get("/").status, 200);
    // A handshake that has begun ends as it began.
    let mut beginning = tls::connect(renewed.gate.address(), &config, "localhost");
    let new = renewed.renew();
    assert_ne!(shown(&mut before), new);
    assert_eq!(before.get("/").status, 200);
    assert_eq!(idle.get("/").status, 200);
    beginning.shake().expect("a handshake");
    let fresh = Arc::new(tls::client_config(&renewed.authority, Version::Any));
    let mut after = tls::client(renewed.gate.address(), &fresh, "localhost");
    assert_eq!(shown(&mut after), new);
    assert_eq!(after.get("/").status, 200);
}

fn sessions_are_resumed_across_a_reload(driver: Choice) {
    for version in [Version::Tls12, Version::Tls13] {
        let mut renewed = Renewed::start(driver);
        let config = Arc::new(tls::client_config(&renewed.authority, version));
        let visit = |gate: &Gate| {
            let mut client = tls::client(gate.address(), &config, "localhost");
            assert_eq!(client.get("/").status, 200);
            client.wire.stream.tls().tls.handshake_kind().expect("it is over")
        };
        assert_eq!(visit(&renewed.gate), HandshakeKind::Full);
        renewed.gate.reload(&renewed.plan.text()).expect("reloaded");
        assert_eq!(visit(&renewed.gate), HandshakeKind::Resumed, "{version:?}: nothing has changed");
        renewed.renew();
        assert_eq!(visit(&renewed.gate), HandshakeKind::Resumed, "{version:?}: another certificate");
    }
}

fn a_hundred_swaps_under_load_fail_no_handshake(driver: Choice) {
    const SWAPS: usize = 100;
    let mut renewed = Renewed::start(driver);
    let (over, shaken) = (AtomicBool::new(false), AtomicUsize::new(0));
    let address = renewed.gate.address();
    let configs = [Version::Tls12, Version::Tls13].map(|version| tls::client_config(&renewed.authority, version));
    std::thread::scope(|scope| {
        for config in configs {
            let (over, shaken) = (&over, &shaken);
            scope.spawn(move || {
                let resuming = Arc::new(config.clone());
                while !over.load(Ordering::Relaxed) {
                    // Whole handshakes and resumed ones in turn.
                    let mut fresh = config.clone();
                    fresh.resumption = rustls::client::Resumption::disabled();
                    for config in [&Arc::new(fresh), &resuming] {
                        assert_eq!(tls::client(address, config, "localhost").get("/").status, 200);
                        shaken.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        for _ in 0..SWAPS {
            let seen = shaken.load(Ordering::Relaxed);
            let new = renewed.renew();
            let fresh = Arc::new(tls::client_config(&renewed.authority, Version::Any));
            assert_eq!(shown(&mut tls::client(address, &fresh, "localhost")), new);
            wait_for("a handshake", || (shaken.load(Ordering::Relaxed) > seen).then_some(()));
        }
        over.store(true, Ordering::Relaxed);
    });
    eprintln!("{SWAPS} swaps, {} handshakes", shaken.load(Ordering::Relaxed));
}

fn a_reload_with_a_broken_file_keeps_the_one_before(driver: Choice) {
    let mut renewed = Renewed::start(driver);
    let config = Arc::new(tls::client_config(&renewed.authority, Version::Any));
    let good = shown(&mut tls::client(renewed.gate.address(), &config, "localhost"));
    // The key of another certificate.
    renewed.authority.write("site.key", &renewed.authority.issue(&["localhost"]).key_pem);
    let refused = renewed.gate.reload(&renewed.plan.text()).expect_err("they do not fit");
    assert!(refused.to_string().contains("site.key") || refused.to_string().contains("site.pem"), "{refused}");
    renewed.authority.write("site.pem", "nothing of use\n");
    renewed.gate.reload(&renewed.plan.text()).expect_err("no certificate");
    let fresh = Arc::new(tls::client_config(&renewed.authority, Version::Any));
    let mut client = tls::client(renewed.gate.address(), &fresh, "localhost");
    assert_eq!((shown(&mut client), client.get("/").status), (good, 200));
}

/// By whoever looks at the files every second: nobody asks for a reload.
#[test]
fn files_that_change_are_served_without_a_reload() {
    let service = Service::answering(|_| ok("good"));
    let authority = Authority::new("renews them");
    let plan = Plan::to(&service).listener(&crate::secured(&authority, ""));
    let process = Process::start(crate::BINARY, &plan.text(), "auto");
    let config = Arc::new(tls::client_config(&authority, Version::Any));
    let mut old = tls::client(process.address(), &config, "localhost");
    assert_eq!(old.get("/").status, 200);
    // Every handshake on the way succeeds, with the one certificate or the other.
    let served = || {
        let fresh = Arc::new(tls::client_config(&authority, Version::Any));
        let mut client = tls::client(process.address(), &fresh, "localhost");
        assert_eq!(client.get("/").status, 200);
        shown(&mut client)
    };
    for _ in 0..2 {
        let issued = authority.issue(&["localhost"]);
        authority.save("site", &issued);
        wait_for("the new certificate", || (served() == issued.der).then_some(()));
    }
    let good = served();
    authority.write("site.key", &authority.issue(&["localhost"]).key_pem);
    wait_for("a word on the key that does not fit", || {
        process.stderr().lines().any(|line| line.contains("still served")).then_some(())
    });
    assert_eq!(served(), good);
    assert_eq!(old.get("/").status, 200, "a connection that was there before goes on");
}
