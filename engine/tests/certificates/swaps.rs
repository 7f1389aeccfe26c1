//! Certificates that change under load.

use crate::files::{Site, shown};
use crate::support::{Gate, on_both_drivers, wait_for};
use ringgate::control::Inspector;
use ringgate_config::Disk;
use ringgate_rt::driver::Choice;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How often the certificate is exchanged.
const SWAPS: usize = 100;

on_both_drivers!(no_handshake_fails_while_certificates_change);

fn no_handshake_fails_while_certificates_change(driver: Choice) {
    let (site, _) = Site::new();
    let text = site.config("");
    let config = ringgate_config::parse_with("test.yaml", &text, &|_| None, &Disk, &Inspector);
    let gate = Gate::of(&config.unwrap_or_else(|why| panic!("{why}")), driver);
    let (at, done, made) = (gate.address(), AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let connect = || {
            while !done.load(Ordering::Relaxed) {
                site.connect(at).expect("a handshake and an answer");
                made.fetch_add(1, Ordering::Relaxed);
            }
        };
        let clients = [scope.spawn(connect), scope.spawn(connect)];
        for _ in 0..SWAPS {
            let next = site.make();
            site.put(&next);
            let before = made.load(Ordering::Relaxed);
            assert!(gate.running().look_at_certificates());
            assert!(shown(&site.connect(at).expect("a handshake"), &next));
            wait_for("another handshake", || {
                let ended = clients.iter().any(|client| client.is_finished());
                (ended || made.load(Ordering::Relaxed) > before).then_some(())
            });
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(made.load(Ordering::Relaxed) >= SWAPS);
}
