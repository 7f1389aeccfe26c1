//! The process as a whole: cores, stopping, whom to believe, what to log.

use ipnet::IpNet;

use crate::decode::{Wrong, parsed};
use crate::document::{AccessLog, Cores, Runtime, Shutdown};
use crate::findings::REMOVE;
use crate::form::Form;
use crate::node::{Node, Value};
use crate::reader::Reader;
use crate::table::{Field, Presence, Table, later};
use crate::wording::shorten;
use std::net::IpAddr;
use std::time::Duration;

/// The number of the highest core that can be named.
pub(crate) const CORE_MAX: u64 = 1023;
pub(crate) const RING_ENTRIES_MIN: u64 = 64;
pub(crate) const RING_ENTRIES_MAX: u64 = 32_768;
pub(crate) const DEADLINE_MAX: Duration = Duration::from_secs(24 * 3600);

const CORE: Form = Form::Integer { min: 0, max: CORE_MAX };

pub(crate) static RUNTIME: Table<Runtime> = Table {
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
            read: |reader, node, _, runtime: &mut Runtime| {
                if let Some(cores) = cores(reader, node) {
                    runtime.cores = cores;
                }
            },
        },
        Field {
            key: "ring_entries",
            form: Form::PowerOfTwo { min: RING_ENTRIES_MIN, max: RING_ENTRIES_MAX },
            presence: Presence::Default("1024"),
            doc: "Entries of each shard's io_uring submission queue; has no effect with epoll.",
            example: "8192",
            exceeding: None,
            read: |reader, node, form, runtime| {
                runtime.ring_entries = reader.integer(node, form).and_then(|entries| u32::try_from(entries).ok());
            },
        },
    ],
    later: &[later("per_core", "tuning for single cores")],
};

pub(crate) static SHUTDOWN: Table<Shutdown> = Table {
    path: "shutdown",
    noun: "`shutdown`",
    doc: "How the process stops after TERM.",
    fields: &[Field {
        key: "deadline",
        form: Form::Duration { min: Duration::ZERO, max: DEADLINE_MAX },
        presence: Presence::Default("30s"),
        doc: "How long exchanges in flight may go on.",
        example: "10s",
        exceeding: Some("what is left is closed"),
        read: |reader, node, form, shutdown| {
            if let Some(deadline) = reader.duration(node, form) {
                shutdown.deadline = deadline;
            }
        },
    }],
    later: &[later("delay", "waiting before the stop begins")],
};

pub(crate) static ACCESS_LOG: Table<AccessLog> = Table {
    path: "access_log",
    noun: "`access_log`",
    doc: "What is written about each request. `off` writes nothing, `on` the defaults of this table.",
    fields: &[
        Field {
            key: "format",
            form: Form::Choice(&["json"]),
            presence: Presence::Default("json"),
            doc: "One JSON object a line.",
            example: "json",
            exceeding: None,
            read: |reader, node, form, _| {
                reader.choice(node, form, &[("combined", "the combined log format")]);
            },
        },
        Field {
            key: "to",
            form: Form::Choice(&["stdout"]),
            presence: Presence::Default("stdout"),
            doc: "Where the lines go.",
            example: "stdout",
            exceeding: None,
            read: |reader, node, form, _| match &node.value {
                Value::Map(entries) if entries.iter().any(|entry| entry.key == "file") => {
                    let feature = "`to: { file: ... }` (an access log in a file)";
                    reader.not_landed(node.span, feature, REMOVE);
                }
                _ => {
                    reader.choice(node, form, &[]);
                }
            },
        },
    ],
    later: &[later("headers", "header fields in the access log")],
};

pub(crate) fn access_log(reader: &mut Reader<'_>, node: &Node) -> Option<AccessLog> {
    let mut log = AccessLog::default();
    match reader.switch(node) {
        Some(true) => {}
        Some(false) => return None,
        None => reader.table(node, &ACCESS_LOG, &mut log),
    }
    Some(log)
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
