//! Ranges of numbers as regular expressions: a schema has no other way to bound a number with a unit.

/// Takes the texts whose number, in one of these units, is less than `min` or more than `max`, and no others that
/// begin with digits and end in one of the units. `None`: there is no such number.
pub(super) fn outside(min: u64, max: u64, units: &[(&str, u64)]) -> Option<String> {
    let mut alternatives = Vec::new();
    for (unit, factor) in units {
        let (least, most) = (min.div_ceil(*factor), max / factor);
        let mut digits = Vec::new();
        if least > 0 {
            digits.extend(range(0, least - 1));
        }
        digits.extend(above(most));
        if !digits.is_empty() {
            alternatives.push(format!("({}){unit}", digits.join("|")));
        }
    }
    (!alternatives.is_empty()).then(|| format!("^0*({})$", alternatives.join("|")))
}

/// Every number of more digits than `most` has, and those of as many that are larger.
pub(super) fn above(most: u64) -> Vec<String> {
    let length = most.to_string().len();
    let mut digits = Vec::new();
    // The largest number of this many digits.
    if let Some(last) = u32::try_from(length).ok().and_then(|length| 10u64.checked_pow(length)).map(|power| power - 1) {
        digits.extend((most < last).then(|| range(most + 1, last)).into_iter().flatten());
    }
    digits.push(format!("[1-9][0-9]{{{length},}}"));
    digits
}

/// The numbers from `min` to `max`, without zeros in front, as alternatives: blocks that share their first digits.
fn range(min: u64, max: u64) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut low = min;
    while low <= max {
        let (mut size, mut free) = (1u64, 0);
        // As many free digits at the end as the block's start and the range's end allow.
        while low > 0 && low.is_multiple_of(size * 10) && max - low >= size * 10 - 1 {
            (size, free) = (size * 10, free + 1);
        }
        let first = low / size % 10;
        let last = first + (9 - first).min((max - low + 1) / size - 1);
        let head = if low / size / 10 == 0 { String::new() } else { (low / size / 10).to_string() };
        let digit = if first == last { first.to_string() } else { format!("[{first}-{last}]") };
        let tail = match free {
            0 => String::new(),
            1 => "[0-9]".to_owned(),
            _ => format!("[0-9]{{{free}}}"),
        };
        blocks.push(format!("{head}{digit}{tail}"));
        let Some(next) = low.checked_add(size * (last - first + 1)) else {
            break;
        };
        low = next;
    }
    blocks
}

#[cfg(test)]
mod tests;
