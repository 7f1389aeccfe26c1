//! Handshakes that are damaged anywhere, and come in any records and pieces: an error or a success, never a panic.

use crate::support::Authority;
use crate::support::tls::{self, Version};
use proptest::prelude::*;
use ringgate_protocols::tls::{Handshake, HandshakeError};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};
use std::sync::{Arc, LazyLock};

/// What is done to the bytes of the peer.
#[derive(Clone, Debug)]
struct Damage {
    /// The flight that it is done to, the place in it, and the bits that change; nothing for 0.
    flight: usize,
    at: prop::sample::Index,
    bits: u8,
    /// Bytes of a message in each record; 0: as they come.
    spread: usize,
    /// Bytes that come at once.
    piece: usize,
}

fn damage() -> impl Strategy<Value = Damage> {
    (0..3usize, any::<prop::sample::Index>(), any::<u8>(), prop_oneof![Just(0), 1..300usize], 1..2000usize)
        .prop_map(|(flight, at, bits, spread, piece)| Damage { flight, at, bits, spread, piece })
}

impl Damage {
    fn done_to(&self, flight: usize, bytes: Vec<u8>) -> Vec<u8> {
        let mut bytes = if self.spread > 0 { spread(&bytes, self.spread) } else { bytes };
        if flight == self.flight && !bytes.is_empty() {
            let at = self.at.index(bytes.len());
            bytes[at] ^= self.bits;
        }
        bytes
    }
}

/// The same records; those of handshakes in clear text are spread over more.
fn spread(mut bytes: &[u8], piece: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut clear = true;
    while let Some(header) = bytes.first_chunk::<5>() {
        let len = 5 + usize::from(u16::from_be_bytes([header[3], header[4]]));
        let (record, rest) = bytes.split_at(len.min(bytes.len()));
        // Behind a change of ciphers they are sealed.
        clear &= header[0] != 20;
        if header[0] == 22 && clear {
            for part in record[5..].chunks(piece) {
                out.extend_from_slice(&header[..3]);
                out.extend((part.len() as u16).to_be_bytes());
                out.extend_from_slice(part);
            }
        } else {
            out.extend_from_slice(record);
        }
        bytes = rest;
    }
    out
}

/// Shakes hands until the end, an error of either side, or silence.
fn shake(mut ours: Handshake, mut peer: Connection, damage: &Damage) -> Result<bool, HandshakeError> {
    let (mut waiting, mut out) = (Vec::new(), Vec::new());
    ours.step(&mut waiting, &mut out)?;
    for flight in 0.. {
        let mut incoming = &out[..];
        while !incoming.is_empty() {
            if peer.read_tls(&mut incoming).is_err() || peer.process_new_packets().is_err() {
                break;
            }
        }
        out.clear();
        let mut sent = Vec::new();
        while peer.wants_write() {
            peer.write_tls(&mut sent).expect("memory");
        }
        if sent.is_empty() {
            return Ok(false);
        }
        for piece in damage.done_to(flight, sent).chunks(damage.piece) {
            waiting.extend_from_slice(piece);
            let step = ours.step(&mut waiting, &mut out)?;
            waiting.drain(..step.consumed);
            if step.done {
                return ours.finish().map(|_| true);
            }
        }
    }
    Ok(false)
}

struct Configs {
    ours: (Arc<ServerConfig>, Arc<ClientConfig>),
    peers: [(Arc<ServerConfig>, Arc<ClientConfig>); 2],
}

/// Both sides show certificates, so that flights are long.
static CONFIGS: LazyLock<Configs> = LazyLock::new(|| {
    let authority = Authority::new("of damaged handshakes");
    let issued = authority.issue(&["localhost"]);
    let of = |version| {
        let mut server = tls::server_config_with(&issued, version, Some(&authority));
        server.enable_secret_extraction = true;
        (Arc::new(server), Arc::new(tls::client_config_with(&authority, version, Some(&issued))))
    };
    Configs { ours: of(Version::Any), peers: [of(Version::Tls12), of(Version::Tls13)] }
});

fn run(server: bool, version: usize, damage: &Damage) -> Result<bool, HandshakeError> {
    let name = ServerName::try_from("localhost").expect("a name");
    let (peers_server, peers_client) = &CONFIGS.peers[version];
    let (ours, peer) = if server {
        let peer = ClientConnection::new(peers_client.clone(), name).expect("fits");
        (Handshake::server(CONFIGS.ours.0.clone())?, Connection::Client(peer))
    } else {
        let peer = ServerConnection::new(peers_server.clone()).expect("fits");
        (Handshake::client(CONFIGS.ours.1.clone(), name)?, Connection::Server(peer))
    };
    shake(ours, peer, damage)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_handshake_is_an_error(damage in damage(), server: bool, version in 0..2usize) {
        let _ = run(server, version, &damage);
    }

    #[test]
    fn a_handshake_may_come_in_any_records_and_pieces(damage in damage(), server: bool, version in 0..2usize) {
        let whole = Damage { bits: 0, ..damage };
        prop_assert!(matches!(run(server, version, &whole), Ok(true)), "{:?}", run(server, version, &whole));
    }
}
