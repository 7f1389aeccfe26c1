//! What becomes of a request under one configuration, and whether that is the same under another.

use super::super::printable::printable;
use crate::model::Fault;
use crate::proxy::view;
use crate::route::{Matched, Reading, RouteTable, read};
use ringgate_config::{Action, Config, Forward, ResponseBody, Route};
use ringgate_protocols::h1::{HeadLimits, RequestHead as ParsedHead};
use std::time::Duration;

/// One of the two configurations.
pub(super) struct Side<'c> {
    config: &'c Config,
    table: RouteTable,
    limits: HeadLimits,
    head: ParsedHead,
    /// Whether any route looks at header fields.
    pub(super) by_header: bool,
    /// Whether any route looks at the host.
    pub(super) by_host: bool,
}

/// What becomes of a request.
#[derive(PartialEq, Eq, Hash, Clone, Copy, Debug)]
pub(super) enum Fate {
    /// The index of its route.
    Route(usize),
    /// The status and the word of the refusal.
    Refused(Option<u16>, &'static str),
}

/// What becomes of a request, and what it might be.
pub(super) struct Found {
    pub(super) fate: Fate,
    /// Routes that would come first if header fields that are not known were what they ask for.
    pub(super) undecided: Vec<usize>,
}

impl<'c> Side<'c> {
    pub(super) fn new(config: &'c Config) -> Result<Side<'c>, regex::Error> {
        let limits = &config.limits;
        Ok(Side {
            config,
            table: RouteTable::compile(config)?,
            limits: HeadLimits {
                header_bytes: limits.header_bytes,
                headers: limits.headers,
                target_bytes: limits.target_bytes,
            },
            head: ParsedHead::new(),
            by_header: config.routes.iter().any(|route| !route.matches.headers.is_empty()),
            by_host: config.routes.iter().any(|route| !route.matches.hosts.is_empty()),
        })
    }

    /// What becomes of the request with this head; `tells` says of a header field whether the head would have it.
    pub(super) fn find(&mut self, bytes: &[u8], tells: &dyn Fn(&str) -> bool) -> Found {
        let undecided = Vec::new();
        if let Err(error) = self.head.parse(bytes, &self.limits) {
            return Found { fate: refused(Fault::Head(error)), undecided };
        }
        let head = view::request(&self.head, bytes);
        let fate = match self.table.find(&head) {
            Ok(Matched::Route(index)) => Fate::Route(index),
            Ok(Matched::MethodNotAllowed(_)) => refused(Fault::Method),
            Ok(Matched::NotFound) => refused(Fault::NoRoute),
            Err(fault) => refused(fault),
        };
        if !self.by_header {
            return Found { fate, undecided };
        }
        let undecided = match read(head.path()) {
            Reading::One(path) => self.table.undecided(&head, &path, tells),
            Reading::Two { sent, .. } => self.table.undecided(&head, sent, tells),
        };
        Found { fate, undecided }
    }

    pub(super) fn route(&self, index: usize) -> Option<&'c Route> {
        self.config.routes.get(index)
    }

    /// The header fields that a route looks at.
    pub(super) fn headers(&self, index: usize) -> impl Iterator<Item = &'c str> {
        let headers = self.route(index).map_or(&[][..], |route| &route.matches.headers);
        headers.iter().map(|(name, _)| name.as_str())
    }

    /// The fate in words: the route and what it does, or the refusal.
    pub(super) fn told(&self, fate: Fate) -> Told {
        match fate {
            Fate::Route(index) => Told {
                route: self.route(index).map(|route| route.name.clone()),
                treatment: self.route(index).map_or_else(String::new, |route| treatment(self.config, &route.action)),
                status: None,
            },
            Fate::Refused(status, code) => Told { route: None, treatment: code.to_owned(), status },
        }
    }
}

fn refused(fault: Fault) -> Fate {
    Fate::Refused(fault.status(), fault.code())
}

/// A fate in words.
#[derive(PartialEq, Eq)]
pub(super) struct Told {
    pub(super) route: Option<String>,
    /// What the route does, or the word for the refusal.
    pub(super) treatment: String,
    /// Of the refusal.
    pub(super) status: Option<u16>,
}

/// Whether a route of the one configuration does the same as one of the other under the same name.
pub(super) fn same_treatment(old: &Side<'_>, new: &Side<'_>, of_old: &Route, of_new: &Route) -> bool {
    let named = |side: &Side<'_>, forward: &Forward| -> Vec<(String, u32)> {
        let name = |index: usize| side.config.upstreams.get(index).map_or_else(String::new, |u| u.name.clone());
        forward.to.iter().map(|share| (name(share.upstream), share.weight)).collect()
    };
    of_old.name == of_new.name
        && match (&of_old.action, &of_new.action) {
            (Action::Forward(a), Action::Forward(b)) => {
                a.timeout == b.timeout && a.host == b.host && named(old, a) == named(new, b)
            }
            (a, b) => a == b,
        }
}

/// What an action does, in a few words.
fn treatment(config: &Config, action: &Action) -> String {
    match action {
        Action::Forward(forward) => {
            let alone = forward.to.len() == 1;
            let services = forward.to.iter().filter_map(|share| {
                let name = &config.upstreams.get(share.upstream)?.name;
                Some(if alone { name.clone() } else { format!("{name} {}", share.weight) })
            });
            let host = forward.host.as_ref().map_or_else(String::new, |host| format!(", host {host}"));
            format!(
                "forward to {}, timeout {}{host}",
                services.collect::<Vec<_>>().join(" / "),
                Milliseconds(forward.timeout)
            )
        }
        Action::Redirect(redirect) => {
            let to = redirect
                .to
                .as_ref()
                .map_or_else(String::new, |to| format!(" to {}", printable(to.to_string().as_bytes())));
            let https = if redirect.https { " over https" } else { "" };
            format!("redirect {}{to}{https}", redirect.status)
        }
        Action::Respond(respond) => match &respond.body {
            ResponseBody::File { path, .. } => format!("respond {} with {}", respond.status, path.display()),
            ResponseBody::Text(_) => format!("respond {}", respond.status),
        },
    }
}

/// A span of time as the file writes it.
struct Milliseconds(Duration);

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = self.0.as_millis();
        if ms.is_multiple_of(1000) { write!(f, "{}s", ms / 1000) } else { write!(f, "{ms}ms") }
    }
}
