//! The field tables: one for each map that the file may hold. A row says all there is to know about a key, and the
//! decoder, the reference documentation and the JSON Schema read it from there.

use crate::form::Form;
use crate::node::Node;
use crate::reader::Reader;

/// The keys of one map. `T` is the draft that reading fills in.
pub(crate) struct Table<T: 'static> {
    /// Where the map stands: `limits`, `listeners[]`, `upstreams.NAME`.
    pub(crate) path: &'static str,
    /// What it is called in an error, with its article.
    pub(crate) noun: &'static str,
    /// What it is for.
    pub(crate) doc: &'static str,
    pub(crate) fields: &'static [Field<T>],
    /// Keys that exclude each other.
    pub(crate) alternatives: &'static [Alternatives],
    pub(crate) later: &'static [Later],
}

/// Keys of which a map holds one.
pub(crate) struct Alternatives {
    pub(crate) keys: &'static [&'static str],
    /// Whether it may hold none.
    pub(crate) optional: bool,
}

/// One key.
pub(crate) struct Field<T: 'static> {
    pub(crate) key: &'static str,
    pub(crate) form: Form,
    pub(crate) presence: Presence,
    /// One line: what it means.
    pub(crate) doc: &'static str,
    /// A value in YAML's flow style, on one line.
    pub(crate) example: &'static str,
    /// What a peer gets that exceeds this limit.
    pub(crate) exceeding: Option<&'static str>,
    /// Reads the value of this form into the draft, and reports what keeps it from doing so.
    pub(crate) read: fn(&mut Reader<'_>, &Node, &Form, &mut T),
}

/// A key whose feature has not landed: refused, never ignored.
pub(crate) struct Later {
    pub(crate) key: &'static str,
    /// What it is, in the words of an error: "active health checks".
    pub(crate) feature: &'static str,
    /// The required key in whose place it stands, so that this one is not missed.
    pub(crate) instead_of: Option<&'static str>,
}

impl Later {
    /// What an error calls it.
    pub(crate) fn subject(&self) -> String {
        if self.key == self.feature { format!("`{}`", self.key) } else { format!("`{}` ({})", self.key, self.feature) }
    }
}

/// A later key beside the others.
pub(crate) const fn later(key: &'static str, feature: &'static str) -> Later {
    Later { key, feature, instead_of: None }
}

/// A later key in the place of a required one.
pub(crate) const fn later_instead(key: &'static str, feature: &'static str, of: &'static str) -> Later {
    Later { key, feature, instead_of: Some(of) }
}

/// Whether a key must be there, and what holds where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    /// What it is without the key, in words.
    Optional(&'static str),
    /// What it is without the key, as the file would write it.
    Default(&'static str),
}

/// A table seen from outside: its rows without the functions that read them.
pub(crate) trait Rows {
    fn path(&self) -> &'static str;
    fn doc(&self) -> &'static str;
    fn rows(&self) -> Vec<Row>;
    fn alternatives(&self) -> &'static [Alternatives];
    fn later(&self) -> &'static [Later];
}

/// A row seen from outside.
pub(crate) struct Row {
    pub(crate) key: &'static str,
    pub(crate) form: &'static Form,
    pub(crate) presence: Presence,
    pub(crate) doc: &'static str,
    pub(crate) example: &'static str,
    pub(crate) exceeding: Option<&'static str>,
}

impl<T> Rows for Table<T> {
    fn path(&self) -> &'static str {
        self.path
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn rows(&self) -> Vec<Row> {
        let row = |f: &'static Field<T>| Row {
            key: f.key,
            form: &f.form,
            presence: f.presence,
            doc: f.doc,
            example: f.example,
            exceeding: f.exceeding,
        };
        self.fields.iter().map(row).collect()
    }

    fn alternatives(&self) -> &'static [Alternatives] {
        self.alternatives
    }

    fn later(&self) -> &'static [Later] {
        self.later
    }
}
