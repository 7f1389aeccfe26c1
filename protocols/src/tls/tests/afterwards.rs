//! What may be said after the handshake, and what not.

use super::super::record::Content;
use super::*;

/// Both ends are ours: one can say what rustls never would.
fn both_ours(suite: SupportedCipherSuite) -> (Session, Session) {
    let name = ServerName::try_from("example.com").expect("a name");
    let mut client = Handshake::client(client_config(&[suite]), name).expect("fits");
    let mut server = Handshake::server(server_config(&suites(), is_rsa(suite))).expect("fits");
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let (mut at_server, mut at_client) = (false, false);
    while !at_server || !at_client {
        if !at_client {
            let step = client.step(&mut to_client, &mut to_server).expect("a step");
            to_client.drain(..step.consumed);
            at_client = step.done;
        }
        if !at_server {
            let step = server.step(&mut to_server, &mut to_client).expect("a step");
            to_server.drain(..step.consumed);
            at_server = step.done;
        }
    }
    let mut client = client.finish().expect("it is over").0;
    client.open(&mut to_client, 0).expect("tickets at most");
    (server.finish().expect("it is over").0, client)
}

#[test]
fn messages_after_the_handshake_are_refused_by_their_heads() {
    let suite = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let long = [4, 0, 1, 0];
    for (message, by_server, by_client) in [
        // A client that sends a ticket, or promises one: nothing of it is waited for.
        (&long[..], Err(Failure::UnexpectedMessage), Ok(())),
        (&[4, 2, 0, 1], Err(Failure::UnexpectedMessage), Err(Failure::BadMessage)),
        (&[24, 0, 0, 2], Err(Failure::BadMessage), Err(Failure::BadMessage)),
        (&[24, 0, 0, 1, 2], Err(Failure::BadMessage), Err(Failure::BadMessage)),
        (&[24, 0, 0, 1, 0, 24], Err(Failure::UnexpectedMessage), Err(Failure::UnexpectedMessage)),
        // A request for a certificate, a hello: both would be further handshakes.
        (&[13, 0, 0, 1, 0], Err(Failure::UnexpectedMessage), Err(Failure::UnexpectedMessage)),
        (&[1, 0, 0, 1], Err(Failure::UnexpectedMessage), Err(Failure::UnexpectedMessage)),
        (&[24, 0], Ok(()), Ok(())),
    ] {
        let (mut server, mut client) = both_ours(suite);
        let mut out = Vec::new();
        client.append(Content::Handshake, message, &mut out).expect("a key");
        assert_eq!(server.open(&mut out, 0).map(drop), by_server, "{message:?} to a server");
        let (mut server, mut client) = both_ours(suite);
        let mut out = Vec::new();
        server.append(Content::Handshake, message, &mut out).expect("a key");
        assert_eq!(client.open(&mut out, 0).map(drop), by_client, "{message:?} to a client");
    }
}

#[test]
fn a_message_may_come_in_parts_and_nothing_between_them() {
    let suite = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let (mut server, mut client) = both_ours(suite);
    let mut out = Vec::new();
    client.append(Content::Handshake, &[24, 0], &mut out).expect("a key");
    client.append(Content::Handshake, &[0, 1, 1], &mut out).expect("a key");
    assert_eq!(server.open(&mut out, 0).map(|opened| opened.plain.len()), Ok(0));
    assert!(server.is_due(), "an answer was asked for");
    let (mut server, mut client) = both_ours(suite);
    let mut out = Vec::new();
    client.append(Content::Handshake, &[24, 0], &mut out).expect("a key");
    client.append(Content::Data, b"x", &mut out).expect("a key");
    assert_eq!(server.open(&mut out, 0), Err(Failure::UnexpectedMessage));
}

#[test]
fn a_renegotiation_is_refused_in_both_roles() {
    let suite = aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
    for message in [&[0, 0, 0, 0][..], &[1, 0, 0, 2, 3, 3]] {
        let (mut server, mut client) = both_ours(suite);
        let mut out = Vec::new();
        client.append(Content::Handshake, message, &mut out).expect("a key");
        assert_eq!(server.open(&mut out, 0), Err(Failure::UnexpectedMessage));
        out.clear();
        server.append(Content::Handshake, message, &mut out).expect("a key");
        assert_eq!(client.open(&mut out, 0), Err(Failure::UnexpectedMessage));
    }
}

#[test]
fn warnings_are_passed_over_where_there_are_such() {
    for (suite, expected) in [
        (aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, Ok(())),
        (aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256, Err(Failure::Alert(110))),
    ] {
        let (mut server, mut client) = both_ours(suite);
        let mut out = Vec::new();
        client.append(Content::Alert, &[1, 110], &mut out).expect("a key");
        assert_eq!(server.open(&mut out, 0).map(drop), expected);
        out.clear();
        client.append(Content::Alert, &[2, 40], &mut out).expect("a key");
        if expected.is_ok() {
            assert_eq!(server.open(&mut out, 0), Err(Failure::Alert(40)));
        }
    }
}
