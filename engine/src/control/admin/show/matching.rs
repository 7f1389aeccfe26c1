//! Routes: which requests they take, and what they do.

use super::values::duration;
use ringgate_config::{Action, Config, Match, PathPattern, ResponseBody, Route, Segment};
use serde_json::{Map, Value, json};

/// A route in a few words.
pub(super) fn summary(config: &Config, at: usize) -> Value {
    let route = &config.routes[at];
    json!({ "name": route.name, "match": matches(&route.matches), "action": words(config, &route.action) })
}

/// A route as the file writes it.
pub(super) fn whole(config: &Config, at: usize) -> Value {
    let route = &config.routes[at];
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(route.name));
    shown.insert("match".to_owned(), matches(&route.matches));
    let (key, action) = action(config, route);
    shown.insert(key.to_owned(), action);
    Value::Object(shown)
}

fn matches(matches: &Match) -> Value {
    let mut shown = Map::new();
    if !matches.hosts.is_empty() {
        let hosts = matches.hosts.iter().map(|host| json!(host.to_string()));
        shown.insert("hosts".to_owned(), Value::Array(hosts.collect()));
    }
    if let Some(pattern) = &matches.path {
        shown.insert("path".to_owned(), path(pattern));
    }
    if !matches.methods.is_empty() {
        shown.insert("methods".to_owned(), json!(matches.methods));
    }
    for (key, values) in [("headers", &matches.headers), ("query", &matches.query)] {
        if !values.is_empty() {
            let values = values.iter().map(|(name, value)| (name.clone(), json!(value.to_string())));
            shown.insert(key.to_owned(), Value::Object(values.collect()));
        }
    }
    Value::Object(shown)
}

fn path(pattern: &PathPattern) -> Value {
    match pattern {
        PathPattern::Exact(path) => json!(path),
        PathPattern::Prefix(prefix) => json!(format!("{prefix}/*")),
        PathPattern::Regex(source) => json!({ "regex": source }),
        PathPattern::Captured { segments, rest } => {
            let segments = segments.iter().map(|segment| match segment {
                Segment::Literal(text) => format!("/{text}"),
                Segment::Capture(name) => format!("/{{{name}}}"),
            });
            let rest = rest.then(|| "/*".to_owned());
            json!(segments.chain(rest).collect::<String>())
        }
    }
}

/// What is done, for a person.
fn words(config: &Config, action: &Action) -> String {
    match action {
        Action::Forward(forward) => {
            let names = forward.to.iter().map(|share| match forward.to.len() {
                1 => config.upstreams[share.upstream].name.clone(),
                _ => format!("{} ({})", config.upstreams[share.upstream].name, share.weight),
            });
            format!("forward to {}", names.collect::<Vec<_>>().join(", "))
        }
        Action::Redirect(redirect) => {
            let to = redirect.to.as_ref().map_or_else(|| "the same path".to_owned(), ToString::to_string);
            let scheme = if redirect.https { " on https" } else { "" };
            format!("redirect to {to}{scheme} ({})", redirect.status)
        }
        Action::Respond(respond) if respond.ready => format!("respond {} while ready, else 503", respond.status),
        Action::Respond(respond) => format!("respond {}", respond.status),
    }
}

/// What is done, with its key.
fn action(config: &Config, route: &Route) -> (&'static str, Value) {
    match &route.action {
        Action::Forward(forward) => {
            let mut shown = Map::new();
            let name = |at: usize| config.upstreams[at].name.as_str();
            match forward.to.as_slice() {
                [only] => shown.insert("upstream".to_owned(), json!(name(only.upstream))),
                all => {
                    let shares =
                        all.iter().map(|share| json!({ "upstream": name(share.upstream), "weight": share.weight }));
                    shown.insert("split".to_owned(), Value::Array(shares.collect()))
                }
            };
            shown.insert("timeout".to_owned(), json!(duration(forward.timeout)));
            if let Some(host) = &forward.host {
                shown.insert("host".to_owned(), json!(host));
            }
            ("forward", Value::Object(shown))
        }
        Action::Redirect(redirect) => {
            let to = redirect.to.as_ref().map(ToString::to_string);
            ("redirect", json!({ "to": to, "https": redirect.https, "status": redirect.status }))
        }
        Action::Respond(respond) => {
            let headers = respond.headers.iter().map(|(name, value)| (name.clone(), json!(value.to_string())));
            let headers: Map<String, Value> = headers.collect();
            let body = match &respond.body {
                ResponseBody::Text(text) => json!(text.to_string()),
                ResponseBody::File { path, .. } => json!({ "file": path.display().to_string() }),
            };
            let mut shown = json!({ "status": respond.status, "headers": headers, "body": body });
            if respond.ready {
                shown["health"] = json!("ready");
            }
            ("respond", shown)
        }
    }
}
