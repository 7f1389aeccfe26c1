//! What differs between two documents: what a reload would change. Listeners, upstreams, endpoints and routes are known
//! by their names; where something stands in its file never counts, but for the order of routes of equal rank.

mod facts;
mod order;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::document::Config;
use facts::Fact;

/// One part of the configuration that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What kind of part it is.
    pub what: Part,
    /// Its name; `None` for a part that there is only one of.
    pub name: Option<String>,
    /// What became of it.
    pub kind: Kind,
    /// What about it differs; of a part that was added or removed, all that it says.
    pub details: Vec<Detail>,
    /// Whether a reload keeps the old value, so that only a restart brings the new one.
    pub needs_restart: bool,
}

/// One thing about a part. A secret is not shown: its texts say only that it is one, and that it is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The key, with its path inside the part: `forward.timeout`; `endpoint ADDRESS` for an upstream's endpoint.
    pub field: String,
    /// What it was; `None`: it wasn't there.
    pub old: Option<String>,
    /// What it is; `None`: it isn't there any more.
    pub new: Option<String>,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only the new document has it.
    Added,
    /// Only the old document has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
}

impl Kind {
    /// `added`, `removed` or `changed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
        }
    }
}

/// The parts of a document, in the order in which changes are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the part of the document of this name")]
pub enum Part {
    Runtime,
    Admin,
    StateDir,
    Shutdown,
    Reload,
    TrustedProxies,
    Limits,
    Listener,
    Upstream,
    Route,
    AccessLog,
}

impl Part {
    /// `listener`, `upstream` and `route` for one of these; for the others their key.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Runtime => "runtime",
            Part::Admin => "admin",
            Part::StateDir => "state_dir",
            Part::Shutdown => "shutdown",
            Part::Reload => "reload",
            Part::TrustedProxies => "trusted_proxies",
            Part::Limits => "limits",
            Part::Listener => "listener",
            Part::Upstream => "upstream",
            Part::Route => "route",
            Part::AccessLog => "access_log",
        }
    }
}

/// Everything that differs, by part; of listeners, upstreams and routes first those that the new document has, in its
/// order, then those that are gone. Empty if nothing differs.
pub fn documents(old: &Config, new: &Config) -> Vec<Change> {
    let mut changes = Vec::new();
    changes.extend(section(Part::Runtime, Some(facts::runtime(&old.runtime)), Some(facts::runtime(&new.runtime))));
    changes.extend(section(Part::Admin, old.admin.as_ref().map(facts::admin), new.admin.as_ref().map(facts::admin)));
    let directories = [old, new].map(|config| config.state_dir.as_deref().map(facts::state_dir));
    let [before, after] = directories;
    changes.extend(section(Part::StateDir, before, after));
    changes.extend(section(Part::Shutdown, Some(facts::shutdown(&old.shutdown)), Some(facts::shutdown(&new.shutdown))));
    changes.extend(section(Part::Reload, Some(facts::reload(&old.reload)), Some(facts::reload(&new.reload))));
    let [before, after] = [old, new].map(|config| facts::trusted_proxies(&config.trusted_proxies));
    changes.extend(section(Part::TrustedProxies, Some(before), Some(after)));
    changes.extend(section(Part::Limits, Some(facts::limits(&old.limits)), Some(facts::limits(&new.limits))));

    let [before, after] = [old, new].map(|config| config.listeners.iter().map(|l| (l.name.as_str(), l)).collect());
    let of_old = |listener| facts::listener(listener, &old.upstreams);
    let of_new = |listener| facts::listener(listener, &new.upstreams);
    named(Part::Listener, &before, &after, of_old, of_new, &mut changes);
    let [before, after] = [old, new].map(|config| config.upstreams.iter().map(|u| (u.name.as_str(), u)).collect());
    named(Part::Upstream, &before, &after, facts::upstream, facts::upstream, &mut changes);

    let first_route = changes.len();
    let [before, after] = [old, new].map(|config| config.routes.iter().map(|r| (r.name.as_str(), r)).collect());
    let of_old = |route| facts::route(route, &old.upstreams);
    let of_new = |route| facts::route(route, &new.upstreams);
    named(Part::Route, &before, &after, of_old, of_new, &mut changes);
    reordered(old, new, &mut changes, first_route);

    let [before, after] = [old, new].map(|config| config.access_log.as_ref().map(facts::access_log));
    changes.extend(section(Part::AccessLog, before, after));
    changes
}

/// A part that there is one of, or none.
fn section(what: Part, old: Option<Vec<Fact<'_>>>, new: Option<Vec<Fact<'_>>>) -> Option<Change> {
    let kind = match (&old, &new) {
        (None, None) => return None,
        (None, Some(_)) => Kind::Added,
        (Some(_), None) => Kind::Removed,
        (Some(_), Some(_)) => Kind::Changed,
    };
    let details = compare(&old.unwrap_or_default(), &new.unwrap_or_default());
    let needs_restart = what == Part::Runtime;
    (kind != Kind::Changed || !details.is_empty()).then_some(Change { what, name: None, kind, details, needs_restart })
}

/// Parts that are known by their names, which are unique in each document.
fn named<'c, T>(
    what: Part,
    old: &Vec<(&'c str, &'c T)>,
    new: &Vec<(&'c str, &'c T)>,
    of_old: impl Fn(&'c T) -> Vec<Fact<'c>>,
    of_new: impl Fn(&'c T) -> Vec<Fact<'c>>,
    changes: &mut Vec<Change>,
) {
    let before: HashMap<&str, &T> = old.iter().copied().collect();
    let after: HashSet<&str> = new.iter().map(|&(name, _)| name).collect();
    for &(name, part) in new {
        let change = section(what, before.get(name).map(|part| of_old(part)), Some(of_new(part)));
        changes.extend(change.map(|change| Change { name: Some(name.to_owned()), ..change }));
    }
    for &(name, part) in old.iter().filter(|(name, _)| !after.contains(name)) {
        let change = section(what, Some(of_old(part)), None);
        changes.extend(change.map(|change| Change { name: Some(name.to_owned()), ..change }));
    }
}

/// Adds what the order of the file changes to the changes of routes, which begin at `first`.
fn reordered(old: &Config, new: &Config, changes: &mut Vec<Change>, first: usize) {
    let moved = order::moved(&old.routes, &new.routes);
    if moved.is_empty() {
        return;
    }
    let places: HashMap<String, usize> =
        (first..changes.len()).filter_map(|i| Some((changes[i].name.clone()?, i))).collect();
    for (name, other) in moved {
        let (old, new) = (Some(format!("before `{other}`")), Some(format!("after `{other}`")));
        let detail = Detail { field: "order".to_owned(), old, new };
        match places.get(name) {
            Some(&place) => changes[place].details.push(detail),
            None => changes.push(Change {
                what: Part::Route,
                name: Some(name.to_owned()),
                kind: Kind::Changed,
                details: vec![detail],
                needs_restart: false,
            }),
        }
    }
}

/// What differs between two states of a part: in the order of the new one, then what is gone.
fn compare(old: &[Fact<'_>], new: &[Fact<'_>]) -> Vec<Detail> {
    let shown = |fact: &Fact<'_>| Some(fact.shown.clone());
    let mut details = Vec::new();
    let aligned = old.len() == new.len() && old.iter().zip(new).all(|(a, b)| a.field == b.field);
    if aligned {
        // The usual case, and the one that must be quick: most of a large document is as it was.
        for (a, b) in old.iter().zip(new).filter(|(a, b)| a != b) {
            details.push(differing(a, b));
        }
        return details;
    }
    let mut before: HashMap<&Cow<'_, str>, &Fact<'_>> = old.iter().map(|fact| (&fact.field, fact)).collect();
    for fact in new {
        match before.remove(&fact.field) {
            Some(was) if was == fact => {}
            Some(was) => details.push(differing(was, fact)),
            None => details.push(Detail { field: fact.field.to_string(), old: None, new: shown(fact) }),
        }
    }
    for fact in old.iter().filter(|fact| before.contains_key(&fact.field)) {
        details.push(Detail { field: fact.field.to_string(), old: shown(fact), new: None });
    }
    details
}

/// The texts may be alike: of a secret, of a long text that is cut, of a file.
fn differing(old: &Fact<'_>, new: &Fact<'_>) -> Detail {
    let alike = if old.shown == new.shown { format!(" ({})", new.alike) } else { String::new() };
    let new = format!("{}{alike}", new.shown);
    Detail { field: old.field.to_string(), old: Some(old.shown.clone()), new: Some(new) }
}

/// `changed: upstream users`, then a line for each detail. No newline at the end.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.what.as_str())?;
        if let Some(name) = &self.name {
            write!(f, " {}", printable(name))?;
        }
        if self.needs_restart {
            f.write_str(" (needs a restart)")?;
        }
        for detail in &self.details {
            write!(f, "\n    {detail}")?;
        }
        Ok(())
    }
}

/// `field: old -> new`.
impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &Option<String>| text.as_deref().map(printable);
        write!(f, "{}: ", printable(&self.field))?;
        match (text(&self.old), text(&self.new)) {
            (Some(old), Some(new)) => write!(f, "{old} -> {new}"),
            (None, Some(new)) => write!(f, "{new} (new)"),
            (Some(old), None) => write!(f, "{old} (gone)"),
            (None, None) => Ok(()),
        }
    }
}

/// Values from a file may hold anything: none of it may reach a terminal as a control sequence or break the line.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
