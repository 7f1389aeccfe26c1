//! What a listener's connections are secured with: its certificates, whom clients are believed by, the keys of its
//! tickets. All shards share it; a handshake takes the configuration of that moment, and keeps it.

use super::files::{Change, Watch, all_read, date, sentence};
use super::inspector::{unix_seconds, validity};
use super::names::{Names, Served};
use super::pair::{CertificateStatus, Pair, Whose};
use super::provider::{provider_with, versions};
use super::resolver::Resolver;
use super::revocation::{self, Verifier, Which};
use super::tickets::{Admission, TICKETS_SENT, Tickets};
use ringgate_config::{Certificate, ClientAuth, Flaw, ListenerTls, Part, Pem};
use ringgate_protocols::tls::NotesName;
use rustls::ServerConfig;
use rustls::server::{NoClientAuth, NoServerSessionStorage};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// How a listener secures connections.
pub(crate) struct ServerTls {
    listener: String,
    settings: ListenerTls,
    live: RwLock<Arc<Live>>,
    /// Its files: of each certificate, and of whom clients are believed by. Held while they are looked at.
    watched: Mutex<Watched>,
}

struct Watched {
    pairs: Vec<Watch>,
    clients: Option<Watch>,
    /// It was said that a revocation list has not been renewed.
    told_stale: bool,
}

/// What holds at the moment.
struct Live {
    config: Arc<ServerConfig>,
    resolver: Arc<Resolver>,
    clients: Clients,
    tickets: Option<Tickets>,
}

/// Who may be a client.
#[derive(Clone)]
struct Clients {
    admission: Admission,
    by: Verifier,
}

impl ServerTls {
    /// What a listener asks for. What `before`, of the same listener, has and may go on is taken over: certificates that
    /// have not changed, and the keys of tickets if the same clients are let in.
    ///
    /// # Errors
    /// What can't be used, and why.
    pub(crate) fn build(listener: &str, tls: &ListenerTls, before: Option<&ServerTls>) -> Result<ServerTls, String> {
        let before = before.map(ServerTls::live);
        let known = before.as_ref().map_or(&[][..], |before| &before.resolver.pairs);
        let pairs = tls
            .certificates
            .iter()
            .map(|certificate| pair(certificate, [&certificate.cert.bytes, &certificate.key.bytes], known));
        let said = |why: String| format!("listener {listener}: {why}");
        let pairs = pairs.collect::<Result<Vec<_>, String>>().map_err(said)?;
        let files = tls
            .client_auth
            .as_ref()
            .map(|auth| (auth.ca.bytes.as_slice(), auth.crl.as_ref().map(|crl| crl.bytes.as_slice())));
        let clients = clients(tls, files).map_err(said)?;
        let tickets = before.as_ref().and_then(|before| before.tickets.as_ref());
        let live = Live::assemble(tls, pairs, clients, tickets).map_err(said)?;
        let watched = Watched {
            pairs: tls.certificates.iter().map(|one| Watch::over(paths([&one.cert, &one.key]))).collect(),
            clients: tls.client_auth.as_ref().map(|auth| Watch::over(client_paths(auth))),
            told_stale: false,
        };
        Ok(ServerTls {
            listener: listener.to_owned(),
            settings: without_bytes(tls),
            live: RwLock::new(Arc::new(live)),
            watched: Mutex::new(watched),
        })
    }

    /// What a handshake goes by. To be taken once for each: another one may follow it at any time.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).config.clone()
    }

    /// What is served to a client that asks for this name, or for none.
    pub(crate) fn served(&self, server_name: Option<&str>) -> Arc<Served> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).resolver.names.served(server_name).clone()
    }

    /// Its certificates, in the order of the file.
    pub(crate) fn certificates(&self) -> Vec<CertificateStatus> {
        self.live().resolver.pairs.iter().map(|pair| pair.status(Whose::Listener(self.listener.clone()))).collect()
    }

    /// Reads the files that have changed, and goes over to what they hold. One that can't be used changes nothing, and
    /// keeps none of the others from being taken. Waits for the disk.
    pub(crate) fn refresh(&self) -> Vec<Change> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live();
        let mut changes = Vec::new();
        let mut pairs = live.resolver.pairs.clone();
        for ((watch, certificate), pair) in watched.pairs.iter_mut().zip(&self.settings.certificates).zip(&mut pairs) {
            if let Some(new) = self.look_at_pair(watch, certificate, pair, &mut changes) {
                *pair = new;
            }
        }
        let clients =
            watched.clients.as_mut().and_then(|watch| self.look_at_clients(watch, &live.clients, &mut changes));
        let clients = clients.unwrap_or_else(|| live.clients.clone());
        let (stale, told) = (self.stale(&clients), watched.told_stale);
        watched.told_stale = stale.is_some();
        let changed = changes.iter().any(|change| change.good);
        changes.extend(stale.filter(|_| !told));
        if !changed {
            return changes;
        }
        match Live::assemble(&self.settings, pairs, clients, live.tickets.as_ref()) {
            Ok(next) => {
                // The one before is freed after the lock.
                let _before =
                    std::mem::replace(&mut *self.live.write().unwrap_or_else(PoisonError::into_inner), Arc::new(next));
            }
            Err(why) => {
                changes.retain(|change| !change.good);
                changes.push(Change { good: false, what: format!("listener {}: {why}", self.listener) });
            }
        }
        changes
    }

    fn look_at_pair(
        &self,
        watch: &mut Watch,
        certificate: &Certificate,
        now: &Arc<Pair>,
        changes: &mut Vec<Change>,
    ) -> Option<Arc<Pair>> {
        let read = watch.look()?;
        let known = std::slice::from_ref(now);
        let found = all_read(watch.paths(), &read).and_then(|held| match held.as_slice() {
            [cert, key] => pair(certificate, [cert, key], known),
            _ => Ok(now.clone()),
        });
        match found {
            Ok(same) if Arc::ptr_eq(&same, now) => {
                watch.used();
                None
            }
            Ok(new) => {
                watch.used();
                let file = certificate.cert.path.display();
                let but =
                    validity(&new.facts, unix_seconds()).pop().map_or_else(String::new, |why| format!(", and {why}"));
                let until = date(new.facts.not_after);
                let what = format!(
                    "listener {}: the certificate in {file} was read anew; it is valid until {until}{but}",
                    self.listener
                );
                changes.push(Change { good: true, what });
                Some(new)
            }
            Err(why) => {
                if watch.refused(&read) {
                    let what = format!(
                        "listener {}: {why}; the certificate that it had before is still served",
                        self.listener
                    );
                    changes.push(Change { good: false, what });
                }
                None
            }
        }
    }

    fn look_at_clients(&self, watch: &mut Watch, now: &Clients, changes: &mut Vec<Change>) -> Option<Clients> {
        let read = watch.look()?;
        let found = all_read(watch.paths(), &read).and_then(|held| {
            let authorities = held.first().copied().unwrap_or_default();
            let revocations = held.get(1).copied();
            match Admission::of(&self.settings, authorities, revocations) == now.admission {
                true => Ok(None),
                false => clients(&self.settings, Some((authorities, revocations))).map(Some),
            }
        });
        match found {
            Ok(new) => {
                watch.used();
                if new.is_some() {
                    let what = format!("listener {}: whom clients are believed by was read anew", self.listener);
                    changes.push(Change { good: true, what });
                }
                new
            }
            Err(why) => {
                if watch.refused(&read) {
                    let what = format!("listener {}: {why}; what it said before still holds", self.listener);
                    changes.push(Change { good: false, what });
                }
                None
            }
        }
    }

    /// That a revocation list should have been renewed, and what follows from it.
    fn stale(&self, clients: &Clients) -> Option<Change> {
        let until = clients.by.lists_until.filter(|until| *until < unix_seconds())?;
        let file = self.settings.client_auth.as_ref()?.crl.as_ref()?.path.display();
        let what = format!(
            "listener {}: the file {file} has a revocation list that was to be renewed by {}: clients that it is for are \
             refused until it is",
            self.listener,
            date(until)
        );
        Some(Change { good: false, what })
    }

    fn live(&self) -> Arc<Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Live {
    fn assemble(
        tls: &ListenerTls,
        pairs: Vec<Arc<Pair>>,
        clients: Clients,
        tickets: Option<&Tickets>,
    ) -> Result<Live, String> {
        let provider = provider_with(&tls.suites)?;
        let versions = versions(tls.min_version, &provider)?;
        let names = Names::of(&pairs);
        let resolver = Arc::new(Resolver { pairs, names, strict: tls.strict_sni });
        let tickets = match tls.tickets {
            true => Some(Tickets::renew(tickets, clients.admission.clone())?),
            false => None,
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|error| error.to_string())?
            .with_client_cert_verifier(clients.by.verifier.clone())
            .with_cert_resolver(Arc::new(NotesName(resolver.clone())));
        config.alpn_protocols = tls.alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        // All suites are good ones, but whoever looks for weaknesses takes a server without an order for one.
        config.ignore_client_order = true;
        // A memory of sessions would be locked by all shards, and tickets do without one.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = if tickets.is_some() { TICKETS_SENT } else { 0 };
        if let Some(tickets) = &tickets {
            config.ticketer = tickets.keys.clone();
        }
        config.max_early_data_size = 0;
        // Records are sealed and opened by `protocols::tls` once the handshake is done.
        config.enable_secret_extraction = true;
        Ok(Live { config: Arc::new(config), resolver, clients, tickets })
    }
}

/// The same without what the files held: what is in use of it is kept elsewhere, and a key need not lie about twice.
fn without_bytes(tls: &ListenerTls) -> ListenerTls {
    let mut settings = tls.clone();
    let certificates = settings.certificates.iter_mut().flat_map(|one| [&mut one.cert, &mut one.key]);
    let clients = settings.client_auth.iter_mut().flat_map(|auth| std::iter::once(&mut auth.ca).chain(&mut auth.crl));
    certificates.chain(clients).for_each(|file| file.bytes = Vec::new());
    settings
}

/// The certificate that two files hold: one of the `known` ones, if that is it.
fn pair(certificate: &Certificate, held: [&[u8]; 2], known: &[Arc<Pair>]) -> Result<Arc<Pair>, String> {
    let read = Pair::read(held[0], held[1], &certificate.hosts, certificate.cert.path.clone());
    let pair = read.map_err(|(part, flaw)| {
        let file = match part {
            Part::Chain => &certificate.cert.path,
            Part::Key => &certificate.key.path,
        };
        sentence(file, &flaw)
    })?;
    let same = known.iter().find(|known| known.is(&pair));
    Ok(same.cloned().unwrap_or_else(|| Arc::new(pair)))
}

/// Who may be a client, by the authorities and revocations of these files.
fn clients(tls: &ListenerTls, files: Option<(&[u8], Option<&[u8]>)>) -> Result<Clients, String> {
    let (authorities, revocations) = files.unwrap_or_default();
    let admission = Admission::of(tls, authorities, revocations);
    let by = match &tls.client_auth {
        Some(auth) => revocation::verifier(auth.mode, authorities, revocations)
            .map_err(|(which, flaw)| client_sentence(auth, which, &flaw))?,
        None => Verifier { verifier: Arc::new(NoClientAuth), lists_until: None },
    };
    Ok(Clients { admission, by })
}

fn client_sentence(auth: &ClientAuth, which: Which, flaw: &Flaw) -> String {
    let revocations = auth.crl.as_ref().filter(|_| which == Which::Revocations);
    sentence(revocations.map_or(&auth.ca.path, |crl| &crl.path), flaw)
}

fn client_paths(auth: &ClientAuth) -> Vec<PathBuf> {
    paths(std::iter::once(&auth.ca).chain(&auth.crl))
}

fn paths<'a>(files: impl IntoIterator<Item = &'a Pem>) -> Vec<PathBuf> {
    files.into_iter().map(|file| Path::to_owned(&file.path)).collect()
}

#[cfg(test)]
mod tests;
