//! A client that seals any records it likes once the handshake is over, with rustls' own ciphers: what no honest peer sends.

use crate::support::STUCK;
use crate::support::tls::{TlsSocket, connect};
use rustls::crypto::cipher::{
    InboundOpaqueMessage, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundPlainMessage,
};
use rustls::{ClientConfig, Connection, ConnectionTrafficSecrets, ContentType, ProtocolVersion, SupportedCipherSuite};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

pub(crate) const KEY_UPDATE: &[u8] = &[24, 0, 0, 1, 0];
pub(crate) const KEY_UPDATE_ASKED: &[u8] = &[24, 0, 0, 1, 1];
pub(crate) const CLOSE_NOTIFY: &[u8] = &[1, 0];

/// A connection on TLS 1.3 whose records are made by hand.
pub(crate) struct Sealer {
    pub(crate) tcp: TcpStream,
    seal: Box<dyn MessageEncrypter>,
    open: Box<dyn MessageDecrypter>,
    sealed: u64,
    opened: u64,
    pending: Vec<u8>,
}

/// A record that has come, opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: ContentType,
    pub(crate) payload: Vec<u8>,
}

impl Sealer {
    /// Shakes hands on TLS 1.3; the server must send no tickets, or they would be read by nobody.
    #[track_caller]
    pub(crate) fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> Sealer {
        let mut socket = connect(address, config, "localhost");
        socket.shake().expect("a handshake");
        let TlsSocket { tls, tcp, .. } = socket;
        let Some(SupportedCipherSuite::Tls13(suite)) = tls.negotiated_cipher_suite() else { panic!("not TLS 1.3") };
        let Connection::Client(client) = tls else { panic!("a client") };
        let secrets = client.dangerous_extract_secrets().expect("secrets");
        let of = |secrets: ConnectionTrafficSecrets| match secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv }
            | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
            | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (key, iv),
            _ => panic!("a cipher that is not known"),
        };
        let ((send, send_iv), (receive, receive_iv)) = (of(secrets.tx.1), of(secrets.rx.1));
        Sealer {
            tcp,
            seal: suite.aead_alg.encrypter(send, send_iv),
            open: suite.aead_alg.decrypter(receive, receive_iv),
            sealed: secrets.tx.0,
            opened: secrets.rx.0,
            pending: Vec::new(),
        }
    }

    /// Seals a record of this kind, and does not send it.
    pub(crate) fn seal(&mut self, kind: ContentType, payload: &[u8]) -> Vec<u8> {
        let version = ProtocolVersion::TLSv1_3;
        let plain = OutboundPlainMessage { typ: kind, version, payload: OutboundChunks::Single(payload) };
        let sealed = self.seal.encrypt(plain, self.sealed).expect("a record");
        self.sealed += 1;
        sealed.encode()
    }

    pub(crate) fn data(&mut self, payload: &[u8]) -> Vec<u8> {
        self.seal(ContentType::ApplicationData, payload)
    }

    /// The gateway may have gone.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.tcp.write_all(bytes).is_ok()
    }

    /// The next record; none at the end of the stream.
    pub(crate) fn record(&mut self) -> io::Result<Option<Record>> {
        self.tcp.set_read_timeout(Some(STUCK))?;
        loop {
            if let Some(header) = self.pending.first_chunk::<5>() {
                let len = 5 + usize::from(u16::from_be_bytes([header[3], header[4]]));
                if self.pending.len() >= len {
                    let mut record: Vec<u8> = self.pending.drain(..len).collect();
                    let kind = ContentType::from(record[0]);
                    let sealed = InboundOpaqueMessage::new(kind, ProtocolVersion::TLSv1_2, &mut record[5..]);
                    let plain = self.open.decrypt(sealed, self.opened).map_err(io::Error::other)?;
                    self.opened += 1;
                    return Ok(Some(Record { kind: plain.typ, payload: plain.payload.to_vec() }));
                }
            }
            let mut room = [0; 32 * 1024];
            let n = self.tcp.read(&mut room)?;
            if n == 0 {
                return Ok(None);
            }
            self.pending.extend_from_slice(&room[..n]);
        }
    }

    /// The alert that the gateway ends the connection with, whatever comes before it.
    #[track_caller]
    pub(crate) fn alert(&mut self) -> u8 {
        loop {
            match self.record() {
                Ok(Some(Record { kind: ContentType::Alert, payload })) => return payload[1],
                Ok(Some(_)) => {}
                other => panic!("no alert: {other:?}"),
            }
        }
    }

    /// The bytes of the application, until there are so many that they end with this.
    #[track_caller]
    pub(crate) fn until(&mut self, end: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        while !all.ends_with(end) {
            match self.record() {
                Ok(Some(Record { kind: ContentType::ApplicationData, payload })) => all.extend(payload),
                Ok(Some(Record { kind: ContentType::Handshake, .. })) => {}
                other => panic!("{other:?} behind {:?}", String::from_utf8_lossy(&all)),
            }
        }
        all
    }
}
