//! What is shown, as JSON: values as the file writes them, no secrets.

mod certificates;
mod config;
mod matching;
mod values;

use super::super::reload::Outcome;
use super::super::report::address_text;
use super::answer::{Answer, good, json, list};
use super::status::Status;
use crate::observe::{EndpointGlance, Registry};
pub(super) use certificates::certificates;
pub(super) use config::config;
use hyper::StatusCode;
use ringgate_config::Secret;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use values::{SECRET, duration, time};

/// Bytes of the shortest token that is masked in quotations.
const MASKED_BYTES_MIN: usize = 8;

/// The routes, in the order of the file.
pub(super) fn routes(status: &Arc<Status>) -> Answer {
    let status = status.clone();
    let items = (0..status.config.routes.len()).map(move |at| matching::summary(&status.config, at));
    list("{\"routes\":[".to_owned(), items, "]}")
}

/// The services, with what their endpoints are doing.
pub(super) fn upstreams(status: &Arc<Status>, registry: &Registry) -> Answer {
    let (status, known) = (status.clone(), registry.endpoints());
    let items = (0..status.config.upstreams.len()).map(move |at| upstream(&status, &known, at));
    list("{\"upstreams\":[".to_owned(), items, "]}")
}

fn upstream(status: &Status, known: &BTreeMap<(String, String), EndpointGlance>, at: usize) -> Value {
    let upstream = &status.config.upstreams[at];
    let endpoints = upstream.endpoints.iter().map(|endpoint| {
        let key = (upstream.name.clone(), endpoint.address.to_string());
        let state = state(status.taken_out.contains(&key));
        let mut shown = json!({ "address": key.1, "weight": endpoint.weight, "state": state });
        // One beyond the number of series that are kept is counted together with others.
        if let Some(now) = known.get(&key) {
            shown["connections"] = json!({ "active": now.active, "idle": now.idle });
            shown["requests"] = json!(now.requests);
            shown["connects_failed"] = json!(now.connects_failed);
            shown["skipped_on"] = json!(now.skipped_on);
        }
        shown
    });
    json!({
        "name": upstream.name,
        "connect_timeout": duration(upstream.connect_timeout),
        "endpoints": endpoints.collect::<Vec<Value>>(),
    })
}

/// The word for an endpoint's state.
pub(super) fn state(drained: bool) -> &'static str {
    if drained { "drained" } else { "up" }
}

/// Client connections.
pub(super) fn connections(status: &Status, registry: &Registry) -> Answer {
    let known = registry.listeners();
    let listeners = status.listeners.iter().map(|listener| {
        let mut shown = json!({ "name": listener.name, "address": address_text(&listener.address) });
        if let Some(now) = known.get(&listener.name) {
            shown["open"] = json!(now.open);
            shown["accepted"] = json!(now.accepted);
            shown["limited"] = json!(now.limited);
        }
        shown
    });
    let shards = registry.exchanges().into_iter().enumerate();
    let shards = shards.map(|(at, exchanges)| {
        let accepted = status.counters.get(at).map(|counters| counters.accept.get());
        json!({ "shard": at, "accepted": accepted, "exchanges": exchanges })
    });
    good(&json!({
        "total": status.permits.taken(),
        "limit": status.config.limits.connections,
        "listeners": listeners.collect::<Vec<Value>>(),
        "shards": shards.collect::<Vec<Value>>(),
    }))
}

/// The answer to a reload.
pub(super) fn reloaded(status: &Status, outcome: &Outcome) -> Answer {
    if outcome.succeeded() {
        return good(&outcome_of(status, outcome));
    }
    let count = outcome.errors.len();
    let message = format!("{count} {}, nothing was changed", if count == 1 { "error" } else { "errors" });
    let mut shown = json!({ "error": "reload_failed", "message": message });
    if let (Value::Object(shown), Value::Object(members)) = (&mut shown, outcome_of(status, outcome)) {
        shown.extend(members);
    }
    json(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// What came of a reload. Its words quote the file, in which the token may stand under a key that is misspelt.
fn outcome_of(status: &Status, outcome: &Outcome) -> Value {
    let token = status.config.admin.as_ref().and_then(|admin| admin.token.as_ref()).map(Secret::reveal);
    // One that is shorter could be made out from what its absence leaves.
    let token = token.filter(|token| token.len() >= MASKED_BYTES_MIN);
    let masked = |texts: &[String]| {
        let masked = texts.iter().map(|text| token.map_or_else(|| text.clone(), |token| text.replace(token, SECRET)));
        masked.collect::<Vec<String>>()
    };
    json!({
        "at": time(outcome.at),
        "took_ms": (outcome.took.as_secs_f64() * 1e6).round() / 1e3,
        "result": if outcome.succeeded() { "ok" } else { "failed" },
        "generation": outcome.generation,
        "errors": masked(&outcome.errors),
        "changes": masked(&outcome.changes),
        "kept": outcome.kept,
        "warnings": masked(&outcome.warnings),
    })
}
