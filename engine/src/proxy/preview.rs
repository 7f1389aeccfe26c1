//! What would be done with a request, without doing it: for `ringgate explain`. Made by the same functions.

pub(crate) use super::answer::{allow, reason};
use super::exchange::{Asked, admit};
use super::h1::written_request;
use super::headers::{self, IpText, Origin};
use super::listener_plan::ListenerPlan;
use super::own::Own;
use super::snapshot::{ActionPlan, Common, RoutePlan};
use crate::model::{Edits, Fault, RequestHead, Secured};
use crate::route::Captures;
use std::net::IpAddr;

/// Stands for the address of a client that is not known, for an id that has not been made, and for the version of TLS.
const SOME_CLIENT: &[u8] = b"CLIENT";
const SOME_ID: &[u8] = b"REQUEST-ID";
const SOME_VERSION: &str = "TLS-VERSION";

/// Whom a request comes from, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    /// `None`: anybody who is not trusted.
    pub(crate) address: Option<IpAddr>,
    /// Over TLS.
    pub(crate) secured: bool,
}

impl Sender {
    fn origin<'a>(self, common: &Common, text: Option<&'a IpText>) -> Origin<'a> {
        Origin {
            peer: self.address,
            peer_text: text.map_or(SOME_CLIENT, IpText::bytes),
            trusted: self.address.is_some() && common.trusts(self.address),
            scheme: if self.secured { "https" } else { "http" },
        }
    }

    /// What a handshake would have come to, as far as the request tells.
    fn secured(self, head: &RequestHead<'_>) -> Option<Secured> {
        let server_name = || head.host_name().map(|host| String::from_utf8_lossy(host).to_ascii_lowercase());
        self.secured.then(|| Secured { server_name: server_name(), version: SOME_VERSION, ..Secured::default() })
    }
}

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
    let text = sender.address.map(IpText::new);
    let origin = sender.origin(common, text.as_ref());
    let id = headers::taken_over_id(&head, origin).unwrap_or(SOME_ID);
    let secured = sender.secured(&head);
    let asked = Asked { head, id, route: &plan.name, origin, common, secured: secured.as_ref(), ready: true };
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

/// What a listener would answer to a request whatever its route; none if it would hand it on.
pub(crate) fn redirected(
    plan: &ListenerPlan,
    common: &Common,
    head: RequestHead<'_>,
    sender: Sender,
) -> Option<Result<Own, Fault>> {
    let text = sender.address.map(IpText::new);
    let origin = sender.origin(common, text.as_ref());
    let action = plan.redirect_for(&head, origin.trusted)?;
    let asked = Asked { head, id: SOME_ID, route: "", origin, common, secured: None, ready: true };
    Some(Own::make(action, &Captures::none(), &asked))
}
