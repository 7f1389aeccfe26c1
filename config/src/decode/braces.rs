//! Text with names in braces, taken apart: `{name}` is a name, `{{name}}` is the text `{name}`, and a brace that opens
//! no name stands for itself, so that JSON can be written as it is.

/// A piece of such a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Never empty, and never beside another one.
    Literal(String),
    /// What stands in the braces.
    Name(String),
}

/// The pieces of a text, where `is_name` knows what may stand in braces.
pub(crate) fn pieces(text: &str, is_name: fn(&str) -> bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, braces) = rest.split_at(at);
        literal.push_str(before);
        rest = if let Some((name, behind)) = named(braces, "{{", "}}", is_name) {
            literal.push('{');
            literal.push_str(name);
            literal.push('}');
            behind
        } else if let Some((name, behind)) = named(braces, "{", "}", is_name) {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Name(name.to_owned()));
            behind
        } else {
            literal.push('{');
            &braces[1..]
        };
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

/// The name between these signs at the beginning of a text, and what follows.
fn named<'t>(text: &'t str, open: &str, close: &str, is_name: fn(&str) -> bool) -> Option<(&'t str, &'t str)> {
    let inner = text.strip_prefix(open)?;
    // The first closing brace decides: no name holds one, so each character is looked at once or twice.
    let end = inner.find(['{', '}'])?;
    let (name, behind) = inner.split_at(end);
    Some((name, behind.strip_prefix(close)?)).filter(|(name, _)| is_name(name))
}

/// An identifier, optionally followed by others behind dots: `id`, `request.host`.
pub(crate) fn is_dotted(name: &str) -> bool {
    name.split('.').all(|part| {
        let first = part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        first && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}
