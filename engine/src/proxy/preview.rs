//! What would be done with a request, without doing it: for `ringgate explain`. Made by the same functions.

pub(crate) use super::answer::{allow, reason};
use super::exchange::{Asked, admit};
use super::h1::written_request;
use super::headers::{self, IpText, Origin};
use super::own::Own;
use super::snapshot::{ActionPlan, Common, RoutePlan};
use crate::model::{Edits, Fault, RequestHead};
use crate::route::Captures;
use std::net::IpAddr;

/// Stands for the address of a client that is not known, and for an id that has not been made.
const SOME_CLIENT: &[u8] = b"CLIENT";
const SOME_ID: &[u8] = b"REQUEST-ID";

/// Whom a request comes from. `None`: anybody who is not trusted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender(pub(crate) Option<IpAddr>);

/// What would be done with a request.
pub(crate) enum Preview {
    /// A service gets this head, with its last empty line.
    Forwarded(Vec<u8>),
    /// The gateway answers.
    Answered(Own),
}

/// What the plan of a route would do with a request.
///
/// # Errors
/// Why the request would be refused all the same.
pub(crate) fn preview(
    plan: &RoutePlan,
    common: &Common,
    head: RequestHead<'_>,
    captures: &Captures<'_>,
    sender: Sender,
) -> Result<Preview, Fault> {
    let text = sender.0.map(IpText::new);
    let origin = Origin {
        peer: sender.0,
        peer_text: text.as_ref().map_or(SOME_CLIENT, IpText::bytes),
        trusted: sender.0.is_some() && common.trusts(sender.0),
        scheme: "http",
    };
    let id = headers::taken_over_id(&head, origin).unwrap_or(SOME_ID);
    let asked = Asked { head, id, route: &plan.name, origin, common, secured: None, ready: true };
    let answer = match &plan.action {
        ActionPlan::Forward(_) => None,
        action => Some(Own::make(action, captures, &asked)?),
    };
    admit(common, &head)?;
    if let Some(answer) = answer {
        return Ok(Preview::Answered(answer));
    }
    let host = match &plan.action {
        ActionPlan::Forward(forward) => forward.host.as_deref().map(str::as_bytes),
        _ => None,
    };
    let mut edits = Edits::default();
    headers::to_service(&mut edits, &head, origin, id, host);
    Ok(Preview::Forwarded(written_request(&head, &edits)))
}
