//! Recorded requests, each routed with the old table and the new one.

use super::fates::{Fate, Found, Side, same_treatment};
use super::heads::Recorded;
use super::lines::{LINE_BYTES_MAX, Line, Lines};
use ahash::AHashMap;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Different changes that are kept apart; of further ones only their number is.
const GROUPS_MAX: usize = 100_000;
/// Bytes of what these requests name, all together: a log may hold long targets.
const GROUP_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Lines between two looks at the clock.
const LINES_PER_LOOK: u64 = 4096;
/// How long reading may take before it says how far it is, and how often it does.
const PROGRESS: Duration = Duration::from_secs(1);

/// What has been found in a log.
pub(super) struct Replay<'c> {
    pub(super) old: Side<'c>,
    pub(super) new: Side<'c>,
    /// Requests that were routed.
    pub(super) requests: u64,
    pub(super) changed: u64,
    /// Lines that hold no request.
    pub(super) unreadable: u64,
    /// The number of the first of them, and why.
    pub(super) first_unreadable: Option<(u64, String)>,
    groups: AHashMap<Group, u64>,
    group_bytes: usize,
    /// Changed requests that are in no group, because there were too many different ones.
    pub(super) ungrouped: u64,
    /// Requests that could go either way, by the header field that the log does not tell of.
    pub(super) by_header: BTreeMap<String, u64>,
    /// Requests for which the log names no host, if a route asks for one.
    pub(super) by_host: u64,
    /// Whether routes do the same, by their indices.
    same: AHashMap<(usize, usize), bool>,
}

/// Requests that are alike, and whose fate changes alike.
#[derive(PartialEq, Eq, Hash, Clone)]
pub(super) struct Group {
    pub(super) method: String,
    pub(super) host: Option<String>,
    pub(super) target: String,
    pub(super) was: Fate,
    pub(super) is: Fate,
}

impl<'c> Replay<'c> {
    pub(super) fn new(old: Side<'c>, new: Side<'c>) -> Replay<'c> {
        Replay {
            old,
            new,
            requests: 0,
            changed: 0,
            unreadable: 0,
            first_unreadable: None,
            groups: AHashMap::new(),
            group_bytes: 0,
            ungrouped: 0,
            by_header: BTreeMap::new(),
            by_host: 0,
            same: AHashMap::new(),
        }
    }

    /// Routes every request of a log; `-` is standard input. `host` is that of requests for which the log names none.
    ///
    /// # Errors
    /// What reading gives.
    pub(super) fn read(mut self, log: &Path, host: Option<&str>) -> io::Result<Replay<'c>> {
        let from: Box<dyn BufRead> = match log.as_os_str() == "-" {
            true => Box::new(io::stdin().lock()),
            false => Box::new(BufReader::with_capacity(LINE_BYTES_MAX, File::open(log)?)),
        };
        let mut lines = Lines::new(from);
        let mut progress = Progress::new();
        let mut number = 0;
        let mut head = Vec::new();
        while let Some(line) = lines.next()? {
            number += 1;
            let recorded = match line {
                Line::Whole(line) => Recorded::read(line),
                Line::TooLong => Err("it is longer than 64 KiB"),
            };
            match recorded {
                Ok(recorded) => self.route(recorded, host, &mut head),
                Err(reason) => {
                    self.unreadable += 1;
                    self.first_unreadable.get_or_insert_with(|| (number, reason.to_owned()));
                }
            }
            progress.at(number);
        }
        progress.end();
        Ok(self)
    }

    fn route(&mut self, recorded: Recorded, host: Option<&str>, head: &mut Vec<u8>) {
        self.requests += 1;
        recorded.write(host, head);
        let tells = |name: &str| recorded.tells(name);
        let (was, is) = (self.old.find(head, &tells), self.new.find(head, &tells));
        if recorded.host.is_none() && host.is_none() && (self.old.by_host || self.new.by_host) {
            self.by_host += 1;
        }
        let same = self.same_fate(was.fate, is.fate);
        if !same || !self.same_doubts(&was, &is) {
            self.doubt(&was, &is, &tells);
        }
        if same {
            return;
        }
        self.changed += 1;
        let Recorded { method, target, host: named, .. } = recorded;
        let host = named.or_else(|| host.map(str::to_owned));
        let group = Group { method, host, target, was: was.fate, is: is.fate };
        let bytes = group.method.len() + group.host.as_ref().map_or(0, String::len) + group.target.len();
        if let Some(count) = self.groups.get_mut(&group) {
            *count += 1;
        } else if self.groups.len() < GROUPS_MAX && self.group_bytes + bytes <= GROUP_BYTES_MAX {
            self.group_bytes += bytes;
            self.groups.insert(group, 1);
        } else {
            self.ungrouped += 1;
        }
    }

    fn same_fate(&mut self, was: Fate, is: Fate) -> bool {
        match (was, is) {
            (Fate::Route(was), Fate::Route(is)) => self.same_route(was, is),
            (was, is) => was == is,
        }
    }

    /// Whether two routes have one name and do the same.
    fn same_route(&mut self, was: usize, is: usize) -> bool {
        if let Some(known) = self.same.get(&(was, is)) {
            return *known;
        }
        let same = match (self.old.route(was), self.new.route(is)) {
            (Some(of_old), Some(of_new)) => same_treatment(&self.old, &self.new, of_old, of_new),
            _ => false,
        };
        self.same.insert((was, is), same);
        same
    }

    /// Whether the same would come first in both, whatever the fields are that the log does not tell of.
    fn same_doubts(&mut self, was: &Found, is: &Found) -> bool {
        was.undecided.len() == is.undecided.len()
            && was.undecided.iter().zip(&is.undecided).all(|(was, is)| {
                let matches = |route: Option<&'c ringgate_config::Route>| route.map(|route| &route.matches.headers);
                matches(self.old.route(*was)) == matches(self.new.route(*is)) && self.same_route(*was, *is)
            })
    }

    fn doubt(&mut self, was: &Found, is: &Found, tells: &dyn Fn(&str) -> bool) {
        let of_old = was.undecided.iter().flat_map(|route| self.old.headers(*route));
        let of_new = is.undecided.iter().flat_map(|route| self.new.headers(*route));
        let mut names: Vec<&str> = of_old.chain(of_new).filter(|name| !tells(name)).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            match self.by_header.get_mut(name) {
                Some(count) => *count += 1,
                None => drop(self.by_header.insert(name.to_owned(), 1)),
            }
        }
    }

    /// The changes, the most frequent first, then by what the requests are.
    pub(super) fn groups(&self) -> Vec<(&Group, u64)> {
        let mut groups: Vec<(&Group, u64)> = self.groups.iter().map(|(group, count)| (group, *count)).collect();
        let key = |group: &Group| (group.host.clone(), group.target.clone(), group.method.clone());
        groups.sort_by_cached_key(|(group, count)| (std::cmp::Reverse(*count), key(group)));
        groups
    }
}

/// How far reading is, said on standard error while somebody looks there.
struct Progress {
    shown: bool,
    watched: bool,
    next: Instant,
}

impl Progress {
    fn new() -> Progress {
        Progress { shown: false, watched: io::stderr().is_terminal(), next: Instant::now() + PROGRESS }
    }

    fn at(&mut self, line: u64) {
        if self.watched && line.is_multiple_of(LINES_PER_LOOK) && Instant::now() >= self.next {
            self.next += PROGRESS;
            self.shown = true;
            // Nobody is told when standard error is gone.
            let _ = write!(io::stderr(), "\r{line} lines");
        }
    }

    /// Takes away what was said: the result stands alone.
    fn end(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
