//! `listeners[].tls.hsts`: what browsers are told of later visits (RFC 6797).

use std::time::Duration;

use crate::form::Form;
use crate::node::{Node, Span};
use crate::reader::Reader;
use crate::secure::Hsts;
use crate::table::{Field, Presence, Table};
use crate::units::show_duration;

const HOUR: u64 = 3600;
/// Where the file doesn't say: a year.
const MAX_AGE: Duration = Duration::from_secs(365 * 24 * HOUR);
/// Ten years.
const MAX_AGE_MAX: Duration = Duration::from_secs(3650 * 24 * HOUR);
/// The least that the lists which browsers are shipped with take (hstspreload.org).
const PRELOAD_MIN: Duration = Duration::from_secs(365 * 24 * HOUR);

/// `hsts` while it is read.
#[derive(Default)]
pub(crate) struct Draft {
    max_age: Option<Duration>,
    include_subdomains: bool,
    preload: Option<(bool, Span)>,
}

pub(crate) static HSTS: Table<Draft> = Table {
    path: "listeners[].tls.hsts",
    noun: "`hsts`",
    doc: "What browsers are told of later visits. They keep to it: begin with a short `max_age`. Only sent over TLS.",
    fields: &[
        Field {
            key: "max_age",
            form: Form::Duration { min: Duration::ZERO, max: MAX_AGE_MAX },
            presence: Presence::Default("8760h"),
            doc: "For how long browsers use https alone, in whole seconds; `0s` takes it back.",
            example: "24h",
            exceeding: None,
            read: |reader, node, form, draft| {
                draft.max_age = reader.duration(node, form);
                if draft.max_age.is_some_and(|age| age.subsec_millis() > 0) {
                    reader.error(node.span, "`max_age` is counted in whole seconds", "write `60s`, for example");
                }
            },
        },
        Field {
            key: "include_subdomains",
            form: Form::Switch,
            presence: Presence::Default("off"),
            doc: "Whether that holds for every host below this one too.",
            example: "on",
            exceeding: None,
            read: |reader, node, _, draft| draft.include_subdomains = reader.on_or_off(node).unwrap_or(false),
        },
        Field {
            key: "preload",
            form: Form::Switch,
            presence: Presence::Default("off"),
            doc: "Whether the site asks to be in the lists that browsers are shipped with: needs `include_subdomains: on` and a \
                  `max_age` of at least 8760h. Hard to take back.",
            example: "off",
            exceeding: None,
            read: |reader, node, _, draft| draft.preload = reader.on_or_off(node).map(|on| (on, node.span)),
        },
    ],
    alternatives: &[],
    later: &[],
};

pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Hsts> {
    let mut draft = Draft::default();
    match reader.switch(node) {
        Some(true) => {}
        Some(false) => return None,
        None => reader.table(node, &HSTS, &mut draft),
    }
    let Draft { max_age, include_subdomains, preload } = draft;
    let max_age = max_age.unwrap_or(MAX_AGE);
    if let Some((true, span)) = preload
        && (max_age < PRELOAD_MIN || !include_subdomains)
    {
        let least = show_duration(PRELOAD_MIN);
        let message = format!("`preload` needs `include_subdomains: on` and a `max_age` of at least {least}");
        reader.error(span, message, "the lists that browsers are shipped with take no other site: hstspreload.org");
    }
    Some(Hsts { max_age, include_subdomains, preload: preload.is_some_and(|(on, _)| on) })
}
