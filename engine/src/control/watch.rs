//! Looks every second whether the files of certificates, keys and revocation lists have changed. The disk may take its
//! time: a thread reads them, one at a time, and the control thread says what came of it.

use super::diary::{fail, say, warn};
use super::event::Event;
use super::gateway::Gateway;
use crate::observe::{Certificate, Registry};
use crate::secure::{CertificateStatus, Change, Holdings, Whose};
use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How often the files are looked at: an exchange of two files is done, or seen half done, within twice that.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Changes of one look that are logged one by one.
const LOGGED_MAX: usize = 50;

/// Whoever looks at the files.
#[derive(Default)]
pub(super) struct Watch {
    /// When they were looked at last.
    looked: Option<Instant>,
    /// A thread is looking.
    looking: bool,
    /// It was said that there is no thread to look.
    complained: bool,
}

impl Watch {
    /// When the next look is due; none while one is going on, or where there is nothing to look at.
    pub(super) fn due(&self, secured: &Holdings, now: Instant) -> Option<Instant> {
        let due = self.looked.map_or(now, |looked| looked + LOOK_EVERY);
        (!self.looking && secured.has_files()).then_some(due)
    }

    /// Begins to look if that is due. What comes of it is told as [`Event::Looked`].
    pub(super) fn turn(&mut self, secured: &Holdings, tell: &mpsc::Sender<Event>, now: Instant) {
        let thread = std::thread::Builder::new().name("certificates".into());
        self.turn_on(secured, tell, now, |looking| thread.spawn(looking).map(drop));
    }

    fn turn_on(
        &mut self,
        secured: &Holdings,
        tell: &mpsc::Sender<Event>,
        now: Instant,
        spawn: impl FnOnce(Box<dyn FnOnce() + Send>) -> io::Result<()>,
    ) {
        if self.due(secured, now).is_none_or(|due| due > now) {
            return;
        }
        self.looked = Some(now);
        let (secured, tell) = (secured.clone(), tell.clone());
        let looking = Box::new(move || {
            let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| secured.refresh()));
            // After a panic the files are looked at again, as after any other look. Nobody listens any more when the
            // process is ending.
            let _ = tell.send(Event::Looked(looked.unwrap_or_default()));
        });
        match spawn(looking) {
            Ok(()) => (self.looking, self.complained) = (true, false),
            Err(error) if !std::mem::replace(&mut self.complained, true) => {
                warn(&format!(
                    "no thread to look whether certificates have changed: {error}; tried again every second"
                ));
            }
            Err(_) => {}
        }
    }

    /// The look is done.
    pub(super) fn done(&mut self, now: Instant) {
        (self.looking, self.looked) = (false, Some(now));
    }
}

impl Gateway {
    /// Looks whether files of certificates have changed, and goes over to what they hold. Once a second under
    /// [`run`](super::run). Returns whether anything is used from now on that was not before.
    pub fn look_at_certificates(&self) -> bool {
        let changes = self.secured.refresh();
        self.certificates_changed(&changes);
        changes.iter().any(|change| change.good)
    }

    /// Says and counts what came of a look at certificates.
    pub(super) fn certificates_changed(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        for change in changes.iter().take(LOGGED_MAX) {
            let tell = if change.good { say } else { fail };
            tell(&change.what);
        }
        if let Some(more) = changes.len().checked_sub(LOGGED_MAX).filter(|more| *more > 0) {
            warn(&format!("and {more} more changes of certificates: GET /certificates of the admin API shows all"));
        }
        let good = changes.iter().filter(|change| change.good).count();
        self.registry.certificates_read(good as u64, (changes.len() - good) as u64);
        show_expiry(&self.registry, &self.secured);
    }
}

/// Has the metrics show when the certificates expire that are in use.
pub(super) fn show_expiry(registry: &Registry, secured: &Holdings) {
    registry.certificates_are(secured.certificates().into_iter().map(measured));
}

fn measured(status: CertificateStatus) -> Certificate {
    let (listener, upstream) = match status.whose {
        Whose::Listener(name) => (name, String::new()),
        Whose::Upstream(name) => (String::new(), name),
    };
    Certificate {
        listener,
        upstream,
        name: status.names.into_iter().next().unwrap_or_default(),
        file: status.file.display().to_string(),
        // Before 1970 it is as good as then.
        expires: u64::try_from(status.not_after).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests;
