//! A difference as one JSON object.

use super::Difference;
use super::fates::Told;
use super::replay::Replay;
use ringgate_config::diff::Change;
use serde_json::{Value, json};

pub(super) fn json(difference: &Difference<'_>) -> String {
    let changes: Vec<Value> = difference.changes.iter().map(changed).collect();
    let object = json!({ "changes": changes, "requests": difference.replay.as_ref().map(requests) });
    format!("{object}\n")
}

fn changed(change: &Change) -> Value {
    let details = change.details.iter().map(|d| json!({ "field": d.field, "old": d.old, "new": d.new }));
    json!({
        "kind": change.kind.as_str(),
        "what": change.what.as_str(),
        "name": change.name,
        "needs_restart": change.needs_restart,
        "details": details.collect::<Vec<_>>(),
    })
}

fn requests(replay: &Replay<'_>) -> Value {
    let groups = replay.groups().into_iter().map(|(group, count)| {
        json!({
            "count": count,
            "method": group.method,
            "host": group.host,
            "target": group.target,
            "old": told(&replay.old.told(group.was)),
            "new": told(&replay.new.told(group.is)),
        })
    });
    let undecided = replay.by_header.iter().map(|(name, count)| json!({ "header": name, "requests": count }));
    let first = replay.first_unreadable.as_ref();
    json!({
        "read": replay.requests,
        "changed": replay.changed,
        "groups": groups.collect::<Vec<_>>(),
        "ungrouped": replay.ungrouped,
        "undecided": undecided.collect::<Vec<_>>(),
        "without_host": replay.by_host,
        "unreadable": replay.unreadable,
        "first_unreadable": first.map(|(line, reason)| json!({ "line": line, "reason": reason })),
    })
}

fn told(told: &Told) -> Value {
    match (&told.route, told.status) {
        (Some(route), _) => json!({ "route": route, "treatment": told.treatment }),
        (None, status) => json!({ "refused": { "status": status, "error": told.treatment } }),
    }
}
