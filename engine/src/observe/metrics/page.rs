//! The text in which Prometheus takes metrics (exposition format 0.0.4).

use ringgate_rt::histogram::{Counts, Scale};
use std::fmt::Write;

/// What a family's values mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Only rises.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by buckets.
    Histogram,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// Metrics of one name.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The labels of each of its series, in the order in which their values are given.
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

/// A number as it is written.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// As it is.
    Whole(u64),
    /// Microseconds, shown in seconds.
    Micros(u64),
}

/// A page in the making: each family once, its series below it.
pub(super) struct Page {
    text: String,
    family: &'static Family,
}

impl Page {
    /// A page that begins with this family.
    pub(super) fn new(first: &'static Family) -> Page {
        let mut page = Page { text: String::new(), family: first };
        page.family(first);
        page
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// What follows is of this family.
    pub(super) fn family(&mut self, family: &'static Family) {
        self.family = family;
        // Writing to memory can't fail, here and below.
        let _ = writeln!(self.text, "# HELP {} {}", family.name, family.help);
        let _ = writeln!(self.text, "# TYPE {} {}", family.name, family.kind.word());
    }

    /// One series. `labels` are the values of the family's labels.
    pub(super) fn sample(&mut self, labels: &[&str], value: Value) {
        debug_assert_eq!(labels.len(), self.family.labels.len(), "{}", self.family.name);
        self.text.push_str(self.family.name);
        self.labels(labels, None);
        self.value(value);
    }

    /// One series of a histogram. `as_value` says what its values and bounds are.
    pub(super) fn histogram<const B: usize>(
        &mut self,
        labels: &[&str],
        scale: &Scale<B>,
        counts: &Counts<B>,
        as_value: fn(u64) -> Value,
    ) {
        debug_assert_eq!(labels.len(), self.family.labels.len(), "{}", self.family.name);
        let name = self.family.name;
        let mut below = 0;
        for (bound, count) in scale.bounds().iter().zip(&counts.buckets) {
            below += count;
            let _ = write!(self.text, "{name}_bucket");
            self.labels(labels, Some((*bound != u64::MAX).then(|| as_value(*bound))));
            self.value(Value::Whole(below));
        }
        let _ = write!(self.text, "{name}_sum");
        self.labels(labels, None);
        self.value(as_value(counts.sum));
        let _ = write!(self.text, "{name}_count");
        self.labels(labels, None);
        // Of the same reading as the buckets: they must agree.
        self.value(Value::Whole(below));
    }

    /// The label set; with a bucket's bound, which may be infinite.
    fn labels(&mut self, values: &[&str], bound: Option<Option<Value>>) {
        if values.is_empty() && bound.is_none() {
            return;
        }
        let mut before = '{';
        for (name, value) in self.family.labels.iter().zip(values) {
            let _ = write!(self.text, "{before}{name}=\"");
            self.label_value(value);
            self.text.push('"');
            before = ',';
        }
        match bound {
            None => {}
            Some(None) => {
                let _ = write!(self.text, "{before}le=\"+Inf\"");
            }
            Some(Some(bound)) => {
                let _ = write!(self.text, "{before}le=\"");
                self.number(bound);
                self.text.push('"');
            }
        }
        self.text.push('}');
    }

    fn label_value(&mut self, value: &str) {
        for character in value.chars() {
            match character {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                other => self.text.push(other),
            }
        }
    }

    fn value(&mut self, value: Value) {
        self.text.push(' ');
        self.number(value);
        self.text.push('\n');
    }

    fn number(&mut self, value: Value) {
        let _ = match value {
            Value::Whole(value) => write!(self.text, "{value}"),
            Value::Micros(micros) => {
                let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
                let written = match rest {
                    0 => write!(self.text, "{seconds}"),
                    rest => write!(self.text, "{seconds}.{rest:06}"),
                };
                if rest != 0 {
                    let end = self.text.trim_end_matches('0').len();
                    self.text.truncate(end);
                }
                written
            }
        };
    }
}
