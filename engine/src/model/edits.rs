//! What is changed on a head's way through: fields taken off by id, fields put on.
//!
//! The head itself stays where it was received. The end that sends it copies what stays and adds what was added, in its
//! own version's form.

use ringgate_protocols::wire::HeaderId;

/// Changes to one head. Used again from exchange to exchange.
#[derive(Default)]
pub(crate) struct Edits {
    removed: u64,
    /// Positions of single fields taken off, in rising order. Seldom any.
    dropped: Vec<usize>,
    bytes: Vec<u8>,
    /// Names that the configuration gives, one behind the other.
    names: String,
    /// Name, and where in `bytes` its value ends. The values lie one behind the other.
    added: Vec<(Name, usize)>,
}

enum Name {
    Known(&'static str),
    /// From here to there in `names`.
    Given(usize, usize),
}

impl Edits {
    /// Forgets everything, keeping the memory.
    pub(crate) fn clear(&mut self) {
        self.removed = 0;
        self.dropped.clear();
        self.bytes.clear();
        self.names.clear();
        self.added.clear();
    }

    /// Takes every field with this id off. Fields that are added stay.
    pub(crate) fn remove(&mut self, id: HeaderId) {
        self.removed |= id.bit();
    }

    /// Takes the field at this position of the head off. Positions come in rising order.
    pub(crate) fn drop_at(&mut self, position: usize) {
        self.dropped.push(position);
    }

    /// The positions of single fields taken off, in rising order.
    pub(crate) fn dropped(&self) -> &[usize] {
        &self.dropped
    }

    /// The ids taken off, as a set of [`HeaderId::bit`]s.
    pub(crate) fn removed(&self) -> u64 {
        self.removed
    }

    /// Adds a field whose value is these parts, one behind the other. Names are in lower case.
    #[inline]
    pub(crate) fn add(&mut self, name: &'static str, value: &[&[u8]]) {
        for part in value {
            self.bytes.extend_from_slice(part);
        }
        self.added.push((Name::Known(name), self.bytes.len()));
    }

    /// Adds a field whose name is not known when this is compiled.
    pub(crate) fn add_given(&mut self, name: &str, value: &[u8]) {
        let from = self.names.len();
        self.names.push_str(name);
        self.bytes.extend_from_slice(value);
        self.added.push((Name::Given(from, self.names.len()), self.bytes.len()));
    }

    /// The fields added, in order.
    #[inline]
    pub(crate) fn added(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut from = 0;
        self.added.iter().map(move |(name, to)| {
            let value = &self.bytes[from..*to];
            from = *to;
            let name = match name {
                Name::Known(name) => name,
                Name::Given(from, to) => &self.names[*from..*to],
            };
            (name, value)
        })
    }
}
