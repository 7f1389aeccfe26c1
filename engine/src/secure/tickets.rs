//! What sessions are resumed with: keys for tickets, the same for all shards, exchanged every six hours; a ticket holds
//! for twelve.
//!
//! A client that resumes is not asked for its certificate again: what it was allowed stands in its ticket. So the keys
//! are thrown away, and with them every ticket, when whom clients are believed by changes.

use ringgate_config::{ClientAuth, ClientAuthMode, ListenerTls, TlsVersion};
use ringgate_protocols::tls::certificate::fingerprint;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::ProducesTickets;
use std::sync::Arc;

/// Tickets for each full or resumed handshake of TLS 1.3. One: a client that comes back gets another one then; a second
/// would cost every handshake its encryption and its bytes, for the few clients that open several connections at once and
/// take no ticket twice.
pub(super) const TICKETS_SENT: usize = 1;

/// What decides who may be a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Admission {
    min_version: TlsVersion,
    /// The mode, and the digests of authorities and revocations.
    clients: Option<(ClientAuthMode, [u8; 32], Option<[u8; 32]>)>,
}

impl Admission {
    /// Of this listener, with the authorities and revocations that hold now.
    pub(super) fn of(tls: &ListenerTls, authorities: &[u8], revocations: Option<&[u8]>) -> Admission {
        let clients = |auth: &ClientAuth| (auth.mode, fingerprint(authorities), revocations.map(fingerprint));
        Admission { min_version: tls.min_version, clients: tls.client_auth.as_ref().map(clients) }
    }
}

/// The keys of a listener.
#[derive(Clone)]
pub(super) struct Tickets {
    admission: Admission,
    pub(super) keys: Arc<dyn ProducesTickets>,
}

impl Tickets {
    /// Those of `before` if they are for the same admission, else fresh ones.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn renew(before: Option<&Tickets>, admission: Admission) -> Result<Tickets, String> {
        if let Some(before) = before.filter(|before| before.admission == admission) {
            return Ok(before.clone());
        }
        let keys = Ticketer::new().map_err(|error| format!("no keys for tickets: {error}"))?;
        Ok(Tickets { admission, keys })
    }
}
