//! The layer over a stream in memory, with rustls' own connection at the other end.

use super::*;
use crate::secure::{Link, Security};
use ringgate_protocols::tls::{Handshake, NotesName};
use ringgate_rt::buffer::LARGE_BYTES;
use ringgate_rt::memory::{self, End};
use ringgate_rt::was_cancelled;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::server::ResolvesServerCertUsingSni;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};
use std::io::{Read, Write};
use std::sync::Arc;
use std::task::Waker;

/// A secured connection, and the client at its other end.
struct Pair {
    link: Link<End>,
    wire: End,
    client: ClientConnection,
}

fn pair() -> Pair {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["example.com".to_owned()]).expect("a name");
    let cert = params.self_signed(&key).expect("a certificate");
    let signing = aws_lc_rs::sign::any_supported_type(&PrivateKeyDer::try_from(key.serialize_der()).expect("a key"));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut resolver = ResolvesServerCertUsingSni::new();
    let certified = CertifiedKey::new(vec![cert.der().clone()], signing.expect("a key"));
    resolver.add("example.com", certified).expect("the name is in it");
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let mut server =
        builder.expect("versions").with_no_client_auth().with_cert_resolver(Arc::new(NotesName(Arc::new(resolver))));
    server.enable_secret_extraction = true;
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).expect("a root");
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.expect("versions").with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("example.com").expect("a name");
    let mut client = ClientConnection::new(Arc::new(config), name).expect("fits");
    client.set_buffer_limit(None);

    let mut handshake = Handshake::server(Arc::new(server)).expect("fits");
    let (mut waiting, mut out) = (Vec::new(), Vec::new());
    loop {
        while client.wants_write() {
            client.write_tls(&mut waiting).expect("memory");
        }
        let step = handshake.step(&mut waiting, &mut out).expect("a handshake");
        waiting.drain(..step.consumed);
        if step.done {
            break;
        }
        client.read_tls(&mut &out[..]).expect("memory");
        client.process_new_packets().expect("a handshake");
        out.clear();
    }
    let (session, _) = handshake.finish().expect("it is over");
    let (near, far) = memory::pair();
    let mut link = Link::clear(near);
    link.secure(TlsLayer::new(session, Rc::new(Security::default()), None, out));
    Pair { link, wire: far, client }
}

impl Pair {
    /// What the client seals.
    fn sealed(&mut self, data: &[u8]) -> Vec<u8> {
        self.client.writer().write_all(data).expect("memory");
        let mut out = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut out).expect("memory");
        }
        out
    }

    /// What the client reads of what has been sent.
    fn client_reads(&mut self) -> Result<Vec<u8>, rustls::Error> {
        let (mut sealed, mut read) = (Vec::new(), Vec::new());
        self.wire.take(|piece| sealed.extend_from_slice(piece));
        let mut rest = &sealed[..];
        while !rest.is_empty() {
            self.client.read_tls(&mut rest).expect("room");
            self.client.process_new_packets()?;
            let mut piece = [0; 20_000];
            while let Ok(n) = self.client.reader().read(&mut piece)
                && n > 0
            {
                read.extend_from_slice(&piece[..n]);
            }
        }
        Ok(read)
    }

    fn receive(&mut self, buf: Buf) -> Poll<(io::Result<usize>, Buf)> {
        if !self.link.recv_pending() {
            self.link.start_recv(buf);
        }
        self.link.poll_recv(&mut Context::from_waker(Waker::noop()))
    }

    /// Sends the buffer whole; the client takes what the stream holds in between.
    fn send(&mut self, buf: Buf) -> Vec<u8> {
        self.link.start_send(buf);
        let mut read = Vec::new();
        while self.link.poll_send(&mut Context::from_waker(Waker::noop())).is_pending() {
            read.extend(self.client_reads().expect("records"));
        }
        read.extend(self.client_reads().expect("records"));
        read
    }
}

fn buf_of(data: &[u8]) -> Buf {
    let mut buf = Buf::with_room_for(data.len());
    assert_eq!(buf.append(data), data.len());
    buf
}

fn numbers(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 % 251) as u8).collect()
}

#[test]
fn a_small_answer_leaves_as_one_record_and_the_end_of_the_handshake_before_it() {
    let mut pair = pair();
    assert_eq!(pair.send(buf_of(b"hello")), b"hello");
    let (before, mut bytes) = (pair.link.unconfirmed(), 0);
    pair.link.start_send(buf_of(b"again"));
    let _ = pair.link.poll_send(&mut Context::from_waker(Waker::noop()));
    pair.wire.take(|piece| bytes += piece.len());
    assert_eq!((before, bytes), (0, 5 + 5 + 17), "a header, the payload, its type and its tag");
}

#[test]
fn whatever_is_sent_arrives_in_records_that_grow() {
    let mut pair = pair();
    for len in [1, FIRST_RECORD_BYTES, FIRST_RECORD_BYTES + 1, 16_384, 20_000, 100_000, LARGE_BYTES - 1100] {
        let data = numbers(len);
        assert!(pair.send(buf_of(&data)) == data, "{len} bytes");
    }
}

#[test]
fn a_transfer_begins_with_small_records() {
    let mut pair = pair();
    pair.link.start_send(buf_of(&numbers(60_000)));
    let _ = pair.link.poll_send(&mut Context::from_waker(Waker::noop()));
    let mut sealed = Vec::new();
    pair.wire.take(|piece| sealed.extend_from_slice(piece));
    let mut sizes = Vec::new();
    let mut rest = &sealed[..];
    while let [_, _, _, a, b, behind @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*a, *b]));
        sizes.push(len);
        rest = &behind[len..];
    }
    // The tickets come first.
    let data: Vec<usize> = sizes.into_iter().skip_while(|size| *size < 1000).collect();
    assert_eq!(data[..5], [4096 + 17, 4096 + 17, 4096 + 17, 4096 + 17, 16_384 + 17]);
}

#[test]
fn a_record_is_received_where_it_is_asked_for() {
    let mut pair = pair();
    let sealed = pair.sealed(b"GET / HTTP/1.1\r\n\r\n");
    pair.wire.put(&sealed);
    let Poll::Ready((Ok(18), buf)) = pair.receive(Buf::standard()) else { panic!("a request") };
    assert_eq!(buf.data(), b"GET / HTTP/1.1\r\n\r\n");
    assert!(pair.receive(Buf::standard()).is_pending());
}

#[test]
fn bytes_that_come_one_by_one_are_received() {
    let mut pair = pair();
    let data = numbers(40_000);
    let sealed = pair.sealed(&data);
    let mut read = Vec::new();
    for byte in sealed {
        pair.wire.put(&[byte]);
        if let Poll::Ready((result, buf)) = pair.receive(Buf::standard()) {
            assert_eq!(result.expect("bytes"), buf.len());
            read.extend_from_slice(buf.data());
        }
    }
    assert!(read == data);
}

#[test]
fn a_record_that_has_no_room_is_received_in_parts() {
    let mut pair = pair();
    let data = numbers(16_000);
    for cut in [3, 900, 5000, usize::MAX] {
        let sealed = pair.sealed(&data);
        let mut read = Vec::new();
        for piece in sealed.chunks(cut) {
            pair.wire.put(piece);
            // As a head that is not whole yet: little room behind it.
            let mut buf = buf_of(&numbers(17_500));
            assert!(buf.room() < 2000);
            while let Poll::Ready((result, received)) = pair.receive(buf) {
                assert_eq!(result.expect("bytes"), received.len() - 17_500);
                read.extend_from_slice(&received.data()[17_500..]);
                buf = received;
                buf.truncate(17_500);
            }
        }
        assert!(read == data, "in pieces of {cut}");
        pair.link.cancel_recv();
        let Poll::Ready((Err(error), buf)) = pair.receive(Buf::standard()) else { panic!("cancelled") };
        assert!(was_cancelled(&error) && buf.len() == 17_500);
    }
}

#[test]
fn a_cancelled_receive_keeps_what_came_of_a_record() {
    let mut pair = pair();
    let sealed = pair.sealed(b"one record");
    pair.wire.put(&sealed[..7]);
    assert!(pair.receive(Buf::standard()).is_pending());
    pair.link.cancel_recv();
    let Poll::Ready((Err(error), buf)) = pair.receive(Buf::standard()) else { panic!("cancelled") };
    assert!(was_cancelled(&error) && buf.is_empty());
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(pair.link.poll_readable(cx).is_pending());
    pair.wire.put(&sealed[7..]);
    let Poll::Ready((Ok(10), buf)) = pair.receive(Buf::standard()) else { panic!("a record") };
    assert_eq!(buf.data(), b"one record");
}

#[test]
fn an_end_without_notice_is_an_error_and_one_with_it_is_none() {
    let mut cut = pair();
    cut.wire.shutdown_write();
    let Poll::Ready((Err(error), _)) = cut.receive(Buf::standard()) else { panic!("cut off") };
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    let mut ended = pair();
    let mut sealed = ended.sealed(b"last");
    ended.client.send_close_notify();
    sealed.extend(ended.sealed(b""));
    ended.wire.put(&sealed);
    assert!(matches!(ended.receive(Buf::standard()), Poll::Ready((Ok(4), _))));
    assert!(ended.link.poll_readable(&mut Context::from_waker(Waker::noop())).is_ready());
    assert!(matches!(ended.receive(Buf::standard()), Poll::Ready((Ok(0), _))));
    assert_eq!(ended.send(buf_of(b"half closed")), b"half closed");
}

#[test]
fn the_last_answer_takes_the_end_with_it() {
    for len in [10, 30_000] {
        let mut pair = pair();
        pair.link.hold_for_end();
        let data = numbers(len);
        assert!(pair.send(buf_of(&data)) == data);
        assert!(matches!(pair.client.reader().read(&mut [0]), Ok(0)), "{len} bytes and the end");
    }
}

#[test]
fn the_end_has_room_behind_an_answer_that_fills_its_buffer() {
    for left in [0, 1, END_BYTES - 1, END_BYTES] {
        let mut pair = pair();
        // The end of the handshake is out of the way, so that the next record is sealed where it stands.
        assert_eq!(pair.send(buf_of(b"first")), b"first");
        let mut buf = Buf::standard();
        buf.append(&numbers(buf.room() - left));
        buf.advance(buf.len() - 1000);
        let last = buf.data().to_vec();
        pair.link.hold_for_end();
        assert!(pair.send(buf) == last);
        assert!(matches!(pair.client.reader().read(&mut [0]), Ok(0)), "with room for {left} more");
    }
}

#[test]
fn a_connection_that_is_dropped_says_so() {
    let mut pair = pair();
    drop(std::mem::replace(&mut pair.link, Link::clear(memory::pair().0)));
    assert_eq!(pair.client_reads(), Ok(Vec::new()));
    assert!(matches!(pair.client.reader().read(&mut [0]), Ok(0)));
}

#[test]
fn a_forged_record_ends_the_connection_and_the_client_is_told() {
    let mut pair = pair();
    let mut sealed = pair.sealed(b"data");
    sealed[8] ^= 1;
    pair.wire.put(&sealed);
    let Poll::Ready((Err(error), _)) = pair.receive(Buf::standard()) else { panic!("forged") };
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let told = rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac);
    assert_eq!(pair.client_reads(), Err(told));
    assert!(matches!(pair.receive(Buf::standard()), Poll::Ready((Err(_), _))), "it stays so");
}
