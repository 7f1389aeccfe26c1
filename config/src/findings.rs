//! What has been found wrong so far, before it is known as which file and with which source lines.

use std::collections::BTreeMap;

use crate::diagnostic::Severity;
use crate::node::Span;
use crate::source::Source;

/// Errors kept of one file, and warnings too; further ones are only counted.
pub(crate) const KEPT_MAX: usize = 1000;
/// What to do about most features that have not landed.
pub(crate) const REMOVE: &str = "remove it for now: nothing in a file is ever ignored";
/// Lines that are named for a feature that is asked for more than once.
const LINES_MAX: usize = 20;

/// A diagnostic that doesn't yet know its file.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) span: Span,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// Everything found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    /// Errors beyond those kept.
    dropped: usize,
    /// Where secrets are written out.
    secrets: Vec<Span>,
    /// Features that have not landed: what to do instead, and where each was asked for.
    later: BTreeMap<String, (&'static str, Vec<Span>)>,
}

impl Findings {
    pub(crate) fn error(&mut self, span: Span, message: String, hint: Option<String>) {
        if self.full() {
            self.dropped += 1;
            return;
        }
        let severity = Severity::Error;
        self.errors.push(Finding { span, severity, message, hint });
    }

    pub(crate) fn warning(&mut self, span: Span, message: String, hint: Option<String>) {
        if self.warnings.len() < KEPT_MAX {
            let severity = Severity::Warning;
            self.warnings.push(Finding { span, severity, message, hint });
        }
    }

    /// A feature that has not landed: the subject of "is not part of this version yet", and what to do instead.
    pub(crate) fn not_landed(&mut self, span: Span, feature: String, instead: &'static str) {
        let (_, spans) = self.later.entry(feature).or_insert((instead, Vec::new()));
        spans.push(span);
    }

    /// A secret is written out there: no source line may show it.
    pub(crate) fn hide(&mut self, span: Span) {
        self.secrets.push(span);
    }

    /// How many errors there are so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors.len() + self.dropped
    }

    /// Whether further errors are only counted: looking for their hints would be for nothing.
    pub(crate) fn full(&self) -> bool {
        self.errors.len() >= KEPT_MAX
    }

    /// The errors with one for each feature that has not landed among them, and the rest.
    pub(crate) fn finish(mut self, sources: &[Source]) -> Found {
        let later = std::mem::take(&mut self.later).into_iter();
        self.errors.extend(later.filter_map(|(feature, (instead, spans))| absent(&feature, instead, spans, sources)));
        let Findings { errors, warnings, dropped, secrets, .. } = self;
        Found { errors, warnings, dropped, secrets }
    }
}

/// Everything that has been found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) errors: Vec<Finding>,
    pub(crate) warnings: Vec<Finding>,
    /// Errors beyond those kept.
    pub(crate) dropped: usize,
    /// Where secrets are written out.
    pub(crate) secrets: Vec<Span>,
}

/// The one error about a feature that has not landed: where it is asked for first, and on which lines again.
fn absent(feature: &str, instead: &str, mut spans: Vec<Span>, sources: &[Source]) -> Option<Finding> {
    spans.sort_by_key(|span| span.at);
    spans.dedup_by_key(|span| (span.at.file, span.at.line));
    let (&span, again) = spans.split_first()?;
    let mut hint = instead.to_owned();
    if !again.is_empty() {
        let line = |again: &Span| match sources.iter().find(|source| source.file == again.at.file) {
            Some(source) if again.at.file != span.at.file => format!("{} of {}", again.at.line, source.name),
            _ => again.at.line.to_string(),
        };
        let lines: Vec<String> = again.iter().take(LINES_MAX).map(line).collect();
        let word = if again.len() == 1 { "line" } else { "lines" };
        let more = if again.len() > LINES_MAX { ", ..." } else { "" };
        hint = format!("{hint}; also on {word} {}{more}", lines.join(", "));
    }
    let message = format!("{feature} is not part of this version yet");
    Some(Finding { span, severity: Severity::Error, message, hint: Some(hint) })
}
