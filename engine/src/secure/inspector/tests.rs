use super::super::tests::{Authority, params};
use super::*;
use rcgen::KeyPair;

const NOW: i64 = 1_800_000_000;

fn flaw_of(chain: &str, key: &str) -> (Part, String) {
    let (part, flaw) = Inspector.certificate(chain.as_bytes(), key.as_bytes()).expect_err("a flaw");
    assert!(!flaw.hint.is_empty());
    (part, flaw.message)
}

#[test]
fn a_good_pair_gives_its_names_and_no_warnings() {
    let made = Authority::new("authority").ecdsa(&["A.example", "*.b.example"]);
    let facts = Inspector.certificate(made.cert.as_bytes(), made.key.as_bytes()).expect("good");
    assert_eq!(facts.names, ["a.example", "*.b.example"]);
    assert_eq!(facts.warnings, [""; 0]);
}

#[test]
fn what_is_wrong_with_a_pair_is_said_of_the_right_file() {
    let authority = Authority::new("authority");
    let (one, two) = (authority.ecdsa(&["a.example"]), authority.rsa(&["a.example"]));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let cut = &one.cert[..one.cert.len() - 30];
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let odd_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let not_base64 = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    let many = one.cert.repeat(17);
    for (chain, key, part, words) in [
        ("", one.key.as_str(), Part::Chain, "holds no certificate"),
        (&one.key, &one.cert, Part::Chain, "holds a private key, and no certificate"),
        (cut, &one.key, Part::Chain, "breaks off"),
        (garbage, &one.key, Part::Chain, "begins with a certificate that is no certificate in DER"),
        (not_base64, &one.key, Part::Chain, "has a block that is no base64"),
        (&many, &one.key, Part::Chain, "holds 17 certificates"),
        (&one.cert, "", Part::Key, "holds no private key"),
        (&one.cert, &one.cert, Part::Key, "holds a certificate, and no private key"),
        (&one.cert, encrypted, Part::Key, "holds a key that is encrypted with a pass phrase"),
        (&one.cert, odd_key, Part::Key, "holds a key that can't be used"),
        (&one.cert, &two.key, Part::Key, "holds a key that is not the certificate's"),
    ] {
        let (found, message) = flaw_of(chain, key);
        assert!(found == part && message.starts_with(words), "{words}: {message}");
    }
    let (part, flaw) = Inspector.certificate(&one.der, one.key.as_bytes()).expect_err("DER");
    assert_eq!((part, flaw.message.as_str()), (Part::Chain, "is in DER, not in PEM"));
    assert!(flaw.hint.contains("openssl x509 -inform der"));
    let der = super::super::pem::key(two.key.as_bytes()).expect("a key");
    let (part, flaw) = Inspector.certificate(one.cert.as_bytes(), der.secret_der()).expect_err("DER");
    assert_eq!((part, flaw.message.as_str()), (Part::Key, "is in DER, not in PEM"));
}

#[test]
fn a_flaw_shows_nothing_of_a_key() {
    let made = Authority::new("authority").ecdsa(&["a.example"]);
    let secret: Vec<&str> = made.key.lines().filter(|line| line.len() > 20 && !line.starts_with('-')).collect();
    for key in [&made.key[..made.key.len() - 40], &made.key.replace("END", "XXX"), &made.key.replace('\n', "!\n")] {
        let (_, flaw) = Inspector.certificate(made.cert.as_bytes(), key.as_bytes()).expect_err("broken");
        let said = format!("{flaw:?}");
        assert!(secret.iter().all(|line| !said.contains(line)), "{said}");
    }
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let (authority, other) = (Authority::new("authority"), Authority::new("other"));
    let made = authority.ecdsa(&["a.example"]);
    let warned = |chain: &str, key: &str| {
        Inspector.certificate(chain.as_bytes(), key.as_bytes()).expect("good").warnings.join("; ")
    };
    assert_eq!(warned(&format!("{}{}", made.cert, authority.pem), &made.key), "");
    let wrong = format!("{}{}{}", made.cert, other.pem, authority.pem);
    assert!(warned(&wrong, &made.key).contains("number 2 has not signed number 1"));
    let both = format!("{}{}", made.key, made.cert);
    assert!(warned(&both, &both).contains("has a private key beside it"));
    let nameless = authority.ecdsa(&[]);
    assert!(warned(&nameless.cert, &nameless.key).contains("holds no name of a host"));
    let address = authority.ecdsa(&["192.0.2.1"]);
    assert_eq!(warned(&address.cert, &address.key), "");
    let mut expired = params(&["a.example"]);
    expired.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let expired = authority.sign(expired, KeyPair::generate().expect("a key"));
    let said = warned(&expired.cert, &expired.key);
    assert!(said.starts_with("expired ") && said.ends_with(" days ago: clients refuse it"), "{said}");
}

#[test]
fn days_are_counted_to_the_end_of_a_certificate() {
    let made = Authority::new("authority").ecdsa(&["a.example"]);
    let mut facts = Facts::read(&made.der).expect("a certificate");
    for (before, after, words) in [
        (NOW - 1, NOW + 31 * DAY, None),
        (NOW - 1, NOW + 30 * DAY, None),
        (NOW - 1, NOW + 30 * DAY - 1, Some("expires in 29 days")),
        (NOW - 1, NOW + DAY, Some("expires in 1 day")),
        (NOW - 1, NOW + DAY - 1, Some("expires in less than a day")),
        (NOW - 1, NOW, Some("expires in less than a day")),
        (NOW - 9 * DAY, NOW - 3 * DAY, Some("expired 3 days ago: clients refuse it")),
        (NOW + 2 * DAY, NOW + 90 * DAY, Some("is not valid yet: it will be in 2 days")),
    ] {
        (facts.not_before, facts.not_after) = (before, after);
        assert_eq!(validity(&facts, NOW), words.map(str::to_owned).into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn authorities_and_revocations_are_looked_at() {
    let authority = Authority::new("authority");
    assert_eq!(Inspector.authorities(Some(authority.pem.as_bytes())), Ok(()));
    let message = |result: Result<(), Flaw>| result.expect_err("a flaw").message;
    assert_eq!(message(Inspector.authorities(Some(b"# none\n"))), "holds no certificate");
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let both = format!("{}{garbage}", authority.pem);
    assert!(
        message(Inspector.authorities(Some(both.as_bytes())))
            .starts_with("holds a certificate that can't be used, number 2")
    );
    let list = authority.revokes(&[], 2999);
    assert_eq!(Inspector.revocations(list.as_bytes()), Ok(()));
    let der = super::super::pem::lists(list.as_bytes()).expect("a list").remove(0);
    assert_eq!(Inspector.revocations(&der), Ok(()), "DER is taken too");
    assert_eq!(message(Inspector.revocations(authority.pem.as_bytes())), "holds no revocation list");
    assert!(message(Inspector.revocations(&der[..der.len() - 1])).contains("can't be read, number 1"));
}

#[test]
fn suites_have_the_names_of_the_registry_too() {
    let suites = Inspector.suites();
    for name in ["TLS13_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"] {
        assert!(suites.contains(&(name, TlsVersion::Tls13)), "{name}");
    }
    assert!(suites.contains(&("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", TlsVersion::Tls12)));
    for (name, _) in suites {
        assert!(provider::provider_with(&[name.to_owned()]).is_ok(), "{name}");
    }
}

#[test]
fn the_system_is_asked_once() {
    // Where there are none, that is what is said.
    match (system_roots(), system_roots()) {
        (Ok(one), Ok(other)) => assert!(Arc::ptr_eq(&one, &other)),
        (Err(one), Err(_)) => assert!(one.hint.contains("ca-certificates")),
        _ => panic!("found once only"),
    }
}
