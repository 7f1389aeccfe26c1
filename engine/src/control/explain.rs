//! `ringgate explain`: which route takes a request, what would be done with it, and why each other route does not take
//! it. The loader, the parser, the router and the edits are the gateway's own.

mod listeners;
mod losers;
mod machines;
mod people;
mod request;
mod treatment;

use super::printable::printable;
use crate::model::Fault;
use crate::proxy::{Sender, Snapshot, allow, view};
use crate::route::{Matched, Reading, read};
use listeners::Entries;
use losers::{Loser, Paths};
use ringgate_config::{Config, Route};
use ringgate_protocols::h1::RequestHead as ParsedHead;
use std::net::IpAddr;
use std::path::Path;
use treatment::Treatment;

/// The request to explain.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// The configuration.
    pub file: &'q Path,
    /// The method, as on the wire.
    pub method: &'q str,
    /// An absolute URL, or a path with a `host` among the header fields.
    pub url: &'q str,
    /// Header fields, each `name: value`.
    pub headers: &'q [String],
    /// The peer's address; `None`: some peer that is not trusted.
    pub from: Option<IpAddr>,
    /// Everything as one JSON object, in place of text.
    pub json: bool,
}

/// What is printed: `Ok` on standard output, `Err` on standard error.
pub struct Explained {
    /// The text.
    pub text: Result<String, String>,
    /// 0 if a route takes the request, 3 if none does, 1 if the question can't be answered.
    pub exit: u8,
}

/// Explains what becomes of a request.
pub fn explain(question: &Question<'_>) -> Explained {
    match answer(question) {
        Ok((text, won)) => Explained { text: Ok(text), exit: if won { 0 } else { 3 } },
        Err(text) => Explained { text: Err(text), exit: 1 },
    }
}

/// The text, and whether a route has won.
fn answer(question: &Question<'_>) -> Result<(String, bool), String> {
    let config = ringgate_config::load(question.file, &crate::secure::Inspector)
        .map_err(|diagnostics| diagnostics.to_string())?;
    let bytes = request::bytes(question).map_err(|message| format!("{message}\n"))?;
    let explanation = Explanation::of(&config, question, &bytes)?;
    let text = if question.json { machines::json(&explanation) } else { people::text(&explanation) };
    Ok((text, matches!(explanation.outcome, Outcome::Route(..))))
}

/// Everything that there is to say.
struct Explanation<'e> {
    config: &'e Config,
    request: Request,
    /// None if the request can't be read.
    entries: Option<Entries>,
    outcome: Outcome,
    losers: Vec<Loser<'e>>,
}

/// The request, for showing.
struct Request {
    /// It comes over TLS.
    secured: bool,
    method: String,
    host: String,
    target: String,
    /// The path fully decoded, where a service could take the path for another one.
    decoded: Option<String>,
}

/// What becomes of the request.
enum Outcome {
    /// This route takes it; `Err`: and refuses it.
    Route(usize, Box<Taken>),
    /// No route takes it.
    Refused { fault: Fault, allow: Option<String> },
    /// Read in one way this becomes of it, read in the other that.
    Ambiguous { sent: Matched, decoded: Matched },
}

/// What is done with a request that a route takes.
struct Taken {
    captures: Vec<(String, String)>,
    treatment: Result<Treatment, Fault>,
}

impl<'e> Explanation<'e> {
    fn of(config: &'e Config, question: &Question<'_>, bytes: &[u8]) -> Result<Explanation<'e>, String> {
        let snapshot = Snapshot::compile(config, None).map_err(|error| format!("{error}\n"))?;
        let secured = request::secured(question.url).unwrap_or_else(|| listeners::secure_alone(config));
        let sender = Sender { address: question.from, secured };
        let mut parsed = ParsedHead::new();
        let mut explanation = Explanation {
            config,
            entries: None,
            request: Request {
                secured,
                method: question.method.to_owned(),
                host: request::host(bytes),
                target: request::target(bytes),
                decoded: None,
            },
            outcome: Outcome::Refused { fault: Fault::NoRoute, allow: None },
            losers: Vec::new(),
        };
        if let Err(error) = parsed.parse(bytes, &snapshot.common.head_limits) {
            explanation.outcome = Outcome::Refused { fault: Fault::Head(error), allow: None };
            return Ok(explanation);
        }
        let head = view::request(&parsed, bytes);
        explanation.entries = Some(Entries::of(&snapshot, &head, sender));
        let table = &snapshot.table;
        let reading = read(head.path());
        explanation.outcome = match (table.find(&head), &reading) {
            (Ok(Matched::Route(index)), _) => {
                let taken = Taken::of(config, &snapshot, index, head, sender);
                Outcome::Route(index, Box::new(taken))
            }
            (Ok(Matched::MethodNotAllowed(methods)), _) => {
                Outcome::Refused { fault: Fault::Method, allow: Some(printable(&allow(&methods))) }
            }
            (Ok(Matched::NotFound), _) => Outcome::Refused { fault: Fault::NoRoute, allow: None },
            (Err(_), Reading::Two { sent, decoded }) => {
                Outcome::Ambiguous { sent: table.find_path(&head, sent), decoded: table.find_path(&head, decoded) }
            }
            (Err(fault), Reading::One(_)) => Outcome::Refused { fault, allow: None },
        };
        let paths = match &reading {
            Reading::One(path) => Paths { sent: path, decoded: None },
            Reading::Two { sent, decoded } => {
                explanation.request.decoded = Some(printable(decoded));
                Paths { sent, decoded: Some(decoded) }
            }
        };
        explanation.losers = losers::all(config, table, &head, paths, explanation.winner());
        Ok(explanation)
    }

    fn winner(&self) -> Option<usize> {
        match self.outcome {
            Outcome::Route(index, _) => Some(index),
            _ => None,
        }
    }

    /// The file that a route stands in: the main one, or one that it includes.
    fn file(&self, route: &Route) -> String {
        let file = usize::try_from(route.at.file).ok().and_then(|index| self.config.files.get(index));
        file.map_or_else(String::new, |file| file.display().to_string())
    }

    /// `FILE:LINE` of a route.
    fn place(&self, route: &Route) -> String {
        format!("{}:{}", self.file(route), route.at.line)
    }
}
