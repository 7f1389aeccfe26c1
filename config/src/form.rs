//! What a value looks like, and its limits: the part of a field table's row from which the decoder, the reference and
//! the JSON Schema read what a key takes.

use std::time::Duration;

use crate::table::Rows;
use crate::units::{show_duration, show_size};

/// What a value looks like, and its limits.
pub(crate) enum Form {
    Integer {
        min: u64,
        max: u64,
    },
    PowerOfTwo {
        min: u64,
        max: u64,
    },
    Size {
        min: u64,
        max: u64,
    },
    Duration {
        min: Duration,
        max: Duration,
    },
    /// `kind` names the text's grammar; `limits` bounds it, in words.
    Text {
        kind: &'static str,
        limits: &'static str,
    },
    Choice(&'static [&'static str]),
    /// `on` or `off`.
    Switch,
    /// `off`, or a value of the other form.
    OrOff(&'static Form),
    /// `on` or `off`, or a value of the other form.
    OrSwitch(&'static Form),
    /// Either of two, told apart by what YAML makes of them.
    Either(&'static Form, &'static Form),
    List {
        of: &'static Form,
        min: usize,
    },
    /// A map from names that the user chooses.
    Map {
        key: &'static str,
        of: &'static Form,
    },
    Object(&'static (dyn Rows + Sync)),
}

impl Form {
    /// The form of the value itself, where `on` or `off` may stand for it too.
    pub(crate) fn without_switch(&self) -> &Form {
        match self {
            Form::OrOff(form) | Form::OrSwitch(form) => form,
            form => form,
        }
    }

    /// The maps that a value of this form may be.
    pub(crate) fn maps(&self) -> impl Iterator<Item = &'static (dyn Rows + Sync)> {
        let of = |form: &Form| {
            if let Form::Object(rows) = form { Some(*rows) } else { None }
        };
        let pair = match self {
            Form::OrOff(form) | Form::OrSwitch(form) => [of(form), None],
            Form::Either(a, b) => [of(a), of(b)],
            form => [of(form), None],
        };
        pair.into_iter().flatten()
    }

    /// Whether a number is within the limits; a duration counts in milliseconds.
    pub(crate) fn admits(&self, number: u64) -> bool {
        match self {
            Form::Integer { min, max } | Form::Size { min, max } => (*min..=*max).contains(&number),
            Form::PowerOfTwo { min, max } => (*min..=*max).contains(&number) && number.is_power_of_two(),
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
            Form::OrOff(form) if form.limits().is_empty() => String::new(),
            Form::OrOff(form) => format!("{}, or `off`", form.limits()),
            Form::OrSwitch(form) => form.limits(),
            Form::Either(a, b) => {
                [a.limits(), b.limits()].into_iter().filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; ")
            }
            Form::Choice(_) | Form::Switch | Form::Object(_) => String::new(),
        }
    }
}

/// What to do about a text that is no number of this form.
pub(crate) fn unit_hint(found: &str, form: &Form) -> String {
    let allowed = form.limits();
    if matches!(found, "off" | "false") {
        return format!("this can't be switched off; allowed: {allowed}");
    }
    match form.without_switch() {
        Form::Size { .. } => {
            format!("the units are `B`, `KiB`, `MiB`, `GiB` and `TiB`; allowed: {allowed}")
        }
        Form::Duration { .. } if found.contains('.') => {
            format!("write a whole number with a smaller unit: 1.5 seconds are `1500ms`; allowed: {allowed}")
        }
        Form::Duration { .. } => {
            format!("the units are `ms`, `s`, `m` and `h`; allowed: {allowed}")
        }
        _ => format!("allowed: {allowed}"),
    }
}
