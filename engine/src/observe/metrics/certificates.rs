//! When certificates expire, and how often they were read anew. The control thread says so; shards know nothing of it.

use super::page::{Page, Value};
use super::registry::Registry;
use super::table::{CERTIFICATE_EXPIRY, CERTIFICATE_READS};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Certificates whose expiry is shown; those beyond are counted as overflowed.
pub(super) const CERTIFICATES_MAX: usize = 1000;

/// A certificate that is in use.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// The listener that serves it; empty if none does.
    pub(crate) listener: String,
    /// The service that it is shown to; empty if it is to none.
    pub(crate) upstream: String,
    /// The first name that it is for.
    pub(crate) name: String,
    /// The file that it is in.
    pub(crate) file: String,
    /// In Unix seconds.
    pub(crate) expires: u64,
}

/// What is counted of certificates.
#[derive(Default)]
pub(super) struct Certificates {
    read: AtomicU64,
    refused: AtomicU64,
    expiry: Mutex<Expiry>,
}

#[derive(Default)]
struct Expiry {
    /// By the labels of the series.
    shown: BTreeMap<[String; 4], u64>,
    overflowed: usize,
}

impl Registry {
    /// Files were read anew: so many are used from now on, so many could not be.
    pub(crate) fn certificates_read(&self, good: u64, refused: u64) {
        self.certificates.read.fetch_add(good, Ordering::Relaxed);
        self.certificates.refused.fetch_add(refused, Ordering::Relaxed);
    }

    /// These certificates are in use, and no others.
    pub(crate) fn certificates_are(&self, certificates: impl Iterator<Item = Certificate>) {
        let mut next = Expiry::default();
        for Certificate { listener, upstream, name, file, expires } in certificates {
            let labels = [listener, upstream, name, file];
            let room = next.shown.len() < CERTIFICATES_MAX;
            match next.shown.entry(labels) {
                // The same file twice: what expires first counts.
                Entry::Occupied(mut known) => *known.get_mut() = expires.min(*known.get()),
                Entry::Vacant(place) if room => {
                    place.insert(expires);
                }
                Entry::Vacant(_) => next.overflowed += 1,
            }
        }
        *self.certificates.expiry.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// Certificates beyond the bound.
    pub(super) fn certificates_overflowed(&self) -> usize {
        self.certificates.expiry.lock().unwrap_or_else(PoisonError::into_inner).overflowed
    }

    pub(super) fn show_certificates(&self, page: &mut Page) {
        page.family(&CERTIFICATE_READS);
        page.sample(&["ok"], Value::Whole(self.certificates.read.load(Ordering::Relaxed)));
        page.sample(&["failed"], Value::Whole(self.certificates.refused.load(Ordering::Relaxed)));
        page.family(&CERTIFICATE_EXPIRY);
        let expiry = self.certificates.expiry.lock().unwrap_or_else(PoisonError::into_inner);
        for (labels, expires) in &expiry.shown {
            page.sample(&labels.each_ref().map(String::as_str), Value::Whole(*expires));
        }
    }
}
