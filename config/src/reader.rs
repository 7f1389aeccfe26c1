//! What every decoder reads with: it takes a node apart, reports what is wrong with it, and goes on.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::environment;
use crate::findings::Findings;
use crate::form::{Form, unit_hint};
use crate::node::{Entry, Node, Span, Value};
use crate::suggest::nearest;
use crate::table::{Field, Presence, Table};
use crate::units::{self, NotANumber};
use crate::wording::{describe, either, shorten, unexpandable};

/// A scalar with its references to the environment replaced.
#[derive(Debug)]
pub(crate) struct Text<'n> {
    pub(crate) value: Cow<'n, str>,
    pub(crate) span: Span,
}

/// Takes nodes apart and collects what is wrong with them.
pub(crate) struct Reader<'e> {
    env: &'e dyn Fn(&str) -> Option<String>,
    directory: PathBuf,
    findings: Findings,
}

impl<'e> Reader<'e> {
    /// `env` answers for `${NAME}`; relative paths start in `directory`.
    pub(crate) fn new(
        env: &'e dyn Fn(&str) -> Option<String>,
        directory: Option<&Path>,
    ) -> Reader<'e> {
        let directory = directory.unwrap_or(Path::new("")).to_owned();
        Reader {
            env,
            directory,
            findings: Findings::default(),
        }
    }

    /// The directory in which the file lies: relative paths start there.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn into_findings(self) -> Findings {
        self.findings
    }

    /// Whether further errors are only counted.
    pub(crate) fn full(&self) -> bool {
        self.findings.full()
    }

    pub(crate) fn error(
        &mut self,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.findings.error(span, message.into(), Some(hint.into()));
    }

    pub(crate) fn warning(
        &mut self,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.findings
            .warning(span, message.into(), Some(hint.into()));
    }

    pub(crate) fn not_landed(&mut self, span: Span, feature: impl Into<String>) {
        self.findings.not_landed(span, feature.into());
    }

    /// Reads a map by its table: every key that can be read goes into the draft, everything else is reported.
    pub(crate) fn table<T>(&mut self, node: &Node, table: &Table<T>, draft: &mut T) {
        let Some(entries) = self.map(node, table.noun) else {
            return;
        };
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let mut present: Vec<&str> = Vec::new();
        for entry in entries {
            if let Some(later) = table.later.iter().find(|later| later.key == entry.key) {
                self.not_landed(entry.span, format!("`{}` ({})", later.key, later.feature));
                present.extend(later.instead_of);
            } else if let Some(field) = self.field(entry, table, &keys) {
                present.push(field.key);
                (field.read)(self, &entry.value, &field.form, draft);
            }
        }
        let required = table
            .fields
            .iter()
            .filter(|field| field.presence == Presence::Required);
        for field in required.filter(|field| !present.contains(&field.key)) {
            let hint = format!("add `{}: {}`, for example", field.key, field.example);
            self.error(
                first_of(node),
                format!("`{}` is missing in {}", field.key, table.noun),
                hint,
            );
        }
    }

    /// The field that a key means. An unknown key that is nearly a known one is read as that one, so that the errors
    /// in its value show too and none follow from its absence.
    fn field<'t, T>(
        &mut self,
        entry: &Entry,
        table: &'t Table<T>,
        keys: &[&str],
    ) -> Option<&'t Field<T>> {
        let named = |key: &str| table.fields.iter().find(|field| field.key == key);
        if let Some(field) = named(&entry.key) {
            return Some(field);
        }
        if self.full() {
            self.error(entry.span, "unknown key", "");
            return None;
        }
        let known: Vec<&str> = table.fields.iter().map(|field| field.key).collect();
        let message = format!("unknown key `{}` in {}", shorten(&entry.key), table.noun);
        let meant = nearest(&entry.key, known.iter().copied());
        let hint = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("{} may hold {}", table.noun, either(&known)),
        };
        self.error(entry.span, message, hint);
        meant.filter(|meant| !keys.contains(meant)).and_then(named)
    }

    pub(crate) fn map<'n>(&mut self, node: &'n Node, noun: &str) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Map(entries) => Some(entries),
            _ => {
                let hint =
                    "a map is `{ key: value }`, or lines of `key: value` that are indented alike";
                self.unexpected(node, &format!("a map for {noun}"), hint)
            }
        }
    }

    pub(crate) fn list<'n>(
        &mut self,
        node: &'n Node,
        form: &Form,
        noun: &str,
        example: &str,
    ) -> Option<&'n [Node]> {
        let min = if let Form::List { min, .. } = form {
            *min
        } else {
            0
        };
        match &node.value {
            Value::List(items) if items.len() < min => {
                self.error(
                    node.span,
                    format!("the list of {noun} is empty"),
                    format!("name at least one: `[{example}]`"),
                );
                None
            }
            Value::List(items) => Some(items),
            Value::Scalar(_) => {
                let message = format!("expected a list of {noun}, found {}", describe(node));
                self.error(
                    node.span,
                    message,
                    format!("put it in brackets: `[{example}]`"),
                );
                None
            }
            _ => {
                let hint = format!("a list is `[{example}]`, or lines that begin with `- `");
                self.unexpected(node, &format!("a list of {noun}"), &hint)
            }
        }
    }

    /// A scalar, whatever it means.
    pub(crate) fn text<'n>(&mut self, node: &'n Node, noun: &str) -> Option<Text<'n>> {
        let Value::Scalar(raw) = &node.value else {
            let hint =
                "this is one value, not several: text that begins with `{` or `[` needs quotes";
            return self.unexpected(node, noun, hint);
        };
        let value = match environment::expand(raw, self.env) {
            Ok(None) => Cow::Borrowed(raw.as_str()),
            Ok(Some(expanded)) => Cow::Owned(expanded),
            Err(problem) => {
                let (message, hint) = unexpandable(problem);
                self.error(node.span, message, hint);
                return None;
            }
        };
        Some(Text {
            value,
            span: node.span,
        })
    }

    /// `Some(true)` for `on`, `Some(false)` for `off`, `None` for anything else, unreported.
    pub(crate) fn switch(&self, node: &Node) -> Option<bool> {
        let Value::Scalar(raw) = &node.value else {
            return None;
        };
        let expanded = environment::expand(raw, self.env).ok()?;
        match expanded.as_deref().unwrap_or(raw) {
            "on" | "true" => Some(true),
            "off" | "false" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn integer(&mut self, node: &Node, form: &Form) -> Option<u64> {
        self.number(node, form, "a whole number", units::integer)
    }

    pub(crate) fn size(&mut self, node: &Node, form: &Form) -> Option<u64> {
        self.number(node, form, "a size such as `64KiB`", units::size)
    }

    pub(crate) fn duration(&mut self, node: &Node, form: &Form) -> Option<Duration> {
        let millis = |text: &str| {
            units::duration(text).map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
        };
        self.number(
            node,
            form,
            "a duration such as `250ms`, `2s`, `5m` or `1h`",
            millis,
        )
        .map(Duration::from_millis)
    }

    fn number(
        &mut self,
        node: &Node,
        form: &Form,
        noun: &str,
        parse: impl Fn(&str) -> Result<u64, NotANumber>,
    ) -> Option<u64> {
        let text = self.text(node, noun)?;
        let form = form.without_switch();
        match parse(&text.value) {
            Ok(number) if form.admits(number) => return Some(number),
            Ok(_) | Err(NotANumber::TooLarge) => {
                let message = format!("`{}` is out of range", shorten(&text.value));
                self.error(text.span, message, format!("allowed: {}", form.limits()));
            }
            Err(NotANumber::NoUnit) => {
                let hint = format!("write `{0}s` or `{0}ms`", shorten(&text.value));
                self.error(
                    text.span,
                    format!("`{}` has no unit", shorten(&text.value)),
                    hint,
                );
            }
            Err(NotANumber::Form | NotANumber::Unit) => {
                let message = format!("expected {noun}, found `{}`", shorten(&text.value));
                self.error(text.span, message, unit_hint(&text.value, form));
            }
        }
        None
    }

    /// One of a few words. A word of `later` is a feature that has not landed.
    pub(crate) fn choice(
        &mut self,
        node: &Node,
        form: &Form,
        later: &[(&str, &str)],
    ) -> Option<&'static str> {
        let Form::Choice(allowed) = form else {
            return None;
        };
        let text = self.text(node, &format!("one of {}", either(allowed)))?;
        if let Some((word, feature)) = later.iter().find(|(word, _)| *word == text.value) {
            self.not_landed(text.span, format!("`{word}` ({feature})"));
            return None;
        }
        let found = allowed.iter().find(|word| **word == text.value).copied();
        if found.is_none() {
            let message = format!(
                "`{}` is none of the values allowed here",
                shorten(&text.value)
            );
            self.error(text.span, message, format!("allowed: {}", either(allowed)));
        }
        found
    }

    /// Reports that the node is of another kind than `noun`, which `hint` shows how to write.
    fn unexpected<R>(&mut self, node: &Node, noun: &str, hint: &str) -> Option<R> {
        let hint = match node.value {
            Value::Null => "write the value behind the `:`, or remove the key",
            _ => hint,
        };
        self.error(
            first_of(node),
            format!("expected {noun}, found {}", describe(node)),
            hint,
        );
        None
    }
}

/// Where to point: at the first sign of a list or map, at all of a scalar.
pub(crate) fn first_of(node: &Node) -> Span {
    let width = if matches!(node.value, Value::Map(_) | Value::List(_)) {
        1
    } else {
        node.span.width
    };
    Span {
        at: node.span.at,
        width,
    }
}
