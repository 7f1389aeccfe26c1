//! An explanation as one JSON object: everything, and every other route.

use super::listeners::{Does, Entries};
use super::losers::Loser;
use super::treatment::{Answered, Forwarded, From, Treatment};
use super::{Explanation, Outcome, Taken};
use crate::model::Fault;
use crate::route::Matched;
use ringgate_config::Route;
use serde_json::{Map, Value, json};

pub(super) fn json(explanation: &Explanation<'_>) -> String {
    let request = &explanation.request;
    let mut object = json!({
        "request": {
            "scheme": if request.secured { "https" } else { "http" },
            "method": request.method,
            "host": request.host,
            "target": request.target,
            "decoded_path": request.decoded,
        },
        "listeners": explanation.entries.as_ref().map(listeners),
        "route": null,
        "action": null,
        "refused": null,
    });
    let route = |index: &usize| named(explanation, &explanation.config.routes[*index]);
    match &explanation.outcome {
        Outcome::Route(index, taken) => {
            object["route"] = route(index);
            object["route"]["captures"] = pairs(&taken.captures);
            object["action"] = action(taken);
            object["refused"] = taken.treatment.as_ref().err().map_or(Value::Null, |fault| refused(*fault));
        }
        Outcome::Refused { fault, allow } => {
            object["refused"] = refused(*fault);
            object["refused"]["allow"] = json!(allow);
        }
        Outcome::Ambiguous { sent, decoded } => {
            object["refused"] = refused(Fault::AmbiguousPath);
            let found = |matched: &Matched| match matched {
                Matched::Route(index) => route(index),
                Matched::MethodNotAllowed(_) | Matched::NotFound => Value::Null,
            };
            object["refused"]["as_sent"] = found(sent);
            object["refused"]["decoded"] = found(decoded);
        }
    }
    object["others"] = explanation.losers.iter().map(|loser| other(explanation, loser)).collect();
    format!("{object}\n")
}

/// What listeners do, those left out that do nothing; null if none takes the request's scheme.
fn listeners(entries: &Entries) -> Option<Value> {
    let all = entries.listeners.iter().map(|entry| {
        let (mut redirect, mut upstream, mut hsts) = (Value::Null, None, None);
        match &entry.does {
            Does::Redirects(Ok((status, to))) => redirect = json!({ "status": status, "location": to }),
            Does::Redirects(Err(fault)) => redirect = refused(*fault),
            Does::Passes(to) => upstream = Some(to),
            Does::Tells(value) => hsts = Some(value),
        }
        json!({ "name": entry.name, "redirect": redirect, "passthrough": upstream, "strict_transport_security": hsts })
    });
    entries.any.then(|| all.collect())
}

fn named(explanation: &Explanation<'_>, route: &Route) -> Value {
    json!({ "name": route.name, "file": explanation.file(route), "line": route.at.line })
}

fn pairs(list: &[(String, String)]) -> Value {
    list.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>().into()
}

fn refused(fault: Fault) -> Value {
    json!({ "status": fault.status(), "error": fault.code(), "message": fault.message() })
}

fn action(taken: &Taken) -> Value {
    match &taken.treatment {
        Ok(Treatment::Forwarded(forwarded)) => forward(forwarded),
        Ok(Treatment::Answered(answered)) => answer(answered),
        Err(_) => Value::Null,
    }
}

fn forward(forwarded: &Forwarded) -> Value {
    let services = forwarded.services.iter().map(|service| {
        let endpoints = service.endpoints.iter();
        json!({
            "upstream": service.name,
            "weight": service.share.0,
            "connect_timeout_ms": service.connect_timeout.as_millis() as u64,
            "endpoints": endpoints.map(|(a, w)| json!({ "address": a, "weight": w })).collect::<Vec<_>>(),
        })
    });
    let fields = forwarded.fields.iter();
    json!({
        "kind": "forward",
        "to": services.collect::<Vec<_>>(),
        "timeout_ms": forwarded.timeout.as_millis() as u64,
        "request_line": forwarded.line,
        "fields": fields.map(|f| json!({ "name": f.name, "value": f.value, "set": f.set })).collect::<Vec<_>>(),
        "removed": fields_of(&forwarded.removed),
    })
}

fn answer(answered: &Answered) -> Value {
    let (file, text) = match &answered.body.from {
        From::File(path) => (Some(path), None),
        From::Text(text) => (None, Some(text)),
    };
    json!({
        "kind": answered.action,
        "status": answered.status,
        "fields": fields_of(&answered.fields),
        "body": { "bytes": answered.body.bytes, "file": file, "text": text },
        "only_while_ready": answered.ready,
    })
}

fn fields_of(list: &[(String, String)]) -> Value {
    list.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn other(explanation: &Explanation<'_>, loser: &Loser<'_>) -> Value {
    let mut other = named(explanation, loser.route);
    other["reasons"] = loser.reasons.iter().map(|reason| json!({ "what": reason.what, "text": reason.text })).collect();
    other
}
