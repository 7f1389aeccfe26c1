use super::*;
use proptest::prelude::*;
use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_ED25519,
    PKCS_RSA_SHA256, SanType, SerialNumber, date_time_ymd,
};

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// A certificate with these parts of its subject and these alternative names.
fn made(subject: &[(DnType, DnValue)], sans: Vec<SanType>) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    subject.iter().for_each(|(kind, value)| params.distinguished_name.push(kind.clone(), value.clone()));
    params.subject_alt_names = sans;
    params.serial_number = Some(SerialNumber::from_slice(&[0x0a, 0xff, 0x01]));
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2050, 6, 7);
    params.self_signed(&key()).expect("signed").der().to_vec()
}

fn utf8(text: &str) -> DnValue {
    DnValue::Utf8String(text.to_owned())
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(Ia5String::try_from(name).expect("ASCII"))
}

fn subject_of(value: DnValue) -> String {
    Facts::read(&made(&[(DnType::CommonName, value)], Vec::new())).expect("a certificate").subject
}

#[test]
fn a_certificate_says_what_was_put_into_it() {
    let sans = vec![
        dns("API.example.com"),
        dns("*.example.com"),
        SanType::IpAddress("192.0.2.1".parse().expect("an address")),
        SanType::IpAddress("2001:db8::1".parse().expect("an address")),
        SanType::URI(Ia5String::try_from("spiffe://example.com/a").expect("ASCII")),
        SanType::Rfc822Name(Ia5String::try_from("ops@example.com").expect("ASCII")),
    ];
    let subject = [(DnType::OrganizationName, utf8("Example")), (DnType::CommonName, utf8("orders"))];
    let der = made(&subject, sans);
    let facts = Facts::read(&der).expect("a certificate");
    assert_eq!(facts.subject, "CN=orders,O=Example");
    assert_eq!(facts.names, ["api.example.com", "*.example.com"]);
    let sans = [
        "DNS:API.example.com",
        "DNS:*.example.com",
        "IP:192.0.2.1",
        "IP:2001:db8::1",
        "URI:spiffe://example.com/a",
        "email:ops@example.com",
    ];
    assert_eq!(facts.sans, sans);
    assert_eq!(facts.serial, "0aff01");
    assert_eq!((facts.not_before, facts.not_after), (1_577_836_800, 2_538_172_800));
    assert_eq!(facts.fingerprint, fingerprint(&der));
}

#[test]
fn the_common_name_is_no_name_of_a_host() {
    let facts = Facts::read(&made(&[(DnType::CommonName, utf8("a.example"))], Vec::new())).expect("a certificate");
    assert_eq!((facts.names.len(), facts.sans.len()), (0, 0));
    let nobody = Facts::read(&made(&[], Vec::new())).expect("a certificate");
    assert_eq!(nobody.subject, "");
}

#[test]
fn what_a_subject_holds_ends_neither_a_line_nor_a_value() {
    for (value, text) in [
        ("plain", "CN=plain"),
        ("a, O=Admin", r"CN=a\, O=Admin"),
        (r#"q"u\o+t;e<d>"#, r#"CN=q\"u\\o\+t\;e\<d\>"#),
        (" spaces ", r"CN=\ spaces\ "),
        ("#hash#", r"CN=\#hash#"),
        ("a\r\nset-cookie: x", r"CN=a\0D\0Aset-cookie: x"),
        ("nul\0tab\t", r"CN=nul\00tab\09"),
        ("M\u{fc}ller", "CN=M\u{fc}ller"),
        ("\u{202e}gnp.exe", r"CN=\E2\80\AEgnp.exe"),
        ("\u{85}", r"CN=\C2\85"),
    ] {
        assert_eq!(subject_of(utf8(value)), text, "{value:?}");
    }
    // A kind of text that is not read is shown as it lies there.
    let wide = rcgen::string::BmpString::try_from("AB").expect("text");
    assert_eq!(subject_of(DnValue::BmpString(wide)), "CN=#00410042");
}

#[test]
fn alternative_names_can_be_listed() {
    let uri = |text: &str| SanType::URI(Ia5String::try_from(text).expect("ASCII"));
    let sans = vec![uri("x:a,DNS:admin.example"), uri("x:\r\n\"\\+;"), dns("bad name"), dns("a.example"), dns("")];
    let facts = Facts::read(&made(&[], sans)).expect("a certificate");
    assert_eq!(facts.sans[0], r"URI:x:a\,DNS:admin.example");
    assert_eq!(facts.sans[1], r#"URI:x:\0D\0A\"\\+;"#);
    assert_eq!(facts.names, ["a.example"], "what can be no name is none");
}

#[test]
fn much_is_cut_to_its_bounds() {
    let many = (0..SANS_MAX + 1).map(|n| dns(&format!("n{n}.example"))).collect();
    let facts = Facts::read(&made(&[], many)).expect("a certificate");
    assert_eq!((facts.names.len(), facts.sans.len()), (SANS_MAX, SANS_MAX));
    for (length, kept) in [(TEXT_BYTES_MAX - 3, TEXT_BYTES_MAX), (TEXT_BYTES_MAX - 2, TEXT_BYTES_MAX)] {
        let subject = subject_of(utf8(&"x".repeat(length)));
        assert_eq!((subject.len(), subject.ends_with("...")), (kept, length > TEXT_BYTES_MAX - 3), "{length}");
    }
    // Never within a character.
    let wide = subject_of(utf8(&"\u{20ac}".repeat(1000)));
    assert!(wide.len() <= TEXT_BYTES_MAX && wide.ends_with("\u{20ac}..."), "{wide}");
    let long = Facts::read(&made(&[], vec![dns(&"x".repeat(254)), dns(&"y".repeat(253))])).expect("a certificate");
    assert_eq!(long.names, ["y".repeat(253)]);
}

#[test]
fn keys_have_their_kind_and_bits() {
    for (kind, expected, shown) in [
        (&PKCS_ECDSA_P256_SHA256, KeyKind::Ecdsa(256), "ECDSA 256"),
        (&PKCS_ECDSA_P384_SHA384, KeyKind::Ecdsa(384), "ECDSA 384"),
        (&PKCS_ECDSA_P521_SHA512, KeyKind::Ecdsa(521), "ECDSA 521"),
        (&PKCS_ED25519, KeyKind::Ed25519, "Ed25519"),
        (&PKCS_RSA_SHA256, KeyKind::Rsa(2048), "RSA 2048"),
    ] {
        let key = KeyPair::generate_for(kind).expect("a key");
        let der = CertificateParams::default().self_signed(&key).expect("signed");
        let found = Facts::read(der.der()).expect("a certificate").key;
        assert_eq!((found, found.to_string().as_str()), (expected, shown));
    }
    assert_eq!([bits(&[]), bits(&[0, 0]), bits(&[0, 0x7f, 1]), bits(&[0x80])], [0, 0, 15, 8]);
}

#[test]
fn issuers_and_lists_say_what_they_name() {
    let (authority_key, leaf_key) = (key(), key());
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::CrlSign];
    authority.distinguished_name = DistinguishedName::new();
    authority.distinguished_name.push(DnType::CommonName, "authority");
    let root = authority.self_signed(&authority_key).expect("signed");
    let issuer = Issuer::new(authority, authority_key);
    let leaf = CertificateParams::default().signed_by(&leaf_key, &issuer).expect("signed");
    assert!(names_as_issuer(leaf.der(), root.der()) && names_as_issuer(root.der(), root.der()));
    assert!(!names_as_issuer(root.der(), leaf.der()) && !names_as_issuer(leaf.der(), b"nothing"));
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(2030, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&issuer).expect("signed");
    assert_eq!(next_update(list.der()), Some(1_893_456_000));
    assert_eq!(next_update(root.der()), None);
}

#[test]
fn what_is_no_certificate_or_not_one_alone_is_refused() {
    let mut der = made(&[], vec![dns("a.example")]);
    assert_eq!(Facts::read(&[]), Err(Flaw::Malformed));
    assert_eq!(Facts::read(&der[..der.len() - 1]), Err(Flaw::Malformed));
    der.push(0);
    assert_eq!(Facts::read(&der), Err(Flaw::Trailing));
}

/// Every text of a certificate can stand in a header field, and is within its bound.
fn holds(facts: &Facts) -> bool {
    let texts = [&facts.subject, &facts.serial].into_iter().chain(&facts.names).chain(&facts.sans);
    texts.into_iter().all(|text| text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control))
}

proptest! {
    #[test]
    fn anything_may_be_sent(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Facts::read(&bytes).is_ok_and(|facts| holds(&facts)) || Facts::read(&bytes).is_err());
        let _ = (next_update(&bytes), names_as_issuer(&bytes, &bytes));
    }

    #[test]
    fn a_certificate_may_be_damaged_anywhere(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        static GOOD: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
            let subject = [(DnType::CommonName, utf8("a")), (DnType::OrganizationName, utf8("b"))];
            made(&subject, vec![dns("a.example"), SanType::IpAddress([192, 0, 2, 1].into())])
        });
        let mut der = GOOD.clone();
        for (place, byte) in changes {
            let at = place.index(der.len());
            der[at] = byte;
        }
        if let Ok(facts) = Facts::read(&der) {
            prop_assert!(holds(&facts));
        }
    }

    #[test]
    fn any_subject_is_one_line(text in "\\PC{0,40}|(?s).{0,40}") {
        let subject = subject_of(utf8(&text));
        prop_assert!(!subject.chars().any(char::is_control), "{subject:?}");
    }
}
