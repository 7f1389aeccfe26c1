//! What clients must not send.

use crate::corpus::{self, Case, HIDDEN};
use crate::support::client::End;
use crate::support::process::Process;
use crate::support::service::ok;
use crate::support::{Client, Service};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A service that takes note of every head as soon as it has come, whatever follows it, and counts those with a bad
/// body that came whole all the same.
fn noting(whole: Arc<AtomicUsize>) -> Service {
    Service::start(move |connection| {
        while let Some(request) = connection.head() {
            if connection.wire.body(&request.fields, false).is_err() {
                return;
            }
            if request.target != "/good" {
                whole.fetch_add(1, Ordering::SeqCst);
            }
            if !connection.send(ok("good")) {
                return;
            }
        }
    })
}

const GOOD: &str = "GET /good HTTP/1.1\r\nHost: h\r\n\r\n";

/// How a case is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Setting {
    Alone,
    /// Behind a good request, in the same send.
    Pipelined,
    /// On a connection that has had an answer, in two pieces.
    Split,
}

fn check(process: &Process, case: &Case, setting: Setting) -> Result<(), String> {
    let mut client = process.client();
    // A gateway that has refused already may take no more.
    let _ = match setting {
        Setting::Alone => client.try_send(&case.bytes),
        Setting::Pipelined => client.try_send([GOOD.as_bytes(), &case.bytes].concat()),
        Setting::Split => {
            client.send(GOOD);
            Ok(())
        }
    };
    if setting != Setting::Alone {
        let good = client.try_answer().map_err(|error| format!("the good one: {error}"))?;
        if (good.status, good.body.as_slice()) != (200, b"good") {
            return Err(format!("the good one: {good:?}"));
        }
    }
    if setting == Setting::Split {
        let (one, two) = case.bytes.split_at(case.bytes.len() / 2);
        let _ = client.try_send(one).and_then(|()| client.try_send(two));
    }
    refused(client, case)
}

fn refused(mut client: Client, case: &Case) -> Result<(), String> {
    let answer = client.try_answer().map_err(|error| format!("no answer: {error}"))?;
    if answer.status != case.status {
        return Err(format!("{} and not {}: {}", answer.status, case.status, String::from_utf8_lossy(&answer.body)));
    }
    if answer.fields.get("connection") != Some("close") || !answer.fields.has("x-request-id") {
        return Err(format!("fields: {:?}", answer.fields));
    }
    let error = answer.json()["error"].as_str().map(str::to_string);
    if error.is_none() {
        return Err(format!("not the gateway's own answer: {answer:?}"));
    }
    let end = client.end_after_bytes();
    match client.wire.pending.as_slice() {
        [] if end == End::Closed => Ok(()),
        [] => Err("the connection was reset".into()),
        more => Err(format!("a second answer: {:?}", String::from_utf8_lossy(more))),
    }
}

#[test]
fn every_malformed_request_gets_its_status_and_the_end_of_its_connection() {
    let whole = Arc::new(AtomicUsize::new(0));
    let service = noting(whole.clone());
    let process = crate::process(&service);
    let cases = corpus::all();
    assert!(cases.len() > 4000, "{} cases", cases.len());
    let mut wrong = Vec::new();
    let mut run = |case: &Case, setting| {
        if let Err(what) = check(&process, case, setting) {
            let text = String::from_utf8_lossy(&case.bytes[..case.bytes.len().min(300)]).into_owned();
            wrong.push(format!("{setting:?} {text:?}: {what}"));
        }
    };
    // One in so many first, so that every path has its memory.
    let warm_up = cases.len() / 500;
    for case in cases.iter().step_by(warm_up) {
        run(case, Setting::Pipelined);
    }
    let before = process.rss_kib();
    for (at, case) in cases.iter().enumerate() {
        run(case, Setting::Alone);
        run(case, if at % 4 == 0 { Setting::Split } else { Setting::Pipelined });
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong[..wrong.len().min(60)].join("\n"));

    let leaked: Vec<String> =
        service.requests().into_iter().map(|r| r.target).filter(|t| t != "/good" && t != "/body").collect();
    assert!(leaked.is_empty(), "reached the service: {:?}", &leaked[..leaked.len().min(20)]);
    assert_eq!(whole.load(Ordering::SeqCst), 0, "bad bodies that came whole");
    let after = crate::settled_rss_kib(&process, before + crate::GROWTH_KIB_MAX);
    eprintln!("{} cases twice; resident before {before} KiB, after {after} KiB", cases.len());
    assert!(after <= before + crate::GROWTH_KIB_MAX, "memory grew from {before} KiB to {after} KiB");
}

#[test]
fn a_request_in_a_body_stays_a_body() {
    let service = Service::answering(|request| ok(&request.target));
    let process = crate::process(&service);
    let hidden = format!("GET {HIDDEN} HTTP/1.1\r\nHost: h\r\n\r\n");
    let length = hidden.len();
    let bodies = [
        format!("Content-Length: {length}\r\n\r\n{hidden}"),
        format!("content-length:\t{length} \r\n\r\n{hidden}"),
        format!("Content-Length: {length}\r\nContent-Length: {length}\r\n\r\n{hidden}"),
        format!("Content-Length: 0{length}\r\n\r\n{hidden}"),
        format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{hidden}\r\n0\r\n\r\n"),
        format!("transfer-encoding:\t CHUNKED \r\n\r\n{length:X};a=\"0\\\"\"\r\n{hidden}\r\n000;b\r\n\r\n"),
        format!("Connection: content-length\r\nContent-Length: {length}\r\n\r\n{hidden}"),
        format!(
            "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{hidden}\r\n0\r\n\r\n"
        ),
    ];
    for method in ["POST", "GET", "DELETE", "HEAD", "OPTIONS"] {
        for body in &bodies {
            let before = service.request_count();
            let mut client = process.client();
            client.send(format!("{method} /outer HTTP/1.1\r\nHost: h\r\n{body}{GOOD}"));
            assert_eq!(client.answer_to(method).status, 200, "{method} {body:?}");
            assert_eq!(client.answer().text(), "/good", "{method} {body:?}");
            let requests = service.requests().split_off(before);
            let targets: Vec<&str> = requests.iter().map(|r| r.target.as_str()).collect();
            assert_eq!(targets, ["/outer", "/good"], "{method} {body:?}");
            assert_eq!(requests[0].body, hidden.as_bytes(), "{method} {body:?}");
        }
    }
}
