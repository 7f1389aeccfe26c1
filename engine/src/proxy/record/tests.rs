use super::*;
use crate::proxy::view;
use ringgate_config::{AccessLog, LogFormat};
use ringgate_protocols::h1::{self, HeadLimits};

const LIMITS: HeadLimits = HeadLimits { header_bytes: 32 * 1024, headers: 100, target_bytes: 16 * 1024 };

/// 24 November 2026, 18:50:00.123.
const TIME: u64 = 1_795_546_200_123_000;

fn record() -> Record<'static> {
    Record {
        unix_micros: TIME,
        request_id: b"0123456789abcdef",
        client: Some(b"192.0.2.7"),
        listener: "plain",
        protocol: "HTTP/1.1",
        method: b"GET",
        host: b"api.example.com",
        target: b"/users/7?a=b",
        route: Some("users"),
        upstream: Some("people"),
        endpoint: Some("10.0.0.1:9001"),
        status: 200,
        bytes_in: 0,
        bytes_out: 1024,
        duration: 1_234,
        upstream_time: Some(1_007),
        fault: None,
        server_name: None,
        secured: None,
    }
}

/// The line of a record, and of a request with these header lines.
fn line(record: &Record<'_>, plan: &AccessLog, fields: &[u8]) -> String {
    let bytes = [b"GET / HTTP/1.1\r\nhost: h\r\n", fields, b"\r\n"].concat();
    let mut head = h1::RequestHead::new();
    head.parse(&bytes, &LIMITS).expect("a good head");
    let mut out = Vec::new();
    record.write(&LogPlan::compile(plan), &view::request(&head, &bytes), &mut out);
    String::from_utf8(out).expect("UTF-8")
}

fn json(headers: &[&str]) -> AccessLog {
    AccessLog { headers: headers.iter().map(ToString::to_string).collect(), ..AccessLog::default() }
}

fn combined() -> AccessLog {
    AccessLog { format: LogFormat::Combined, ..AccessLog::default() }
}

#[test]
fn a_json_line_has_the_keys_of_the_contract_in_their_order() {
    assert_eq!(
        line(&record(), &json(&[]), b""),
        "{\"time\":\"2026-11-24T18:50:00.123Z\",\"request_id\":\"0123456789abcdef\",\"client\":\"192.0.2.7\",\
         \"listener\":\"plain\",\"protocol\":\"HTTP/1.1\",\"method\":\"GET\",\"host\":\"api.example.com\",\
         \"target\":\"/users/7?a=b\",\"route\":\"users\",\"upstream\":\"people\",\"endpoint\":\"10.0.0.1:9001\",\
         \"status\":200,\"bytes_in\":0,\"bytes_out\":1024,\"duration_ms\":1.234,\"upstream_ms\":1.007,\"fault\":null}\n"
    );
    let keys: Vec<&str> = LogValue::every().map(|(name, _)| name).collect();
    let said = line(&record(), &AccessLog { tls: true, ..json(&[]) }, b"");
    let places: Vec<usize> = keys.iter().map(|key| said.find(&format!("\"{key}\":")).expect("every value")).collect();
    assert!(places.is_sorted(), "in the order in which the configuration names them");
}

#[test]
fn headers_that_are_asked_for_are_there_and_null_if_they_were_not_sent() {
    let said = line(
        &record(),
        &json(&["user-agent", "x-tenant", "x-none"]),
        b"X-Tenant: a\"b\r\nUser-Agent: curl/8\r\nx-tenant: \xff\r\n",
    );
    assert!(
        said.ends_with(
            "\"fault\":null,\"headers\":{\"user-agent\":\"curl/8\",\"x-tenant\":\"a\\\"b, \u{fffd}\",\"x-none\":null}}\n"
        ),
        "{said}"
    );
}

#[test]
fn what_a_client_shows_stays_in_its_place() {
    let secured = Secured {
        server_name: Some("api.example.com".into()),
        version: "TLSv1.3",
        suite: "TLS_AES_128_GCM_SHA256",
        client: Some(ClientCertificate {
            subject: "CN=\"evil\\,O=x".into(),
            sans: "DNS:a, URI:b".into(),
            fingerprint: "00ff".into(),
        }),
    };
    let over_tls = || Record { secured: Some(&secured), server_name: secured.server_name.as_deref(), ..record() };
    let plan = AccessLog { tls: true, ..json(&[]) };
    let members = "\"fault\":null,\"tls_version\":\"TLSv1.3\",\"tls_cipher\":\"TLS_AES_128_GCM_SHA256\",\
                   \"server_name\":\"api.example.com\",\"client_subject\":\"CN=\\\"evil\\\\,O=x\",\
                   \"client_sans\":\"DNS:a, URI:b\"}\n";
    let said = line(&over_tls(), &plan, b"");
    assert!(said.ends_with(members), "{said}");
    // Clear text, and a log that does not ask.
    let said = line(&record(), &plan, b"");
    assert!(said.contains("\"tls_version\":null") && said.contains("\"client_sans\":null"), "{said}");
    assert!(!line(&over_tls(), &json(&[]), b"").contains("tls_version"));
    let values = LogValue::TLS.into_iter().flat_map(|(_, value)| [LogPart::Value(value), LogPart::Literal(" ".into())]);
    let plan = AccessLog { format: LogFormat::Template(values.collect()), ..AccessLog::default() };
    let plain = "TLSv1.3 TLS_AES_128_GCM_SHA256 api.example.com CN=\\x22evil\\x5C,O=x DNS:a, URI:b \n";
    assert_eq!(line(&over_tls(), &plan, b""), plain);
    assert_eq!(line(&record(), &plan, b""), "- - - - - \n");
}

#[test]
fn a_refused_request_has_nulls() {
    let refused = Record {
        client: None,
        route: None,
        upstream: None,
        endpoint: None,
        upstream_time: None,
        status: 404,
        fault: Some(Fault::NoRoute),
        ..record()
    };
    let said = line(&refused, &json(&[]), b"");
    for part in ["\"client\":null", "\"route\":null", "\"upstream_ms\":null", "\"fault\":\"no_route\"}"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_combined_line_is_what_log_readers_know() {
    let fields = b"Referer: https://www.example.com/\r\nUser-Agent: Mozilla/5.0 (X11)\r\n";
    assert_eq!(
        line(&record(), &combined(), fields),
        "192.0.2.7 - - [24/Nov/2026:18:50:00 +0000] \"GET /users/7?a=b HTTP/1.1\" 200 1024 \
         \"https://www.example.com/\" \"Mozilla/5.0 (X11)\"\n"
    );
    assert_eq!(
        line(&Record { client: None, method: b"", status: 0, bytes_out: 0, ..record() }, &combined(), b""),
        "- - - [24/Nov/2026:18:50:00 +0000] \"-\" 000 0 \"-\" \"-\"\n"
    );
}

#[test]
fn nobody_can_write_a_line_of_their_own_into_a_text_log() {
    let evil = Record { target: b"/\n1.2.3.4 - \"\\\x1b[2J\x7f\xc3\xa9", ..record() };
    let said = line(&evil, &combined(), b"User-Agent: \" 200 1 \"\r\n");
    assert_eq!(
        said,
        "192.0.2.7 - - [24/Nov/2026:18:50:00 +0000] \"GET /\\x0A1.2.3.4 - \\x22\\x5C\\x1B[2J\\x7F\\xC3\\xA9 HTTP/1.1\" \
         200 1024 \"-\" \"\\x22 200 1 \\x22\"\n"
    );
}

#[test]
fn a_template_fills_in_each_value() {
    let mut parts = Vec::new();
    for (name, value) in LogValue::ALL {
        parts.push(LogPart::Literal(format!("{name}=")));
        parts.push(LogPart::Value(value));
        parts.push(LogPart::Literal(" ".into()));
    }
    parts.push(LogPart::Header("x-tenant".into()));
    let plan = AccessLog { format: LogFormat::Template(parts), ..AccessLog::default() };
    let failed = Record { upstream_time: None, fault: Some(Fault::ClientGone), ..record() };
    assert_eq!(
        line(&failed, &plan, b"x-tenant: a\r\nx-tenant: b\"\r\n"),
        "time=2026-11-24T18:50:00.123Z request_id=0123456789abcdef client=192.0.2.7 listener=plain protocol=HTTP/1.1 \
         method=GET host=api.example.com target=/users/7?a=b route=users upstream=people endpoint=10.0.0.1:9001 status=200 \
         bytes_in=0 bytes_out=1024 duration_ms=1.234 upstream_ms=- fault=client_gone a, b\\x22\n"
    );
}

#[test]
fn every_value_is_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/observability.md");
    let text = std::fs::read_to_string(path).expect("docs/observability.md");
    let keys = |line: &&str| line.starts_with("| `") && line.matches('|').count() == 3;
    let cells: Vec<&str> = text.lines().filter(keys).filter_map(|line| line.split('|').nth(1)).collect();
    for (name, _) in LogValue::every() {
        assert!(cells.iter().any(|cell| cell.contains(&format!("`{name}`"))), "{name}");
    }
}
