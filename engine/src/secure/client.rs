//! What connections to a service are secured with: whom it is believed by, the name that it is asked for, what the gateway
//! shows of itself, and the sessions that can be resumed.

use super::files::{Change, Watch, all_read, sentence};
use super::inspector::system_roots;
use super::pair::{CertificateStatus, Pair, Whose};
use super::provider::{provider, provider_with, versions};
use super::revocation;
use super::unverified::Unverified;
use ahash::AHashMap;
use ringgate_config::{EndpointAddress, Part, Upstream, UpstreamTls};
use ringgate_protocols::tls::certificate::fingerprint;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientSessionMemoryCache, ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Names of endpoints that sessions are kept of, for each service; of each a few tickets. Those beyond take the places of
/// the oldest.
const SESSIONS_MAX: usize = 256;

/// How connections to a service are secured.
pub(crate) struct ClientTls {
    upstream: String,
    settings: UpstreamTls,
    names: AHashMap<EndpointAddress, ServerName<'static>>,
    live: RwLock<Arc<Live>>,
    /// Its files; held while they are looked at.
    watched: Mutex<Watched>,
}

struct Watched {
    authorities: Option<Watch>,
    certificate: Option<Watch>,
}

/// What holds at the moment.
struct Live {
    config: Arc<ClientConfig>,
    believes: Believes,
    shows: Option<Shows>,
    sessions: Option<Arc<ClientSessionMemoryCache>>,
    server_name: Option<String>,
}

/// Whom the service is believed by. rustls resumes a session only with the very verifier that it was begun with, so one
/// that says the same is kept.
#[derive(Clone)]
struct Believes {
    whom: Whom,
    verifier: Arc<dyn ServerCertVerifier>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whom {
    Anybody,
    System,
    /// The authorities in a file with this digest.
    File([u8; 32]),
}

/// The gateway's own certificate; kept for the same reason.
#[derive(Clone)]
struct Shows {
    pair: Arc<Pair>,
    resolver: Arc<dyn ResolvesClientCert>,
}

impl ClientTls {
    /// What a service asks for; none if connections to it are in clear text. Sessions of `before`, of the same service,
    /// are kept if nothing has changed that decides whom they are with.
    ///
    /// # Errors
    /// What can't be used, and why.
    pub(crate) fn build(upstream: &Upstream, before: Option<&ClientTls>) -> Result<Option<ClientTls>, String> {
        let Some(tls) = &upstream.tls else { return Ok(None) };
        let said = |why: String| format!("upstream {}: {why}", upstream.name);
        let before = before.map(ClientTls::live);
        let believes =
            Believes::of(tls, tls.ca.as_ref().map(|ca| ca.bytes.as_slice()), before.as_deref()).map_err(said)?;
        let shown = tls.certificate.as_ref().map(|(cert, key)| [cert.bytes.as_slice(), key.bytes.as_slice()]);
        let shows = shown.map(|held| Shows::of(tls, held, before.as_deref())).transpose().map_err(said)?;
        let live = Live::assemble(tls, believes, shows, before.as_deref()).map_err(said)?;
        Ok(Some(ClientTls {
            upstream: upstream.name.clone(),
            settings: without_bytes(tls),
            names: names(upstream, tls).map_err(said)?,
            live: RwLock::new(Arc::new(live)),
            watched: Mutex::new(Watched {
                authorities: tls.ca.as_ref().filter(|_| tls.verify).map(|ca| Watch::over(vec![ca.path.clone()])),
                certificate: tls
                    .certificate
                    .as_ref()
                    .map(|(cert, key)| Watch::over(vec![cert.path.clone(), key.path.clone()])),
            }),
        }))
    }

    /// Whether connections that were made by the `other` are as good as those that would be made by this one.
    pub(crate) fn is_like(&self, other: &ClientTls) -> bool {
        let (live, others) = (self.live(), other.live());
        let shown = |live: &Live| live.shows.as_ref().map(|shows| Arc::as_ptr(&shows.pair));
        self.settings == other.settings && live.believes.whom == others.believes.whom && shown(&live) == shown(&others)
    }

    /// What a handshake goes by. To be taken once for each.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).config.clone()
    }

    /// The name that an endpoint is asked for, and must have in its certificate. None for an address that is no endpoint
    /// of this service.
    pub(crate) fn name_for(&self, endpoint: &EndpointAddress) -> Option<ServerName<'static>> {
        self.names.get(endpoint).cloned()
    }

    /// Whether there are files that may change.
    pub(crate) fn has_files(&self) -> bool {
        self.settings.certificate.is_some() || self.settings.verify && self.settings.ca.is_some()
    }

    /// The certificate that the gateway shows, if it has one.
    pub(crate) fn certificate(&self) -> Option<CertificateStatus> {
        self.live().shows.as_ref().map(|shows| shows.pair.status(Whose::Upstream(self.upstream.clone())))
    }

    /// As [`ServerTls::refresh`](super::ServerTls::refresh).
    pub(crate) fn refresh(&self) -> Vec<Change> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live();
        let mut changes = Vec::new();
        let believes = watched.authorities.as_mut().and_then(|watch| {
            let found = |held: &[&[u8]]| {
                let new = Believes::of(&self.settings, held.first().copied(), Some(&live))?;
                Ok((new.whom != live.believes.whom).then_some(new))
            };
            self.look(watch, found, "the file of its authorities", &mut changes)
        });
        let shows = watched.certificate.as_mut().and_then(|watch| {
            let found = |held: &[&[u8]]| {
                let [cert, key] = held else { return Ok(None) };
                let new = Shows::of(&self.settings, [cert, key], Some(&live))?;
                let same = live.shows.as_ref().is_some_and(|now| Arc::ptr_eq(&now.pair, &new.pair));
                Ok((!same).then_some(new))
            };
            self.look(watch, found, "the gateway's own certificate", &mut changes)
        });
        if believes.is_none() && shows.is_none() {
            return changes;
        }
        let believes = believes.unwrap_or_else(|| live.believes.clone());
        let shows = shows.or_else(|| live.shows.clone());
        match Live::assemble(&self.settings, believes, shows, Some(&live)) {
            Ok(next) => {
                let _before =
                    std::mem::replace(&mut *self.live.write().unwrap_or_else(PoisonError::into_inner), Arc::new(next));
            }
            Err(why) => {
                changes.retain(|change| !change.good);
                changes.push(Change { good: false, what: format!("upstream {}: {why}", self.upstream) });
            }
        }
        changes
    }

    fn look<T>(
        &self,
        watch: &mut Watch,
        found: impl FnOnce(&[&[u8]]) -> Result<Option<T>, String>,
        what: &str,
        changes: &mut Vec<Change>,
    ) -> Option<T> {
        let read = watch.look()?;
        match all_read(watch.paths(), &read).and_then(|held| found(&held)) {
            Ok(new) => {
                watch.used();
                if new.is_some() {
                    changes
                        .push(Change { good: true, what: format!("upstream {}: {what} was read anew", self.upstream) });
                }
                new
            }
            Err(why) => {
                if watch.refused(&read) {
                    let what = format!("upstream {}: {why}; what it held before is still used", self.upstream);
                    changes.push(Change { good: false, what });
                }
                None
            }
        }
    }

    fn live(&self) -> Arc<Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Live {
    fn assemble(
        tls: &UpstreamTls,
        believes: Believes,
        shows: Option<Shows>,
        before: Option<&Live>,
    ) -> Result<Live, String> {
        let provider = provider_with(&tls.suites)?;
        let versions = versions(tls.min_version, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(believes.verifier.clone());
        let mut config = match &shows {
            Some(shows) => builder.with_client_cert_resolver(shows.resolver.clone()),
            None => builder.with_no_client_auth(),
        };
        let same = |before: &&Live| {
            let pair = |shows: &Option<Shows>| shows.as_ref().map(|shows| Arc::as_ptr(&shows.pair));
            before.believes.whom == believes.whom
                && pair(&before.shows) == pair(&shows)
                && before.server_name == tls.server_name
        };
        let sessions = tls.resumption.then(|| {
            let kept = before.filter(same).and_then(|before| before.sessions.clone());
            kept.unwrap_or_else(|| Arc::new(ClientSessionMemoryCache::new(SESSIONS_MAX)))
        });
        if shows.is_none()
            && let Some(before) = before.filter(same)
        {
            // The one that shows nothing is compared as well.
            config.client_auth_cert_resolver = before.config.client_auth_cert_resolver.clone();
        }
        config.resumption = match &sessions {
            Some(sessions) => Resumption::store(sessions.clone()),
            None => Resumption::disabled(),
        };
        config.alpn_protocols = tls.alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        config.enable_early_data = false;
        // Records are sealed and opened by `protocols::tls` once the handshake is done.
        config.enable_secret_extraction = true;
        Ok(Live { config: Arc::new(config), believes, shows, sessions, server_name: tls.server_name.clone() })
    }
}

impl Believes {
    fn of(tls: &UpstreamTls, authorities: Option<&[u8]>, before: Option<&Live>) -> Result<Believes, String> {
        let whom = match authorities {
            _ if !tls.verify => Whom::Anybody,
            Some(file) => Whom::File(fingerprint(file)),
            None => Whom::System,
        };
        if let Some(before) = before.map(|before| &before.believes).filter(|before| before.whom == whom) {
            return Ok(before.clone());
        }
        let verifier: Arc<dyn ServerCertVerifier> = match (whom, authorities) {
            (Whom::Anybody, _) => Arc::new(Unverified),
            (_, Some(file)) => {
                let path = tls.ca.as_ref().map_or(Path::new(""), |ca| &ca.path);
                verifier(Arc::new(revocation::roots(file).map_err(|flaw| sentence(path, &flaw))?))?
            }
            (_, None) => verifier(system_roots().map_err(|flaw| format!("this system {}", flaw.message))?)?,
        };
        Ok(Believes { whom, verifier })
    }
}

fn verifier(roots: Arc<RootCertStore>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    match WebPkiServerVerifier::builder_with_provider(roots, provider().clone()).build() {
        Ok(verifier) => Ok(verifier),
        Err(error) => Err(format!("its authorities can't be used: {error}")),
    }
}

impl Shows {
    fn of(tls: &UpstreamTls, held: [&[u8]; 2], before: Option<&Live>) -> Result<Shows, String> {
        let paths = tls.certificate.as_ref().map(|(cert, key)| (cert.path.clone(), key.path.clone()));
        let (cert, key) = paths.unwrap_or_default();
        let pair = Pair::read(held[0], held[1], &[], cert.clone()).map_err(|(part, flaw)| match part {
            Part::Chain => sentence(&cert, &flaw),
            Part::Key => sentence(&key, &flaw),
        })?;
        let before = before.and_then(|before| before.shows.as_ref());
        if let Some(before) = before.filter(|before| before.pair.is(&pair)) {
            return Ok(before.clone());
        }
        let resolver = Arc::new(SingleCertAndKey::from(rustls::sign::CertifiedKey::clone(&pair.key)));
        Ok(Shows { pair: Arc::new(pair), resolver })
    }
}

/// The same without what the files held: see [`super::server`].
fn without_bytes(tls: &UpstreamTls) -> UpstreamTls {
    let mut settings = tls.clone();
    let certificate = settings.certificate.iter_mut().flat_map(|(cert, key)| [cert, key]);
    certificate.chain(&mut settings.ca).for_each(|file| file.bytes = Vec::new());
    settings
}

/// The name of each endpoint: the one that the file gives, or the endpoint's address.
fn names(upstream: &Upstream, tls: &UpstreamTls) -> Result<AHashMap<EndpointAddress, ServerName<'static>>, String> {
    let given = tls.server_name.as_ref().map(|name| {
        ServerName::try_from(name.clone()).map_err(|_| format!("tls.server_name {name} is no name of a host"))
    });
    let given = given.transpose()?;
    let name = |address: &EndpointAddress| match (&given, address) {
        (Some(name), _) => Ok(name.clone()),
        (None, EndpointAddress::Tcp(at)) => Ok(ServerName::from(at.ip())),
        (None, EndpointAddress::Unix(_)) => Err(format!("the endpoint {address} has no name: give tls.server_name")),
    };
    let addresses = upstream.endpoints.iter().map(|endpoint| &endpoint.address);
    addresses.map(|address| Ok((address.clone(), name(address)?))).collect()
}

#[cfg(test)]
mod tests;
