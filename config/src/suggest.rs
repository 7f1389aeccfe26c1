//! The name that was probably meant.

#[cfg(test)]
mod tests;

/// Names longer than this are not compared: bounds the work on a hostile file.
const COMPARED_MAX: usize = 64;

/// The nearest of `known`, if near enough to be a slip of the same word: at most one edit in three characters, but always one.
pub(crate) fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_ascii_lowercase().replace('-', "_");
    if found.len() > COMPARED_MAX {
        return None;
    }
    let allowed = (found.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|name| name.len() <= COMPARED_MAX)
        .map(|name| (distance(&found, &name.to_ascii_lowercase().replace('-', "_")), name))
        .filter(|&(edits, _)| edits <= allowed)
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, name)| name)
}

/// Edits that turn one word into the other: insert, delete, replace, swap two neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}
