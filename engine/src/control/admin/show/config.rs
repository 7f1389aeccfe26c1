//! The configuration in force, section by section as in the file, defaults filled in.

use super::super::answer::{Answer, list};
use super::super::status::Status;
use super::matching;
use super::outcome_of;
use super::values::{SECRET, duration, size, time};
use ringgate_config::{AccessLog, Config, Cores, Limits, LogFormat, LogPart, LogTarget};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The configuration, with where it comes from and what came of the last reload. The routes come last, since there may
/// be very many.
pub(in super::super) fn config(status: &Arc<Status>) -> Answer {
    let about = json!({
        "generation": status.generation,
        "file": status.file.as_ref().map(|file| file.display().to_string()),
        "loaded_at": time(status.loaded_at),
        "reload": status.last.as_deref().map(|outcome| outcome_of(status, outcome)),
    });
    let (about, sections) = (about.to_string(), sections(&status.config).to_string());
    let before = format!("{},\"config\":{},\"routes\":[", open(&about), open(&sections));
    let status = status.clone();
    let routes = (0..status.config.routes.len()).map(move |at| matching::whole(&status.config, at));
    list(before, routes, "]}}")
}

/// An object without its last brace.
fn open(object: &str) -> &str {
    object.strip_suffix('}').unwrap_or(object)
}

/// Every section but the routes.
fn sections(config: &Config) -> Value {
    let listeners = config.listeners.iter();
    let listeners = listeners.map(|listener| json!({ "name": listener.name, "address": listener.address.to_string() }));
    json!({
        "runtime": runtime(config),
        "admin": config.admin.as_ref().map(|admin| json!({
            "address": admin.address.to_string(),
            "token": admin.token.as_ref().map(|_| SECRET),
        })),
        "state_dir": config.state_dir.as_ref().map(|path| path.display().to_string()),
        "shutdown": { "delay": duration(config.shutdown.delay), "deadline": duration(config.shutdown.deadline) },
        "reload": { "drain": duration(config.reload.drain) },
        "trusted_proxies": config.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "limits": limits(&config.limits),
        "access_log": config.access_log.as_ref().map_or_else(|| json!("off"), access_log),
        "listeners": listeners.collect::<Vec<Value>>(),
        "upstreams": upstreams(config),
    })
}

fn runtime(config: &Config) -> Value {
    let runtime = &config.runtime;
    let cores = match &runtime.cores {
        Cores::Auto => json!("auto"),
        Cores::List(list) => json!(list),
    };
    let per_core = runtime.per_core.iter();
    let per_core = per_core.map(|(core, own)| (core.to_string(), json!({ "ring_entries": own.ring_entries })));
    let entries = runtime.ring_entries.unwrap_or(ringgate_rt::driver::RING_ENTRIES);
    json!({ "cores": cores, "ring_entries": entries, "per_core": per_core.collect::<Map<String, Value>>() })
}

fn limits(limits: &Limits) -> Value {
    let body = match limits.body_bytes {
        u64::MAX => "off".to_owned(),
        bytes => size(bytes),
    };
    let min_rate = limits.min_rate.as_ref();
    json!({
        "header_bytes": size(limits.header_bytes as u64),
        "headers": limits.headers,
        "target_bytes": size(limits.target_bytes as u64),
        "body_bytes": body,
        "header_timeout": duration(limits.header_timeout),
        "idle_timeout": duration(limits.idle_timeout),
        "min_rate": min_rate.map_or_else(|| json!("off"), |rate| json!({ "bytes": rate.bytes, "grace": duration(rate.grace) })),
        "connections": limits.connections,
        "max_hops": limits.max_hops,
    })
}

fn upstreams(config: &Config) -> Value {
    let upstreams = config.upstreams.iter().map(|upstream| {
        let endpoints = upstream.endpoints.iter();
        let endpoints =
            endpoints.map(|endpoint| json!({ "address": endpoint.address.to_string(), "weight": endpoint.weight }));
        let shown = json!({
            "endpoints": endpoints.collect::<Vec<Value>>(),
            "connect_timeout": duration(upstream.connect_timeout),
        });
        (upstream.name.clone(), shown)
    });
    Value::Object(upstreams.collect())
}

fn access_log(log: &AccessLog) -> Value {
    let format = match &log.format {
        LogFormat::Json => json!("json"),
        LogFormat::Combined => json!("combined"),
        LogFormat::Template(parts) => json!({ "template": parts.iter().map(part).collect::<String>() }),
    };
    let to = match &log.to {
        LogTarget::Stdout => json!("stdout"),
        LogTarget::File(path) => json!({ "file": path.display().to_string() }),
    };
    json!({ "format": format, "to": to, "headers": log.headers })
}

/// A part of a line, as the file writes it.
fn part(part: &LogPart) -> String {
    match part {
        LogPart::Literal(text) => text.clone(),
        LogPart::Header(name) => format!("{{header:{name}}}"),
        LogPart::Value(value) => format!("{{{}}}", value.name()),
    }
}
