//! The field section of a head, as spans.

#[cfg(test)]
mod tests;

use super::{HeaderId, Span};

/// One field line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Which name it has.
    pub id: HeaderId,
    /// Whether it must not be forwarded: hop-by-hop by its name ([`HeaderId::hop_by_hop`]), nominated by
    /// `Connection`, or a framing field that says nothing to the next recipient.
    pub hop: bool,
    /// The name as written.
    pub name: Span,
    /// The value without whitespace around it; may be empty.
    pub value: Span,
    /// From the first byte of the name to after the line's CRLF.
    pub line: Span,
}

/// The fields of one section in their order, with an index by [`HeaderId`].
///
/// Meant to be reused: [`Fields::clear`] keeps the memory.
#[derive(Clone, Debug)]
pub struct Fields {
    list: Vec<Field>,
    present: u64,
    repeated: u64,
    /// Index of the first field of each id that is `present`; other entries are left over from earlier heads.
    first: [u32; 64],
}

impl Default for Fields {
    fn default() -> Self {
        Self { list: Vec::new(), present: 0, repeated: 0, first: [0; 64] }
    }
}

impl Fields {
    /// Forgets all fields.
    pub fn clear(&mut self) {
        self.list.clear();
        self.present = 0;
        self.repeated = 0;
    }

    /// Adds a field at the end.
    pub fn push(&mut self, field: Field) {
        let bit = field.id.bit();
        if self.present & bit == 0 {
            // In bounds: an id is below 64. Fields beyond 32 bits would not fit into a head of 4 GiB.
            self.first[field.id as usize] = self.list.len() as u32;
        }
        self.repeated |= self.present & bit;
        self.present |= bit;
        self.list.push(field);
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All fields in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.list.iter()
    }

    /// Whether a field of that id is present.
    pub fn has(&self, id: HeaderId) -> bool {
        self.present & id.bit() != 0
    }

    /// Whether more than one field of that id is present.
    pub fn repeats(&self, id: HeaderId) -> bool {
        self.repeated & id.bit() != 0
    }

    /// The ids that are present, as a set of [`HeaderId::bit`]s.
    pub fn present(&self) -> u64 {
        self.present
    }

    /// The first field of that id.
    pub fn get(&self, id: HeaderId) -> Option<&Field> {
        if self.has(id) { self.list.get(self.first[id as usize] as usize) } else { None }
    }

    /// All fields of that id in their order.
    pub fn all(&self, id: HeaderId) -> impl Iterator<Item = &Field> {
        let from = match self.has(id) {
            true => self.first[id as usize] as usize,
            false => self.list.len(),
        };
        let fields = self.list.get(from..).unwrap_or_default();
        fields.iter().filter(move |field| field.id == id)
    }

    /// All fields of that name, known or not, in any case. `bytes` is the buffer that the spans point into.
    pub fn named<'a>(&'a self, bytes: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = &'a Field> {
        let id = HeaderId::of(name);
        self.all(id).filter(move |field| id != HeaderId::Other || field.name.of(bytes).eq_ignore_ascii_case(name))
    }

    /// Makes room for `fields` fields.
    pub(crate) fn reserve(&mut self, fields: usize) {
        self.list.reserve(fields);
    }

    /// The value of the field at `index`, if it has that id.
    pub(crate) fn value_at(&self, index: usize, id: HeaderId) -> Option<Span> {
        let field = self.list.get(index).filter(|field| field.id == id)?;
        Some(field.value)
    }

    /// Marks the fields of a name as not to be forwarded; `id` is the id of `name`.
    pub(crate) fn mark(&mut self, bytes: &[u8], id: HeaderId, name: &[u8]) {
        if !self.has(id) {
            return;
        }
        for field in self.list.iter_mut().filter(|field| field.id == id) {
            field.hop |= id != HeaderId::Other || field.name.of(bytes).eq_ignore_ascii_case(name);
        }
    }

    /// Marks the fields of a known id as not to be forwarded, from the `skip`th of them on.
    pub(crate) fn mark_from(&mut self, id: HeaderId, skip: usize) {
        let fields = self.list.iter_mut().filter(|field| field.id == id);
        for field in fields.skip(skip) {
            field.hop = true;
        }
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = &'a Field;
    type IntoIter = std::slice::Iter<'a, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
