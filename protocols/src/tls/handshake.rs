//! The handshake, by rustls. Records are given to it one by one, so that it never sees one that comes after the handshake:
//! those are the [`Session`]'s.

use super::failure::Failure;
use super::record;
use super::session::Session;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert, UnbufferedServerConnection};
use rustls::sign::CertifiedKey;
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use rustls::{ClientConfig, CommonState, Error, HandshakeKind, PeerIncompatible, ProtocolVersion, ServerConfig};
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

thread_local! {
    /// The server name of the ClientHello that is being dealt with on this thread.
    static NOTED: Cell<Option<String>> = const { Cell::new(None) };
}

/// A resolver of certificates that also notes which name was asked for: a connection without buffers does not tell.
#[derive(Debug)]
pub struct NotesName<R>(pub Arc<R>);

impl<R: ResolvesServerCert> ResolvesServerCert for NotesName<R> {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        NOTED.set(hello.server_name().map(str::to_ascii_lowercase));
        self.0.resolve(hello)
    }
}

/// Bytes of a peer's handshake that may wait to be understood at most: a chain of certificates is the most that there is.
pub const WAITING_MAX: usize = 1 << 17;

/// A handshake that goes on. In a box of its own: it is large, and gone soon.
pub struct Handshake {
    side: Side,
    /// Bytes of whole records that rustls has been given and not done with: a message is spread over several. It counts
    /// on them being there in every call, and panics if they are not.
    given: usize,
}

enum Side {
    /// With a client, and the name that it asks for.
    Server(Box<UnbufferedServerConnection>, Option<String>),
    /// With a service.
    Client(Box<UnbufferedClientConnection>),
}

/// What a step has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Bytes, from the front, that have been dealt with.
    pub consumed: usize,
    /// The handshake is over.
    pub done: bool,
}

/// Why a handshake failed.
#[derive(Debug)]
pub enum HandshakeError {
    /// The peer has spoken something that is no TLS.
    NotTls,
    /// As rustls tells it.
    Tls(Error),
    /// The peer ended it.
    Closed,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandshakeError::NotTls => f.write_str("the peer does not speak TLS"),
            HandshakeError::Tls(error) => write!(f, "{error}"),
            HandshakeError::Closed => f.write_str("the peer closed the connection"),
        }
    }
}

impl std::error::Error for HandshakeError {}

/// What a handshake has agreed on.
#[derive(Debug)]
pub struct Agreed {
    /// The name that the client asked for, in lower case.
    pub server_name: Option<String>,
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The name of the cipher suite, as IANA has it.
    pub suite: &'static str,
    /// The protocol on top.
    pub alpn: Option<Vec<u8>>,
    /// An earlier session went on.
    pub resumed: bool,
    /// The certificate that the peer has shown, without its chain.
    pub peer: Option<CertificateDer<'static>>,
}

impl Handshake {
    /// With a client.
    ///
    /// # Errors
    /// A configuration that can't be used.
    pub fn server(config: Arc<ServerConfig>) -> Result<Handshake, HandshakeError> {
        let connection = UnbufferedServerConnection::new(config).map_err(HandshakeError::Tls)?;
        Ok(Handshake { side: Side::Server(Box::new(connection), None), given: 0 })
    }

    /// With a service that must have this name.
    ///
    /// # Errors
    /// A configuration that can't be used.
    pub fn client(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Handshake, HandshakeError> {
        let connection = UnbufferedClientConnection::new(config, name).map_err(HandshakeError::Tls)?;
        Ok(Handshake { side: Side::Client(Box::new(connection)), given: 0 })
    }

    /// Whether it has something to say before the peer has: a client's begins so.
    pub fn speaks_first(&self) -> bool {
        matches!(self.side, Side::Client(_))
    }

    /// Goes as far as `incoming` leads, and appends to `out` what is to be sent. The bytes that have been consumed must be
    /// gone from the front before the next step; the others must be there again. At the end, what is not consumed is the
    /// session's.
    ///
    /// # Errors
    /// Why there is no connection; `out` then holds what the peer is to be told.
    pub fn step(&mut self, incoming: &mut [u8], out: &mut Vec<u8>) -> Result<Step, HandshakeError> {
        let mut consumed = 0;
        loop {
            let at = (consumed + self.given).min(incoming.len());
            let asked = match self.feed(&mut incoming[consumed..at], out) {
                Ok(asked) => asked,
                Err(error) => {
                    let wants_another = is_old(&incoming[consumed..at], &error);
                    self.tell(out);
                    if let Some(alert) = out.last_mut().filter(|_| wants_another) {
                        *alert = PROTOCOL_VERSION;
                    }
                    return Err(HandshakeError::Tls(error));
                }
            };
            consumed += asked.discard;
            self.given = self.given.saturating_sub(asked.discard);
            match asked.state {
                State::Done => return Ok(Step { consumed, done: true }),
                State::Closed => return Err(HandshakeError::Closed),
                State::Again => {}
                State::Blocked => match record::whole(incoming.get(consumed + self.given..).unwrap_or_default()) {
                    Ok(Some(len)) => self.given += len,
                    Ok(None) if incoming.len() - consumed > WAITING_MAX => return Err(HandshakeError::NotTls),
                    Ok(None) => return Ok(Step { consumed, done: false }),
                    Err(Failure::NotTls) => return Err(HandshakeError::NotTls),
                    Err(_) => {
                        out.extend_from_slice(&[21, 3, 3, 0, 2, 2, 22]);
                        return Err(HandshakeError::NotTls);
                    }
                },
            }
        }
    }

    fn feed(&mut self, incoming: &mut [u8], out: &mut Vec<u8>) -> Result<Asked, Error> {
        match &mut self.side {
            Side::Server(connection, name) => {
                let status = connection.process_tls_records(incoming);
                if let Some(noted) = NOTED.take() {
                    *name = Some(noted);
                }
                let asked = understand(status, out)?;
                Ok(asked.over(connection.is_handshaking()))
            }
            Side::Client(connection) => {
                let asked = understand(connection.process_tls_records(incoming), out)?;
                Ok(asked.over(connection.is_handshaking()))
            }
        }
    }

    /// Appends the alert that an error has left. rustls may be asked for that alone: it must not look at the bytes again.
    fn tell(&mut self, out: &mut Vec<u8>) {
        while self.wants_write() && self.feed(&mut [], out).is_ok() {}
    }

    fn wants_write(&self) -> bool {
        match &self.side {
            Side::Server(connection, _) => connection.wants_write(),
            Side::Client(connection) => connection.wants_write(),
        }
    }

    /// The connection, when its handshake is over.
    ///
    /// # Errors
    /// A handshake that is not over, a cipher that is not known here.
    pub fn finish(self) -> Result<(Session, Agreed), HandshakeError> {
        let internal = |_: Failure| HandshakeError::Tls(Error::General("no record layer for this cipher".into()));
        match self.side {
            Side::Server(connection, name) => {
                let agreed = agreed(&connection, name);
                let kernel = connection.dangerous_into_kernel_connection().map_err(HandshakeError::Tls)?;
                Ok((Session::server(kernel).map_err(internal)?, agreed))
            }
            Side::Client(connection) => {
                let agreed = agreed(&connection, None);
                let kernel = connection.dangerous_into_kernel_connection().map_err(HandshakeError::Tls)?;
                Ok((Session::client(kernel).map_err(internal)?, agreed))
            }
        }
    }
}

/// Whether a client of a version before TLS 1.2 was refused for what such a client can't say: what it must hear is that
/// its version is not spoken (RFC 5246 appendix E.1).
fn is_old(incoming: &[u8], error: &Error) -> bool {
    let unsaid = Error::PeerIncompatible(PeerIncompatible::SignatureAlgorithmsExtensionRequired);
    // A record's header, a message's header, and the version.
    matches!(incoming, [22, _, _, _, _, 1, _, _, _, 3, minor, ..] if *minor < 3) && *error == unsaid
}

/// The alert for it.
const PROTOCOL_VERSION: u8 = 70;

fn agreed(state: &CommonState, server_name: Option<String>) -> Agreed {
    Agreed {
        server_name,
        version: match state.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "TLSv1.2",
        },
        suite: state.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).map_or("", iana),
        alpn: state.alpn_protocol().map(<[u8]>::to_vec),
        resumed: state.handshake_kind() == Some(HandshakeKind::Resumed),
        peer: state.peer_certificates().and_then(<[_]>::first).cloned(),
    }
}

/// The name of a cipher suite as IANA has it: rustls writes `TLS13_` for those of TLS 1.3.
pub fn iana(name: &'static str) -> &'static str {
    match name {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}

struct Asked {
    discard: usize,
    state: State,
}

enum State {
    /// There is more to be done with what there is.
    Again,
    /// More bytes are needed.
    Blocked,
    Closed,
    Done,
}

impl Asked {
    /// With nothing to be sent and nothing to be waited for, the handshake is over.
    fn over(mut self, handshaking: bool) -> Asked {
        if let State::Blocked = self.state
            && !handshaking
        {
            self.state = State::Done;
        }
        self
    }
}

fn understand<D>(status: UnbufferedStatus<'_, '_, D>, out: &mut Vec<u8>) -> Result<Asked, Error> {
    let state = match status.state? {
        ConnectionState::EncodeTlsData(mut encode) => {
            let at = out.len();
            let needed = match encode.encode(&mut []) {
                Err(EncodeError::InsufficientSize(size)) => size.required_size,
                _ => 0,
            };
            out.resize(at + needed, 0);
            let written = encode.encode(&mut out[at..]).unwrap_or(0);
            out.truncate(at + written);
            State::Again
        }
        ConnectionState::TransmitTlsData(transmit) => {
            transmit.done();
            State::Again
        }
        ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_) => State::Blocked,
        ConnectionState::PeerClosed | ConnectionState::Closed => State::Closed,
        // Neither early data nor data after the handshake is ever given to it.
        _ => return Err(Error::General("data before the end of the handshake".into())),
    };
    Ok(Asked { discard: status.discard, state })
}

#[cfg(test)]
mod tests;
