//! Answers of the admin API: JSON whole, or in pieces where it may be large.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes of a piece, about: what a large answer needs at a time, however large it is. Between two of them all other
/// connections get their turn.
const PIECE_BYTES: usize = 16 * 1024;

/// The body of an answer.
pub(super) enum Content {
    Whole(Option<Bytes>),
    Pieces {
        pieces: Box<dyn Iterator<Item = Bytes> + Send>,
        /// Others have had their turn since the last piece.
        paused: bool,
    },
}

/// An answer.
pub(super) type Answer = Response<Content>;

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut *self {
            Content::Whole(bytes) => bytes.take(),
            Content::Pieces { paused, .. } if !*paused => {
                *paused = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Content::Pieces { pieces, paused } => {
                *paused = false;
                pieces.next()
            }
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Content::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Pieces { .. } => SizeHint::default(),
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
    answer(StatusCode::OK, "application/json", Content::Pieces { pieces: Box::new(pieces), paused: false })
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn a_large_answer_is_made_in_pieces_and_others_get_their_turn_between_them() {
        let items = (0..10_000).map(|n| json!({ "n": n, "text": "some text" }));
        let mut content = list("{\"items\":[".to_owned(), items, "]}").into_body();
        let cx = &mut Context::from_waker(Waker::noop());
        let (mut text, mut pieces) = (Vec::new(), 0);
        loop {
            assert!(Pin::new(&mut content).poll_frame(cx).is_pending(), "a pause before each piece");
            match Pin::new(&mut content).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let piece = frame.into_data().expect("data");
                    assert!(piece.len() < PIECE_BYTES + 100, "{}", piece.len());
                    text.extend_from_slice(&piece);
                    pieces += 1;
                }
                Poll::Ready(None) => break,
                _ => panic!("a pause too many"),
            }
        }
        assert!(pieces > 10, "{pieces}");
        let whole: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(whole["items"].as_array().map(Vec::len), Some(10_000));
        assert_eq!(whole["items"][9_999]["n"], 9_999);
    }

    #[test]
    fn a_list_may_be_empty() {
        let mut content = list("{\"items\":[".to_owned(), std::iter::empty(), "]}").into_body();
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut content).poll_frame(cx).is_pending());
        let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut content).poll_frame(cx) else { panic!("one piece") };
        assert_eq!(frame.into_data().expect("data"), "{\"items\":[]}\n");
    }
}
