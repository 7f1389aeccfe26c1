//! A strict reader of Prometheus's text format 0.0.4: it takes nothing that a scraper might refuse or misread.

use std::collections::{BTreeMap, BTreeSet};

/// A page that was read.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    /// Type and help by the family's name.
    pub(crate) families: BTreeMap<String, (String, String)>,
    /// Values by series: `name{label="value",...}`, labels in the order of the page.
    pub(crate) series: BTreeMap<String, f64>,
}

impl Exposition {
    /// Reads a page.
    ///
    /// # Panics
    /// If anything in it is not as the format and good manners have it.
    #[track_caller]
    pub(crate) fn read(page: &str) -> Exposition {
        let mut read = Exposition::default();
        let mut help: Option<(String, String)> = None;
        let mut family: Option<(String, String)> = None;
        assert!(page.ends_with('\n'), "the last line is whole");
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, text) = rest.split_once(' ').unwrap_or_else(|| panic!("{line}"));
                assert!(!text.is_empty() && text.trim() == text, "{line}");
                help = Some((name.into(), text.into()));
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("{line}"));
                assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                let (helped, text) = help.take().unwrap_or_else(|| panic!("no help before {line}"));
                assert_eq!(helped, name);
                assert!(read.families.insert(name.into(), (kind.into(), text)).is_none(), "twice: {name}");
                family = Some((name.into(), kind.into()));
            } else {
                let (name, kind) = family.as_ref().unwrap_or_else(|| panic!("no family before {line}"));
                read.sample(line, name, kind);
            }
        }
        read.check_histograms();
        read
    }

    #[track_caller]
    fn sample(&mut self, line: &str, family: &str, kind: &str) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(value >= 0.0, "{line}");
        let (name, labels) = parse(series);
        let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} is not of {family}"));
        match kind {
            "histogram" => assert!(matches!(suffix, "_bucket" | "_sum" | "_count"), "{line}"),
            _ => assert_eq!(suffix, "", "{line}"),
        }
        assert_eq!(labels.iter().any(|(name, _)| name == "le"), suffix == "_bucket", "{line}");
        let names: BTreeSet<&String> = labels.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), labels.len(), "a label twice: {line}");
        assert!(self.series.insert(series.into(), value).is_none(), "a series twice: {line}");
    }

    /// Buckets rise, the last is infinite, and it is the count.
    #[track_caller]
    fn check_histograms(&self) {
        let mut buckets: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for (series, value) in &self.series {
            let (name, labels) = parse(series);
            if let Some((_, bound)) = labels.iter().find(|(name, _)| name == "le") {
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a bound") };
                let others: Vec<_> = labels.iter().filter(|(name, _)| name != "le").collect();
                buckets
                    .entry(format!("{}{others:?}", name.trim_end_matches("_bucket")))
                    .or_default()
                    .push((bound, *value));
            }
        }
        let mut counts = 0;
        for (series, value) in self.series.iter().filter(|(series, _)| parse(series).0.ends_with("_count")) {
            let (name, labels) = parse(series);
            let others: Vec<_> = labels.iter().collect();
            let key = format!("{}{others:?}", name.trim_end_matches("_count"));
            let mut own = buckets.get(&key).cloned().unwrap_or_else(|| panic!("no buckets of {series}"));
            own.sort_by(|one, other| one.0.total_cmp(&other.0));
            assert!(own.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{series}: {own:?}");
            assert_eq!(own.last(), Some(&(f64::INFINITY, *value)), "{series}");
            counts += 1;
        }
        assert_eq!(counts, buckets.len(), "each histogram has a count");
    }

    /// The value of a series; 0 if it is not there.
    pub(crate) fn get(&self, series: &str) -> f64 {
        self.series.get(series).copied().unwrap_or(0.0)
    }

    /// The sum over the series of this name whose labels hold each of these texts.
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let own = self.series.iter().filter(|(series, _)| {
            series.split('{').next() == Some(name) && labels.iter().all(|label| series.contains(label))
        });
        own.map(|(_, value)| value).sum()
    }

    /// Series that only rise: counters, and buckets, sums and counts of histograms.
    pub(crate) fn rising(&self) -> impl Iterator<Item = (&str, f64)> {
        let rises = |series: &str| {
            let (name, _) = parse(series);
            self.families.get(&name).is_none_or(|(kind, _)| kind == "counter")
        };
        self.series.iter().map(|(series, value)| (series.as_str(), *value)).filter(move |(series, _)| rises(series))
    }
}

/// A series taken apart: its name, and its labels with their values unescaped.
#[track_caller]
pub(crate) fn parse(series: &str) -> (String, Vec<(String, String)>) {
    let word = |text: &str, extra: &str| {
        !text.is_empty()
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
    };
    let (name, rest) = series.split_at(series.find('{').unwrap_or(series.len()));
    assert!(word(name, "_:"), "{series}");
    let mut labels = Vec::new();
    let mut rest = rest.chars().peekable();
    if rest.next().is_none() {
        return (name.into(), labels);
    }
    loop {
        let label: String = std::iter::from_fn(|| rest.next_if(|c| *c != '=')).collect();
        assert!(word(&label, "_"), "{series}");
        assert_eq!((rest.next(), rest.next()), (Some('='), Some('"')), "{series}");
        let mut value = String::new();
        loop {
            match rest.next() {
                Some('"') => break,
                Some('\\') => value.push(match rest.next() {
                    Some('n') => '\n',
                    Some(plain @ ('\\' | '"')) => plain,
                    other => panic!("{series}: an escape of {other:?}"),
                }),
                Some(plain) => value.push(plain),
                None => panic!("{series}: no end"),
            }
        }
        labels.push((label, value));
        match rest.next() {
            Some(',') => {}
            Some('}') => break,
            other => panic!("{series}: {other:?}"),
        }
    }
    assert_eq!(rest.next(), None, "{series}");
    (name.into(), labels)
}
