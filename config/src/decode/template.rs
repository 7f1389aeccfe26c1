//! Templates of a route: text with references to the request and to what the path captured.

use crate::decode::braces::{self, Piece};
use crate::findings::REMOVE;
use crate::node::Span;
use crate::pattern::{PathPattern, Segment};
use crate::reader::Reader;
use crate::suggest::nearest;
use crate::template::{Reference, RequestValue, Template, TemplatePart};
use crate::wording::{either, shorten};

/// Namespaces whose features have not landed.
const LATER: [(&str, &str); 2] =
    [("jwt", "`{jwt...}` in a template (JSON Web Tokens)"), ("consumer", "`{consumer...}` in a template (consumers)")];

/// A text of the file that is a template, read before the route is known as a whole.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// What the templates of one route may refer to.
pub(crate) struct Scope<'r> {
    captures: Vec<&'r str>,
    rest: bool,
    /// The path is a regular expression, whose groups are no captures.
    regex: bool,
    /// Whether the path could be read: if not, no name is called unknown.
    complete: bool,
}

impl<'r> Scope<'r> {
    /// The scope of a route with this path; `complete` unless the path couldn't be read.
    pub(crate) fn new(path: Option<&'r PathPattern>, complete: bool) -> Scope<'r> {
        let (captures, rest) = match path {
            Some(PathPattern::Captured { segments, rest }) => {
                let name = |segment: &'r Segment| match segment {
                    Segment::Capture(name) => Some(name.as_str()),
                    Segment::Literal(_) => None,
                };
                (segments.iter().filter_map(name).collect(), *rest)
            }
            Some(PathPattern::Prefix(_)) => (Vec::new(), true),
            Some(PathPattern::Exact(_) | PathPattern::Regex(_)) | None => (Vec::new(), false),
        };
        let regex = matches!(path, Some(PathPattern::Regex(_)));
        Scope { captures, rest, regex, complete }
    }

    /// What a name in braces refers to.
    fn find(&self, name: &str) -> Option<Reference> {
        if self.captures.contains(&name) {
            return Some(Reference::Capture(name.to_owned()));
        }
        match name {
            "rest" => self.rest.then_some(Reference::Rest),
            "route.name" => Some(Reference::RouteName),
            _ => {
                let value = name.strip_prefix("request.")?;
                let known = RequestValue::ALL.iter().find(|(known, _)| *known == value);
                known.map(|&(_, value)| Reference::Request(value))
            }
        }
    }

    /// Every name that there is.
    fn names(&self) -> Vec<String> {
        let own = self.captures.iter().map(|name| (*name).to_owned());
        let rest = self.rest.then(|| "rest".to_owned());
        let request = RequestValue::ALL.iter().map(|(name, _)| format!("request.{name}"));
        own.chain(rest).chain(["route.name".to_owned()]).chain(request).collect()
    }

    /// The template that a text is; `None` if a name in it means nothing, which has been reported.
    pub(crate) fn template(&self, reader: &mut Reader<'_>, written: &Written) -> Option<Template> {
        let mut parts = Vec::new();
        let mut whole = true;
        for piece in braces::pieces(&written.text, braces::is_dotted) {
            match piece {
                Piece::Literal(text) => parts.push(TemplatePart::Literal(text)),
                Piece::Name(name) => match self.find(&name) {
                    Some(reference) => parts.push(TemplatePart::Reference(reference)),
                    None => {
                        self.unknown(reader, &name, written.span);
                        whole = false;
                    }
                },
            }
        }
        whole.then_some(Template { parts })
    }

    fn unknown(&self, reader: &mut Reader<'_>, name: &str, span: Span) {
        let space = name.split('.').next().unwrap_or_default();
        if let Some((_, feature)) = LATER.iter().find(|(later, _)| *later == space) {
            return reader.not_landed(span, *feature, REMOVE);
        }
        if !self.complete && !matches!(space, "request" | "route") {
            return;
        }
        let shown = shorten(name);
        let message = format!("`{{{shown}}}` stands for nothing here");
        if reader.full() {
            return reader.error(span, message, "");
        }
        let names = self.names();
        if self.regex && !name.contains('.') {
            let hint = "a regular expression captures nothing for templates: use a path such as `/users/{id}`";
            return reader.error(span, message, hint);
        }
        // `{host}` is more likely `{request.host}` than any capture of a similar name.
        let meant = names.iter().find(|known| known.split_once('.').is_some_and(|(_, value)| value == name));
        let meant = meant.map(String::as_str).or_else(|| nearest(name, names.iter().map(String::as_str)));
        let hint = match meant {
            Some(meant) => format!("did you mean `{{{meant}}}`? `{{{{{shown}}}}}` is how the text itself is written"),
            None if name == "rest" => "only a path that ends in `/*` has a rest".to_owned(),
            None => {
                let names: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
                format!("this route has {}; `{{{{{shown}}}}}` is how the text itself is written", either(&names))
            }
        };
        reader.error(span, message, hint);
    }
}
