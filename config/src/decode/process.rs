//! The process as a whole: cores, stopping, reloading, what it keeps, whom to believe.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::decode::limits::put;
use crate::decode::{Once, Wrong, parsed};
use crate::document::{Cores, PerCore, Reload, Runtime, Shutdown};
use crate::form::Form;
use crate::node::{Entry, Node, Span, Value};
use crate::reader::Reader;
use crate::table::{Field, Presence, Table};
use crate::units;
use crate::wording::shorten;

/// The number of the highest core that can be named.
pub(crate) const CORE_MAX: u64 = 1023;
pub(crate) const RING_ENTRIES_MIN: u64 = 64;
pub(crate) const RING_ENTRIES_MAX: u64 = 32_768;
pub(crate) const DEADLINE_MAX: Duration = Duration::from_secs(24 * 3600);
pub(crate) const DELAY_MAX: Duration = Duration::from_secs(3600);

const CORE: Form = Form::Integer { min: 0, max: CORE_MAX };

/// The runtime while it is read.
#[derive(Default)]
pub(crate) struct RuntimeDraft {
    runtime: Runtime,
    /// Where each entry of `per_core` stands.
    per_core: Vec<(usize, Span)>,
    /// Something in `cores` can't be read: any core may have stood there.
    illegible: bool,
}

pub(crate) static RUNTIME: Table<RuntimeDraft> = Table {
    path: "runtime",
    noun: "`runtime`",
    doc: "Cores and rings. Read once at the start: a reload can't change them.",
    fields: &[
        Field {
            key: "cores",
            form: Form::Either(&Form::Choice(&["auto"]), &Form::List { of: &CORE, min: 1 }),
            presence: Presence::Default("auto"),
            doc: "The cores that run one shard each, pinned; `auto`: every core that the process may run on.",
            example: "[0, 2]",
            exceeding: None,
            read: |reader, node, _, draft| {
                let before = reader.errors();
                draft.runtime.cores = cores(reader, node).unwrap_or_default();
                draft.illegible = reader.errors() > before;
            },
        },
        Field {
            key: "ring_entries",
            form: Form::PowerOfTwo { min: RING_ENTRIES_MIN, max: RING_ENTRIES_MAX },
            presence: Presence::Default("1024"),
            doc: "Entries of each shard's io_uring submission queue; has no effect with epoll.",
            example: "8192",
            exceeding: None,
            read: |reader, node, form, draft| draft.runtime.ring_entries = entries(reader, node, form),
        },
        Field {
            key: "per_core",
            form: Form::Map { key: "CORE", of: &Form::Object(&PER_CORE) },
            presence: Presence::Default("{}"),
            doc: "What is different on single cores, by their number; those that `cores` names.",
            example: "{ 0: { ring_entries: 8192 } }",
            exceeding: None,
            read: |reader, node, _, draft| per_core(reader, node, draft),
        },
    ],
    alternatives: &[],
    later: &[],
};

pub(crate) static PER_CORE: Table<PerCore> = Table {
    path: "runtime.per_core.CORE",
    noun: "a core's settings",
    doc: "What is different on one core.",
    fields: &[Field {
        key: "ring_entries",
        form: Form::PowerOfTwo { min: RING_ENTRIES_MIN, max: RING_ENTRIES_MAX },
        presence: Presence::Optional("as on the other cores"),
        doc: "As `runtime.ring_entries`.",
        example: "8192",
        exceeding: None,
        read: |reader, node, form, core| core.ring_entries = entries(reader, node, form),
    }],
    alternatives: &[],
    later: &[],
};

pub(crate) fn runtime(reader: &mut Reader<'_>, node: &Node) -> Runtime {
    let mut draft = RuntimeDraft::default();
    reader.table(node, &RUNTIME, &mut draft);
    let RuntimeDraft { runtime, per_core, illegible } = draft;
    if let (Cores::List(cores), false) = (&runtime.cores, illegible) {
        for (core, span) in per_core.into_iter().filter(|(core, _)| !cores.contains(core)) {
            let message = format!("core {core} runs nothing: `cores` does not name it");
            reader.error(span, message, "add it to `cores`, or remove its settings");
        }
    }
    runtime
}

fn entries(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Option<u32> {
    reader.integer(node, form).and_then(|entries| u32::try_from(entries).ok())
}

fn per_core(reader: &mut Reader<'_>, node: &Node, draft: &mut RuntimeDraft) {
    let Some(entries) = reader.map(node, "`per_core`", "{ 0: { ring_entries: 8192 } }") else {
        return;
    };
    let mut once = Once::new("the core");
    for Entry { key, span, value } in entries {
        let number = units::integer(key).ok().filter(|&number| CORE.admits(number));
        let mut settings = PerCore::default();
        reader.table(value, &PER_CORE, &mut settings);
        match number.and_then(|number| usize::try_from(number).ok()) {
            Some(core) if once.check(reader, &core.to_string(), *span) => {
                draft.per_core.push((core, *span));
                draft.runtime.per_core.insert(core, settings);
            }
            Some(_) => {}
            None => {
                let message = format!("`{}` is not the number of a core", shorten(key));
                reader.error(*span, message, format!("allowed: {}", CORE.limits()));
            }
        }
    }
}

pub(crate) static SHUTDOWN: Table<Shutdown> = Table {
    path: "shutdown",
    noun: "`shutdown`",
    doc: "How the process stops after TERM.",
    fields: &[
        Field {
            key: "deadline",
            form: Form::Duration { min: Duration::ZERO, max: DEADLINE_MAX },
            presence: Presence::Default("30s"),
            doc: "How long exchanges in flight may go on, once accepting has ended.",
            example: "10s",
            exceeding: Some("what is left is closed"),
            read: |reader, node, form, shutdown: &mut Shutdown| {
                put(&mut shutdown.deadline, reader.duration(node, form))
            },
        },
        Field {
            key: "delay",
            form: Form::Duration { min: Duration::ZERO, max: DELAY_MAX },
            presence: Presence::Default("0s"),
            doc: "How long the gateway goes on accepting while it already says that it is not ready, so that load balancers turn away first.",
            example: "5s",
            exceeding: None,
            read: |reader, node, form, shutdown| put(&mut shutdown.delay, reader.duration(node, form)),
        },
    ],
    alternatives: &[],
    later: &[],
};

pub(crate) static RELOAD: Table<Reload> = Table {
    path: "reload",
    noun: "`reload`",
    doc: "How another configuration takes over.",
    fields: &[Field {
        key: "drain",
        form: Form::Duration { min: Duration::ZERO, max: DEADLINE_MAX },
        presence: Presence::Default("30s"),
        doc: "How long tunnels of a route that is no longer there may go on.",
        example: "5m",
        exceeding: Some("the tunnel is closed"),
        read: |reader, node, form, reload: &mut Reload| put(&mut reload.drain, reader.duration(node, form)),
    }],
    alternatives: &[],
    later: &[],
};

/// The directory of what must survive a restart.
pub(crate) fn state_dir(reader: &mut Reader<'_>, node: &Node) -> Option<PathBuf> {
    reader.path(node, "the path of a directory")
}

fn cores(reader: &mut Reader<'_>, node: &Node) -> Option<Cores> {
    let Value::List(items) = &node.value else {
        let noun = "`auto` or a list of cores";
        return parsed(reader, node, noun, |text| match text {
            "auto" => Ok(Cores::Auto),
            other => {
                Err((format!("expected {noun}, found `{}`", shorten(other)), "write `[0, 2]`, for example".into()))
            }
        });
    };
    if items.is_empty() {
        reader.error(node.span, "the list of cores is empty", "name at least one, or write `auto`");
        return None;
    }
    let mut cores = Vec::new();
    for item in items {
        let Some(core) = reader.integer(item, &CORE).and_then(|core| usize::try_from(core).ok()) else {
            continue;
        };
        if cores.contains(&core) {
            reader.error(item.span, format!("core {core} is given twice"), "each core runs one shard");
        } else {
            cores.push(core);
        }
    }
    Some(Cores::List(cores))
}

pub(crate) fn trusted_proxies(reader: &mut Reader<'_>, node: &Node, form: &Form) -> Vec<IpNet> {
    let Some(items) = reader.list(node, form, "IP networks", "10.0.0.0/8") else {
        return Vec::new();
    };
    let mut networks = Vec::new();
    for item in items {
        let Some(network) = parsed(reader, item, "an IP network such as `10.0.0.0/8`", network) else {
            continue;
        };
        if network.prefix_len() == 0 {
            let message = format!("`{network}` trusts every sender: any client may claim any address");
            reader.warning(item.span, message, "name the networks of your own proxies");
        }
        networks.push(network);
    }
    networks
}

/// `10.0.0.0/8`, or a single address.
fn network(text: &str) -> Result<IpNet, Wrong> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let Ok(network) = text.parse::<IpNet>() else {
        let message = format!("`{}` is not an IP network", shorten(text));
        return Err((message, "write `10.0.0.0/8`, `\"fd00::/8\"` or a single address".to_owned()));
    };
    if network.trunc() != network {
        let message = format!("`{}` has bits set behind its prefix", shorten(text));
        return Err((
            message,
            format!("write `{}` for the network, or `{}` for the one address", network.trunc(), network.addr()),
        ));
    }
    Ok(network)
}
