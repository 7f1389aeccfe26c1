//! Answers that the gateway makes itself.

use super::ends::Downstream;
use crate::model::{AnswerHead, BodySize, Edits, Fault};
use crate::observe::json;
use ringgate_protocols::wire::{Fields, Method};
use ringgate_rt::Buf;
use std::sync::LazyLock;

/// Methods that a service may be asked for, for the 405 of those that it never is (TRACE, CONNECT).
const USUAL_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

static NO_FIELDS: LazyLock<Fields> = LazyLock::new(Fields::default);

/// What a fault's answer says besides its fault.
#[derive(Clone, Copy)]
pub(crate) struct Extra<'a> {
    pub(crate) request_id: &'a [u8],
    pub(crate) date: [u8; 29],
    /// Methods that would have been taken, for 405.
    pub(crate) allow: &'a [Box<[u8]>],
    /// `strict-transport-security`, if it is to be told.
    pub(crate) hsts: Option<&'a [u8]>,
}

/// Sends the answer for a fault that has a status. Returns how many bytes its body has.
pub(crate) fn send_fault<D: Downstream>(
    down: &mut D,
    edits: &mut Edits,
    fault: Fault,
    status: u16,
    extra: Extra<'_>,
) -> u64 {
    let body = body(fault, extra.request_id);
    edits.clear();
    edits.add("content-type", &[b"application/json"]);
    edits.add("date", &[&extra.date]);
    edits.add("x-request-id", &[extra.request_id]);
    set_hsts(edits, None, extra.hsts);
    match status {
        405 => edits.add("allow", &[&allow(extra.allow)]),
        503 => edits.add("retry-after", &[b"1"]),
        _ => {}
    }
    let head = AnswerHead {
        bytes: b"",
        status,
        reason: reason(status).as_bytes(),
        fields: &NO_FIELDS,
        body: BodySize::Known(body.len() as u64),
        stated_length: Some(body.len() as u64),
    };
    let mut buf = Buf::with_room_for(body.len());
    buf.append(&body);
    down.put_head(&head, edits);
    down.send_data(buf, true);
    if down.head().method == Method::Head { 0 } else { body.len() as u64 }
}

const HSTS: &str = "strict-transport-security";

/// Tells browsers that later visits are to be over TLS (RFC 6797), whatever a service tells them in its `head`.
pub(crate) fn set_hsts(edits: &mut Edits, head: Option<&AnswerHead<'_>>, hsts: Option<&[u8]>) {
    let Some(hsts) = hsts else { return };
    for (position, field) in head.iter().flat_map(|head| head.fields.iter().enumerate()) {
        if head.is_some_and(|head| field.name.of(head.bytes).eq_ignore_ascii_case(HSTS.as_bytes())) {
            edits.drop_at(position);
        }
    }
    edits.add(HSTS, &[hsts]);
}

/// The value of `Allow` for these methods.
pub(crate) fn allow(methods: &[Box<[u8]>]) -> Vec<u8> {
    if methods.is_empty() { USUAL_METHODS.as_bytes().to_vec() } else { methods.join(&b", "[..]) }
}

fn body(fault: Fault, request_id: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(256);
    json::object(
        &mut body,
        &[("error", fault.code().as_bytes()), ("message", fault.message().as_bytes()), ("request_id", request_id)],
    );
    body.push(b'\n');
    body
}

/// The reason phrase of a status that the gateway answers with (RFC 9110 section 15).
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        429 => "Too Many Requests",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        508 => "Loop Detected",
        _ => "",
    }
}
