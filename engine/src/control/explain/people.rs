//! An explanation for people: what becomes of the request first, then the other routes, the nearest first.

use super::super::printable::{printable, shortened};
use super::listeners::{Does, Entries};
use super::losers::{Loser, Nearness, path_text};
use super::treatment::{Answered, Forwarded, From, Treatment};
use super::{Explanation, Outcome, Taken};
use crate::model::Fault;
use crate::proxy::{allow, reason};
use crate::route::Matched;
use ringgate_config::{Match, Route, ValuePattern};
use std::fmt::Write;
use std::time::Duration;

/// Routes that are explained singly; of the others their number is said.
const SHOWN_MAX: usize = 50;
/// Characters of a body that are shown.
const BODY_SHOWN_MAX: usize = 200;
/// Columns that names and places are padded to, at most.
const COLUMN_MAX: usize = 40;

/// The explanation as text. Lines are as long as what they say.
pub(super) fn text(explanation: &Explanation<'_>) -> String {
    let mut page = Page::default();
    let request = &explanation.request;
    page.line("request", &format!("{} {}", request.method, request.target));
    page.line("", &format!("host {}{}", request.host, if request.secured { ", over TLS" } else { "" }));
    if let Some(decoded) = &request.decoded {
        page.line("", &format!("a service could read the path as {decoded}: it is matched both ways"));
    }
    page.gap();
    explanation.entries.iter().for_each(|entries| listeners(&mut page, entries, request.secured));
    match &explanation.outcome {
        Outcome::Route(index, taken) => winner(&mut page, explanation, &explanation.config.routes[*index], taken),
        Outcome::Refused { fault, allow } => refused(&mut page, *fault, allow.as_deref()),
        Outcome::Ambiguous { sent, decoded } => {
            refused(&mut page, Fault::AmbiguousPath, None);
            let name = |found: &Matched| match found {
                Matched::Route(index) => format!("route {}", explanation.config.routes[*index].name),
                Matched::MethodNotAllowed(methods) => format!("only for {}", printable(&allow(methods))),
                Matched::NotFound => "no route".to_owned(),
            };
            page.line("", &format!("as it stands: {}", name(sent)));
            page.line("", &format!("fully decoded: {}", name(decoded)));
        }
    }
    losers(&mut page, explanation);
    page.text
}

/// Lines with a label in front of the first of each part.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, label: &str, text: &str) {
        let line = format!("{label:<10}{text}");
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }
}

/// What listeners do before a route is asked, and to its answers. Nothing is said where they do nothing.
fn listeners(page: &mut Page, entries: &Entries, secured: bool) {
    let mut lines: Vec<String> = Vec::new();
    if !entries.any {
        lines.push(format!("none takes requests over {}", if secured { "TLS" } else { "clear text" }));
    }
    let names = entries.listeners.iter().map(|entry| entry.name.len()).max().unwrap_or(0).min(COLUMN_MAX);
    for entry in &entries.listeners {
        let does = match &entry.does {
            Does::Redirects(Ok((code, to))) => format!("asks no route: {}, location: {to}", status(*code)),
            Does::Redirects(Err(fault)) => {
                let code = fault.status().map_or_else(|| "no answer".to_owned(), status);
                format!("asks no route: {code}  ({})", fault.code())
            }
            Does::Passes(to) => format!("asks no route: connections for this host pass through to {to}"),
            Does::Tells(value) => format!("answers hold strict-transport-security: {value}"),
        };
        lines.push(format!("{:<names$}  {does}", entry.name));
    }
    for (at, line) in lines.iter().enumerate() {
        page.line(if at == 0 { "listener" } else { "" }, line);
    }
    if !lines.is_empty() {
        page.gap();
    }
}

fn winner(page: &mut Page, explanation: &Explanation<'_>, route: &Route, taken: &Taken) {
    page.line("route", &format!("{}  ({})", route.name, explanation.place(route)));
    for part in asked(&route.matches) {
        page.line("", &part);
    }
    for (name, value) in &taken.captures {
        page.line("", &format!("{{{name}}} is \"{value}\""));
    }
    page.gap();
    match &taken.treatment {
        Ok(Treatment::Forwarded(forwarded)) => forward(page, forwarded),
        Ok(Treatment::Answered(answered)) => answer(page, answered),
        Err(fault) => refused(page, *fault, None),
    }
}

/// What the route asks of a request, a line each.
fn asked(matches: &Match) -> Vec<String> {
    let mut parts = Vec::new();
    let hosts: Vec<String> = matches.hosts.iter().map(ToString::to_string).collect();
    parts.push(if hosts.is_empty() { "any host".to_owned() } else { format!("host {}", hosts.join(", ")) });
    parts.push(match &matches.path {
        None => "any path".to_owned(),
        some => format!("path {}", path_text(some.as_ref())),
    });
    if !matches.methods.is_empty() {
        parts.push(format!("method {}", matches.methods.join(", ")));
    }
    let named = |kind: &str, list: &[(String, ValuePattern)]| -> Vec<String> {
        list.iter().map(|(name, value)| format!("{kind} {name}: \"{value}\"")).collect()
    };
    parts.extend(named("header", &matches.headers));
    parts.extend(named("query", &matches.query));
    parts
}

fn forward(page: &mut Page, forwarded: &Forwarded) {
    let alone = forwarded.services.len() == 1;
    for (at, service) in forwarded.services.iter().enumerate() {
        let (weight, whole) = service.share;
        let share = if alone { String::new() } else { format!("{} of {whole} requests to ", weight) };
        let mut text = format!("{share}{}  (connect within {})", service.name, span(service.connect_timeout));
        let weighted = service.endpoints.iter().any(|(_, weight)| *weight != 1);
        page.line(if at == 0 { "forward" } else { "" }, &text);
        text.clear();
        for (address, weight) in &service.endpoints {
            let weight = if weighted { format!("  weight {weight}") } else { String::new() };
            page.line("", &format!("  {address}{weight}"));
        }
    }
    page.line("", &format!("answer's head within {}", span(forwarded.timeout)));
    page.gap();
    page.line("sent", &forwarded.line);
    for field in &forwarded.fields {
        let mark = if field.set { '+' } else { ' ' };
        page.line("", &format!("{mark} {}: {}", field.name, field.value));
    }
    for (name, value) in &forwarded.removed {
        page.line("", &format!("- {name}: {value}"));
    }
    page.line("", "(+ set by the gateway, - not passed on)");
}

fn answer(page: &mut Page, answered: &Answered) {
    page.line(answered.action, &status(answered.status));
    for (name, value) in &answered.fields {
        page.line("", &format!("{name}: {value}"));
    }
    let bytes = answered.body.bytes;
    match &answered.body.from {
        _ if bytes == 0 => page.line("", "no body"),
        From::File(path) => page.line("", &format!("body of {bytes} bytes from {path}")),
        From::Text(text) => {
            let shown = shortened(text, BODY_SHOWN_MAX);
            page.line("", &format!("body of {bytes} bytes: {shown:?}"));
        }
    }
    if answered.ready {
        page.line("", "while the gateway is not ready: 503");
    }
}

fn refused(page: &mut Page, fault: Fault, allow: Option<&str>) {
    let status = fault.status().map_or_else(|| "no answer".to_owned(), status);
    page.line("refused", &format!("{status}  ({})", fault.code()));
    page.line("", fault.message());
    if let Some(allow) = allow {
        page.line("", &format!("allow: {allow}"));
    }
}

fn status(code: u16) -> String {
    format!("{code} {}", reason(code)).trim_end().to_owned()
}

fn losers(page: &mut Page, explanation: &Explanation<'_>) {
    let shown = &explanation.losers[..explanation.losers.len().min(SHOWN_MAX)];
    if shown.is_empty() {
        return;
    }
    page.gap();
    let places: Vec<String> = shown.iter().map(|loser| explanation.place(loser.route)).collect();
    let names = shown.iter().map(|loser| loser.route.name.len()).max().unwrap_or(0).min(COLUMN_MAX);
    let wide = places.iter().map(String::len).max().unwrap_or(0).min(COLUMN_MAX);
    for (at, (loser, place)) in shown.iter().zip(&places).enumerate() {
        let label = if at == 0 { "others" } else { "" };
        let texts: Vec<&str> = loser.reasons.iter().map(|reason| reason.text.as_str()).collect();
        page.line(label, &format!("{:<names$}  {place:<wide$}  {}", loser.route.name, texts.join("; ")));
    }
    let rest = &explanation.losers[shown.len()..];
    if !rest.is_empty() {
        page.line("", &more(rest));
    }
}

/// `and 120 more: 100 other hosts, 20 other paths`.
fn more(rest: &[Loser<'_>]) -> String {
    let mut text = format!("and {} more:", rest.len());
    let kinds = [
        (Nearness::Later, "also match"),
        (Nearness::Further, "other predicates"),
        (Nearness::Path, "other paths"),
        (Nearness::Host, "other hosts"),
    ];
    let mut between = " ";
    for (nearness, words) in kinds {
        let count = rest.iter().filter(|loser| loser.nearness == nearness).count();
        if count > 0 {
            // Writing to a string does not fail.
            let _ = write!(text, "{between}{count} {words}");
            between = ", ";
        }
    }
    text
}

/// A span of time as the file writes it.
fn span(time: Duration) -> String {
    let ms = time.as_millis();
    if ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}
