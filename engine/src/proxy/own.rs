//! Answers that a route makes itself: redirects and fixed answers.

use super::answer::{reason, set_hsts};
use super::ends::Downstream;
use super::exchange::{Asked, Context, OWN_ANSWER_TIMEOUT, Trail, sent};
use super::snapshot::ActionPlan;
use super::template::{Place, fill, write_host};
use crate::model::{AnswerHead, BodySize, Edits, Fault, Piece};
use crate::route::Captures;
use memchr::memchr;
use ringgate_config::{Redirect, Respond, ResponseBody, Template};
use ringgate_protocols::wire::{Fields, Method};
use ringgate_rt::{Buf, Network, buffer, clock};
use std::future::poll_fn;
use std::path::Path;
use std::sync::LazyLock;
use std::task::Poll;

/// Bytes of a request's body that are read and thrown away before the answer, so that the connection can be used
/// again. With more to come it is closed after the answer.
const DISCARDED_MAX: u64 = 64 * 1024;

static NO_FIELDS: LazyLock<Fields> = LazyLock::new(Fields::default);

/// An answer, made for one request.
pub(crate) struct Own {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    /// The body; `None`: that of the plan's file.
    pub(crate) text: Option<Vec<u8>>,
}

impl Own {
    /// The answer of a route that does not forward.
    ///
    /// # Errors
    /// [`Fault::NotReady`] if readiness was asked for, [`Fault::BadReference`] if the request gives a value that a
    /// template can't take, [`Fault::NoHost`] if it names no host where one is to be kept.
    pub(crate) fn make(action: &ActionPlan, captures: &Captures<'_>, asked: &Asked<'_>) -> Result<Own, Fault> {
        match action {
            ActionPlan::Redirect(redirect) => redirected(redirect, captures, asked),
            ActionPlan::Respond(respond) => responded(respond, captures, asked),
            ActionPlan::Forward(_) => Err(Fault::Internal),
        }
    }
}

fn redirected(redirect: &Redirect, captures: &Captures<'_>, asked: &Asked<'_>) -> Result<Own, Fault> {
    let mut location = Vec::with_capacity(128);
    match &redirect.to {
        Some(to) => fill(&mut location, to, Place::Path, asked, captures)?,
        None => location.extend_from_slice(asked.head.path()),
    }
    if location.first() == Some(&b'/') {
        // `//host` would be another site (RFC 3986 section 4.2), and so would `/\host` in browsers.
        let leading = location.iter().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
        location.drain(1..leading);
        if redirect.https {
            let mut before = b"https://".to_vec();
            write_host(&mut before, asked.head.host_name().unwrap_or_default())?;
            if let Some(port) = redirect.https_port {
                before.extend_from_slice(format!(":{port}").as_bytes());
            }
            location.splice(0..0, before);
        }
    }
    if let Some(query) = asked.head.query() {
        add_query(&mut location, query);
    }
    Ok(Own { status: redirect.status, fields: vec![("location".to_owned(), location)], text: Some(Vec::new()) })
}

/// Adds the query to a URL that has none, before the fragment (RFC 3986 section 3).
fn add_query(url: &mut Vec<u8>, query: &[u8]) {
    let end = memchr(b'#', url).unwrap_or(url.len());
    if memchr(b'?', &url[..end]).is_none() {
        url.splice(end..end, b"?".iter().chain(query).copied());
    }
}

fn responded(respond: &Respond, captures: &Captures<'_>, asked: &Asked<'_>) -> Result<Own, Fault> {
    if respond.ready && !asked.ready {
        return Err(Fault::NotReady);
    }
    let mut fields = Vec::with_capacity(respond.headers.len() + 1);
    for (name, template) in &respond.headers {
        let mut value = Vec::new();
        fill(&mut value, template, Place::Header, asked, captures)?;
        fields.push((name.clone(), value));
    }
    let stated = respond.headers.iter().find(|(name, _)| name == "content-type");
    let text = match &respond.body {
        ResponseBody::Text(template) => {
            let kind = stated.and_then(|(_, value)| value.as_literal()).unwrap_or("text/plain");
            let mut text = Vec::new();
            fill(&mut text, template, place(kind), asked, captures)?;
            Some(text)
        }
        ResponseBody::File { .. } => None,
    };
    if stated.is_none()
        && let Some(kind) = default_type(&respond.body)
    {
        fields.push(("content-type".to_owned(), kind.as_bytes().to_vec()));
    }
    Ok(Own { status: respond.status, fields, text })
}

/// How values are written into a body of this media type.
fn place(kind: &str) -> Place {
    let essence = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => Place::Json,
        "text/html" | "application/xml" | "text/xml" => Place::Html,
        essence if essence.ends_with("+json") => Place::Json,
        essence if essence.ends_with("+xml") => Place::Html,
        _ => Place::Text,
    }
}

/// The media type of a body for which the route states none.
fn default_type(body: &ResponseBody) -> Option<&'static str> {
    match body {
        ResponseBody::Text(text) if *text == Template::default() => None,
        ResponseBody::Text(_) => Some("text/plain; charset=utf-8"),
        ResponseBody::File { path, .. } => Some(type_of(path)),
    }
}

/// The media type that a file's name suggests.
fn type_of(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        _ => "application/octet-stream",
    }
}

/// Sends the answer, once what has come of the request's body is out of the way.
pub(crate) async fn send_own<N: Network, D: Downstream>(
    context: &Context<'_, N>,
    action: &ActionPlan,
    own: Own,
    down: &mut D,
    edits: &mut Edits,
    trail: &mut Trail<N>,
) -> Result<(), Fault> {
    context.timer.set_after(OWN_ANSWER_TIMEOUT);
    let before = clock::now();
    let discarded = discard(context, down).await;
    trail.waited += clock::now().since(before).as_micros() as u64;
    discarded?;
    let body: &[u8] = match (&own.text, action) {
        (Some(text), _) => text,
        (None, ActionPlan::Respond(Respond { body: ResponseBody::File { bytes, .. }, .. })) => bytes,
        (None, _) => b"",
    };
    edits.clear();
    own.fields.iter().for_each(|(name, value)| edits.add_given(name, value));
    edits.add("date", &[&context.shard.wall().http_date()]);
    edits.add("x-request-id", &[trail.id.bytes()]);
    set_hsts(edits, None, context.hsts());
    let bodiless = matches!(own.status, 204 | 304);
    let head = AnswerHead {
        bytes: b"",
        status: own.status,
        reason: reason(own.status).as_bytes(),
        fields: &NO_FIELDS,
        body: if bodiless { BodySize::None } else { BodySize::Known(body.len() as u64) },
        stated_length: (!bodiless).then_some(body.len() as u64),
    };
    if !sent(down, context.timer).await {
        return Err(Fault::SlowReader);
    }
    if context.shard.draining.get() {
        down.close_after_this();
    }
    trail.progress.status = own.status;
    down.put_head(&head, edits);
    let body = if bodiless || down.head().method == Method::Head { b"" } else { body };
    let mut rest = body;
    loop {
        let (piece, behind) = rest.split_at(rest.len().min(buffer::LARGE_BYTES / 2));
        let mut buf = Buf::with_room_for(piece.len());
        buf.append(piece);
        down.send_data(buf, behind.is_empty());
        trail.progress.leaving_at.get_or_insert_with(clock::read);
        context.timer.set_after(OWN_ANSWER_TIMEOUT);
        if behind.is_empty() {
            break;
        }
        if !sent(down, context.timer).await {
            return Err(Fault::SlowReader);
        }
        trail.progress.answer_bytes += piece.len() as u64;
        rest = behind;
    }
    trail.progress.answer_bytes = body.len() as u64;
    if sent(down, context.timer).await { Ok(()) } else { Err(Fault::SlowReader) }
}

/// Reads a short body to its end and throws it away. What is longer is left where it is.
async fn discard<N: Network, D: Downstream>(context: &Context<'_, N>, down: &mut D) -> Result<(), Fault> {
    let long = matches!(down.head().body, BodySize::Known(n) if n > DISCARDED_MAX);
    // A client that waits for a 100 (RFC 9110 section 10.1.1) has sent nothing yet, and is told by the final answer.
    if long || down.head().fields.has(ringgate_protocols::wire::HeaderId::Expect) {
        return Ok(());
    }
    let timer = context.timer;
    while !down.body_done() && down.body_bytes() <= DISCARDED_MAX {
        let piece = poll_fn(|cx| match down.poll_body(cx) {
            Poll::Ready(piece) => Poll::Ready(piece),
            Poll::Pending => timer.poll(cx).map(|()| Err(Fault::SlowBody)),
        });
        if let Piece::End(_) = piece.await? {
            break;
        }
    }
    Ok(())
}
