//! Answers of the admin API: JSON whole, or in pieces where it may be large.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes of a piece, about: what a large answer needs at a time, however large it is.
const PIECE_BYTES: usize = 64 * 1024;

/// The body of an answer.
pub(super) enum Content {
    Whole(Option<Bytes>),
    Pieces(Box<dyn Iterator<Item = Bytes> + Send>),
}

/// An answer.
pub(super) type Answer = Response<Content>;

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut *self {
            Content::Whole(bytes) => bytes.take(),
            Content::Pieces(pieces) => pieces.next(),
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Content::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Pieces(_) => SizeHint::default(),
        }
    }
}

/// JSON.
pub(super) fn json(status: StatusCode, value: &Value) -> Answer {
    whole(status, "application/json", format!("{value}\n"))
}

/// JSON, with `200`.
pub(super) fn good(value: &Value) -> Answer {
    json(StatusCode::OK, value)
}

/// Text in the format of Prometheus.
pub(super) fn metrics(text: String) -> Answer {
    whole(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
}

/// A JSON array with something before and behind it, made as it is sent.
pub(super) fn list(
    before: String,
    items: impl Iterator<Item = Value> + Send + 'static,
    behind: &'static str,
) -> Answer {
    let mut items = items.enumerate();
    let mut begun = Some(before);
    let mut ended = false;
    let pieces = std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let mut piece = begun.take().unwrap_or_default();
        while piece.len() < PIECE_BYTES {
            let Some((at, item)) = items.next() else {
                ended = true;
                piece.push_str(behind);
                piece.push('\n');
                break;
            };
            let comma = if at > 0 { "," } else { "" };
            piece.push_str(&format!("{comma}{item}"));
        }
        Some(Bytes::from(piece))
    });
    answer(StatusCode::OK, "application/json", Content::Pieces(Box::new(pieces)))
}

/// Why a request is not done, in the form of the gateway's own answers.
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    message: String,
    field: Option<(HeaderName, String)>,
}

/// A refusal without further fields.
pub(super) fn refusal(status: StatusCode, error: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, error, message: message.into(), field: None }
}

impl Refusal {
    /// With a field that says how to do better.
    pub(super) fn with(self, name: HeaderName, value: impl Into<String>) -> Refusal {
        Refusal { field: Some((name, value.into())), ..self }
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        let Refusal { status, error, message, field } = refusal;
        let mut answer = json(status, &json!({ "error": error, "message": message }));
        // Every value that is set here is plain ASCII.
        if let Some((name, value)) = field
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            answer.headers_mut().insert(name, value);
        }
        answer
    }
}

fn whole(status: StatusCode, kind: &'static str, text: String) -> Answer {
    answer(status, kind, Content::Whole(Some(Bytes::from(text))))
}

fn answer(status: StatusCode, kind: &'static str, content: Content) -> Answer {
    let mut answer = Response::new(content);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
