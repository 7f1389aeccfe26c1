//! What every decoder reads with: it takes a node apart, reports what is wrong with it, and goes on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diagnostic::Severity;
use crate::environment::{self, EXPANDED_MAX, Unexpandable};
use crate::node::{Entry, Node, Span, Value};
use crate::suggest::nearest;
use crate::table::{Field, Form, Presence, Table};
use crate::units::{self, NotANumber, show_duration, show_size};

/// A diagnostic that doesn't yet know its file.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) span: Span,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// A scalar with its references to the environment replaced.
#[derive(Debug)]
pub(crate) struct Text<'n> {
    pub(crate) value: Cow<'n, str>,
    pub(crate) span: Span,
}

/// Collects findings while the tree is read.
pub(crate) struct Reader<'e> {
    env: &'e dyn Fn(&str) -> Option<String>,
    directory: PathBuf,
    findings: Vec<Finding>,
    /// Features that have not landed: where each was asked for.
    later: BTreeMap<String, Vec<Span>>,
}

impl<'e> Reader<'e> {
    pub(crate) fn new(
        env: &'e dyn Fn(&str) -> Option<String>,
        directory: Option<&Path>,
    ) -> Reader<'e> {
        let directory = directory.unwrap_or(Path::new("")).to_owned();
        Reader {
            env,
            directory,
            findings: Vec::new(),
            later: BTreeMap::new(),
        }
    }

    /// The directory in which the file lies: relative paths start there.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Everything that was found, one finding for each feature that has not landed.
    pub(crate) fn finish(self) -> Vec<Finding> {
        let mut findings = self.findings;
        for (feature, mut spans) in self.later {
            spans.sort_by_key(|span| span.at);
            let Some((&span, others)) = spans.split_first() else {
                continue;
            };
            let message = format!("{feature} is not part of this version yet");
            let mut hint = "remove it for now: nothing in a file is ever ignored".to_owned();
            if !others.is_empty() {
                let lines: Vec<String> = others
                    .iter()
                    .take(20)
                    .map(|span| span.at.line.to_string())
                    .collect();
                let more = if others.len() > lines.len() {
                    ", ..."
                } else {
                    ""
                };
                let word = if others.len() == 1 { "line" } else { "lines" };
                hint = format!("{hint}; also on {word} {}{more}", lines.join(", "));
            }
            findings.push(Finding {
                span,
                severity: Severity::Error,
                message,
                hint: Some(hint),
            });
        }
        findings
    }

    pub(crate) fn report(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(crate) fn error(
        &mut self,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let (message, hint) = (message.into(), Some(hint.into()));
        self.report(Finding {
            span,
            severity: Severity::Error,
            message,
            hint,
        });
    }

    pub(crate) fn warning(
        &mut self,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let (message, hint) = (message.into(), Some(hint.into()));
        self.report(Finding {
            span,
            severity: Severity::Warning,
            message,
            hint,
        });
    }

    /// A feature that has not landed: the subject of "is not part of this version yet".
    pub(crate) fn not_landed(&mut self, span: Span, feature: impl Into<String>) {
        self.later.entry(feature.into()).or_default().push(span);
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
            _ => self.unexpected(node, &format!("a map of keys for {noun}")),
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
                    format!("an empty list of {noun}"),
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
            _ => self.unexpected(node, &format!("a list of {noun}")),
        }
    }

    /// A scalar, whatever it means.
    pub(crate) fn text<'n>(&mut self, node: &'n Node, noun: &str) -> Option<Text<'n>> {
        let Value::Scalar(raw) = &node.value else {
            return self.unexpected(node, noun);
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

    /// Reports that the node is of another kind than `noun`.
    pub(crate) fn unexpected<R>(&mut self, node: &Node, noun: &str) -> Option<R> {
        let span = if matches!(node.value, Value::Map(_) | Value::List(_)) {
            first_of(node)
        } else {
            node.span
        };
        let hint = match node.value {
            Value::Null => "write the value behind the `:`, or remove the key".to_owned(),
            Value::Map(_) if !noun.contains("map") => {
                "braces and `key: value` lines make a map: quote the text if it holds them"
                    .to_owned()
            }
            _ => "compare with the reference in docs/configuration.md".to_owned(),
        };
        self.error(
            span,
            format!("expected {noun}, found {}", describe(node)),
            hint,
        );
        None
    }
}

impl Form {
    /// The form of the value itself, where `on` or `off` may stand for it too.
    pub(crate) fn without_switch(&self) -> &Form {
        match self {
            Form::OrOff(form) | Form::OrSwitch(form) => form,
            form => form,
        }
    }

    fn admits(&self, number: u64) -> bool {
        match self {
            Form::Integer { min, max } | Form::Size { min, max } => (*min..=*max).contains(&number),
            Form::PowerOfTwo { min, max } => {
                (*min..=*max).contains(&number) && number.is_power_of_two()
            }
            Form::Duration { min, max } => (*min..=*max).contains(&Duration::from_millis(number)),
            _ => true,
        }
    }

    /// The limits in words; empty for a form without.
    pub(crate) fn limits(&self) -> String {
        match self {
            Form::Integer { min, max } => format!("{min} to {max}"),
            Form::PowerOfTwo { min, max } => format!("a power of two, {min} to {max}"),
            Form::Size { min, max } => format!("{} to {}", show_size(*min), show_size(*max)),
            Form::Duration { min, max } => {
                format!("{} to {}", show_duration(*min), show_duration(*max))
            }
            Form::Text { limits, .. } => (*limits).to_owned(),
            Form::List { of, min } => match (*min, of.limits()) {
                (0, limits) => limits,
                (min, limits) if limits.is_empty() => format!("at least {min}"),
                (min, limits) => format!("at least {min}; each {limits}"),
            },
            Form::Map { of, .. } => of.limits(),
            Form::OrOff(form) => format!("{}, or `off`", form.limits()),
            Form::OrSwitch(form) => form.limits(),
            Form::Either(a, b) => [a.limits(), b.limits()]
                .into_iter()
                .filter(|l| !l.is_empty())
                .collect::<Vec<_>>()
                .join("; "),
            Form::Choice(_) | Form::Object(_) => String::new(),
        }
    }
}

fn unit_hint(found: &str, form: &Form) -> String {
    let allowed = form.limits();
    let lower = found.to_ascii_lowercase();
    match form {
        Form::Size { .. } if lower.ends_with(|c: char| c.is_ascii_alphabetic()) => {
            format!("the units are `B`, `KiB`, `MiB` and `GiB`; allowed: {allowed}")
        }
        Form::Duration { .. } if found.contains('.') => {
            format!(
                "write whole numbers with a smaller unit: `1500ms` for 1.5 seconds; allowed: {allowed}"
            )
        }
        Form::Duration { .. } => {
            format!("the units are `ms`, `s`, `m` and `h`; allowed: {allowed}")
        }
        _ => format!("allowed: {allowed}"),
    }
}

fn unexpandable(problem: Unexpandable) -> (String, String) {
    match problem {
        Unexpandable::Unclosed => (
            "`${` is not closed".to_owned(),
            "write `${NAME}`, or `$${` for the characters themselves".to_owned(),
        ),
        Unexpandable::Name(found) => (
            format!(
                "`${{{}}}` does not name a variable of the environment",
                shorten(&found)
            ),
            "write `${NAME}` or `${NAME:-default}`; `$${` stands for the characters themselves"
                .to_owned(),
        ),
        Unexpandable::Unset(name) => (
            format!("the environment has no variable `{}`", shorten(&name)),
            format!(
                "set it, or give a default: `${{{}:-default}}`",
                shorten(&name)
            ),
        ),
        Unexpandable::TooLong => (
            format!(
                "the value is longer than {} after its variables are filled in",
                show_size(EXPANDED_MAX as u64)
            ),
            "check the variables that it names".to_owned(),
        ),
    }
}

/// Where to point for a whole map or list: at its first sign, not at all of it.
pub(crate) fn first_of(node: &Node) -> Span {
    Span {
        at: node.span.at,
        width: 1,
    }
}

/// What a node is, in an error.
fn describe(node: &Node) -> String {
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Scalar(text) => format!("`{}`", shorten(text)),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
    }
}

/// A value as an error quotes it: not more than 60 characters.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

/// `a`, `b` or `c`, each in backquotes.
pub(crate) fn either<S: Display>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
