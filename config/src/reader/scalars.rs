//! Reading scalars: text, switches, numbers with their limits, words of a few.

use std::borrow::Cow;
use std::time::Duration;

use crate::environment;
use crate::findings::REMOVE;
use crate::form::{Form, unit_hint};
use crate::node::{Node, Span, Value};
use crate::reader::Reader;
use crate::units::{self, NotANumber};
use crate::wording::{either, shorten, unexpandable};

/// A scalar with its references to the environment replaced.
#[derive(Debug)]
pub(crate) struct Text<'n> {
    pub(crate) value: Cow<'n, str>,
    pub(crate) span: Span,
}

impl Reader<'_> {
    /// A scalar, whatever it means, the empty one included.
    pub(crate) fn text<'n>(&mut self, node: &'n Node, noun: &str) -> Option<Text<'n>> {
        let Value::Scalar(raw) = &node.value else {
            let hint = "this is one value, not several: text that begins with `{` or `[` needs quotes";
            return self.unexpected(node, noun, hint);
        };
        match environment::expand(raw, self.asked.env) {
            Ok(None) => Some(Text { value: Cow::Borrowed(raw), span: node.span }),
            Ok(Some(expanded)) => Some(Text { value: Cow::Owned(expanded), span: node.span }),
            Err(problem) => {
                let (message, hint) = unexpandable(problem);
                self.error(node.span, message, hint);
                None
            }
        }
    }

    /// A scalar that says something.
    pub(crate) fn filled<'n>(&mut self, node: &'n Node, noun: &str) -> Option<Text<'n>> {
        let text = self.text(node, noun)?;
        if text.value.is_empty() {
            self.error(text.span, format!("expected {noun}, found an empty text"), "write a value here, or remove it");
            return None;
        }
        Some(text)
    }

    /// `Some(true)` for `on`, `Some(false)` for `off`, `None` for what is no switch. A switch in other words or other
    /// letters is reported and taken as meant.
    pub(crate) fn switch(&mut self, node: &Node) -> Option<bool> {
        let Value::Scalar(raw) = &node.value else {
            return None;
        };
        let expanded = environment::expand(raw, self.asked.env).ok()?;
        let text = expanded.as_deref().unwrap_or(raw);
        let (on, right) = match text {
            "on" | "true" => return Some(true),
            "off" | "false" => return Some(false),
            _ => match text.to_ascii_lowercase().as_str() {
                "on" | "true" | "yes" | "enabled" => (true, "on"),
                "off" | "false" | "no" | "disabled" | "none" => (false, "off"),
                _ => return None,
            },
        };
        self.error(node.span, format!("`{}` is not a switch", shorten(text)), format!("write `{right}`"));
        Some(on)
    }

    /// A switch and nothing else.
    pub(crate) fn on_or_off(&mut self, node: &Node) -> Option<bool> {
        if let Some(on) = self.switch(node) {
            return Some(on);
        }
        let text = self.filled(node, "`on` or `off`")?;
        let message = format!("expected `on` or `off`, found `{}`", shorten(&text.value));
        self.error(text.span, message, "write `on` or `off`");
        None
    }

    pub(crate) fn integer(&mut self, node: &Node, form: &Form) -> Option<u64> {
        self.number(node, form, "a whole number", units::integer)
    }

    pub(crate) fn size(&mut self, node: &Node, form: &Form) -> Option<u64> {
        self.number(node, form, "a size such as `64KiB`", units::size)
    }

    pub(crate) fn duration(&mut self, node: &Node, form: &Form) -> Option<Duration> {
        let millis = |text: &str| units::duration(text).map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
        let noun = "a duration such as `250ms`, `2s`, `5m` or `1h`";
        self.number(node, form, noun, millis).map(Duration::from_millis)
    }

    fn number(
        &mut self,
        node: &Node,
        form: &Form,
        noun: &str,
        parse: impl Fn(&str) -> Result<u64, NotANumber>,
    ) -> Option<u64> {
        let text = self.filled(node, noun)?;
        let shown = shorten(&text.value);
        let (message, hint) = match parse(&text.value) {
            Ok(number) if form.without_switch().admits(number) => return Some(number),
            Ok(_) | Err(NotANumber::TooLarge) => {
                (format!("`{shown}` is out of range"), format!("allowed: {}", form.limits()))
            }
            Err(NotANumber::NoUnit) => (format!("`{shown}` has no unit"), format!("write `{shown}s` or `{shown}ms`")),
            Err(NotANumber::Form | NotANumber::Unit) => {
                (format!("expected {noun}, found `{shown}`"), unit_hint(&text.value, form))
            }
        };
        self.error(text.span, message, hint);
        None
    }

    /// One of a few words. A word of `later` is a feature that has not landed.
    pub(crate) fn choice(&mut self, node: &Node, form: &Form, later: &[(&str, &str)]) -> Option<&'static str> {
        self.choice_or(node, form, later, None)
    }

    /// As [`Reader::choice`], where a map may stand too, of which `other` shows one.
    pub(crate) fn choice_or(
        &mut self,
        node: &Node,
        form: &Form,
        later: &[(&str, &str)],
        other: Option<&str>,
    ) -> Option<&'static str> {
        let Form::Choice(allowed) = form else {
            return None;
        };
        let text = self.filled(node, &either(allowed))?;
        if let Some((word, feature)) = later.iter().find(|(word, _)| *word == text.value) {
            self.not_landed(text.span, format!("`{word}` ({feature})"), REMOVE);
            return None;
        }
        let found = allowed.iter().find(|word| **word == text.value).copied();
        if found.is_none() {
            let message = format!("`{}` is none of the values allowed here", shorten(&text.value));
            let other = other.map(|other| format!(", or `{other}`")).unwrap_or_default();
            self.error(text.span, message, format!("allowed: {}{other}", either(allowed)));
        }
        found
    }
}
