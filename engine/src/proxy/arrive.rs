//! What comes before the first request of a connection: the PROXY protocol's header, a look at the server name, the TLS
//! handshake. What is not HTTP goes on from here as plain bytes.

use super::connection::Arrival;
use super::shard::Shard;
use super::tcp;
use crate::model::{ClientCertificate, Secured};
use crate::secure::handshake::{Bounds, shake};
use crate::secure::{Failed, Link, Security, ServerTls};
use ringgate_protocols::proxyproto::{self, Header, Read};
use ringgate_protocols::tls::certificate::Facts;
use ringgate_protocols::tls::hello::{Sniff, Sniffer};
use ringgate_protocols::tls::{Agreed, Handshake, HandshakeError};
use ringgate_rt::clock;
use ringgate_rt::timer::Timer;
use ringgate_rt::{Buf, Network, Transport};
use std::cell::Cell;
use std::rc::Rc;

/// What a client gets that speaks HTTP to a listener for TLS.
const PLAIN_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n\
content-length: 88\r\n\r\n{\"error\":\"plain_http\",\"message\":\"this listener speaks https; the request came without\"}\n";

/// The alert for a certificate that has expired (RFC 8446 section 6.2).
const CERTIFICATE_EXPIRED: u8 = 45;

/// Makes a connection ready for its first request. False if there is none: it failed, or was not HTTP and is over.
pub(super) async fn arrive<N: Network>(
    shard: &Rc<Shard<N>>,
    io: &mut Link<N::Stream>,
    timer: &Timer,
    arrival: &mut Arrival,
) -> bool {
    match secure(shard, io, timer, arrival).await {
        Ok(Arrived::Http) => true,
        Ok(Arrived::Tcp(to, name)) => {
            tcp::forward(shard, io, timer, arrival, &to, name).await;
            false
        }
        Err(failed) => {
            let series = arrival.entrance.series();
            series.handshakes.fail(failed.reason());
            // Balancers connect and leave to see whether somebody is there.
            let idle = matches!(failed.reason(), "peer_left" | "stopping");
            if !idle && let Some(failures) = arrival.entrance.may_tell_failures() {
                let name = arrival.entrance.name();
                let from = arrival.peer.map_or_else(|| "a Unix socket".to_owned(), |peer| peer.to_string());
                shard
                    .mention(format!("listener {name}: {failures} handshakes failed; the last, from {from}: {failed}"));
            }
            false
        }
    }
}

/// How a connection goes on.
enum Arrived {
    Http,
    /// As plain bytes, to a service; the server name that was read.
    Tcp(tcp::To, Option<String>),
}

async fn secure<N: Network>(
    shard: &Rc<Shard<N>>,
    io: &mut Link<N::Stream>,
    timer: &Timer,
    arrival: &mut Arrival,
) -> Result<Arrived, Failed> {
    let plan = arrival.entrance.plan();
    let (patience, places) = {
        let common = shard.common();
        (common.limits.handshake_timeout, common.limits.handshakes)
    };
    timer.set_after(patience);
    let place = shard.gate.enter(places);
    let series = arrival.entrance.series();
    let _active = crate::series::Active::new(&series.handshakes.active);
    let bounds = Bounds {
        timer,
        draining: &shard.draining,
        aborting: &shard.aborting,
        heard: Cell::new(false),
        place: Some(&place),
    };
    let mut came = None;
    if plan.believes(arrival.peer) {
        came = header(io.bare(), &bounds, arrival).await?;
    }
    let mut name = None;
    if !plan.passthrough.is_empty() {
        let (bytes, asked) = look(io.bare(), &bounds, came.take()).await?;
        came = Some(bytes);
        if let Some(to) = plan.passthrough.find(asked.as_deref()) {
            io.put_ahead(came.take().unwrap_or_else(Buf::standard));
            return Ok(Arrived::Tcp(to, asked));
        }
        if plan.tls.is_none() {
            return Err(Failed::NoPassthrough);
        }
    }
    if let Some(tls) = &plan.tls {
        let handshake = Handshake::server(tls.config()).map_err(Failed::Tls)?;
        let shaken = match shake(io.bare(), handshake, came.take(), &shard.gate, &bounds).await {
            Err(Failed::Http) => {
                io.bare().send_now(PLAIN_HTTP);
                return Err(Failed::Http);
            }
            shaken => shaken?,
        };
        let now = shard.wall().unix_micros(clock::now()) / 1_000_000;
        let client = match client_certificate(&shaken.agreed, i64::try_from(now).unwrap_or(i64::MAX)) {
            Ok(client) => client,
            Err(failed) => {
                shaken.refuse(io.bare(), CERTIFICATE_EXPIRED);
                return Err(failed);
            }
        };
        series.handshakes.succeed(shaken.agreed.resumed);
        let security = Rc::new(security(tls, &shaken.agreed, client));
        name.clone_from(&security.info.server_name);
        io.secure(shaken.into_layer(security));
    }
    if let Some(came) = came {
        io.put_ahead(came);
    }
    Ok(match &plan.tcp {
        Some(to) => Arrived::Tcp(to.clone(), name),
        None => Arrived::Http,
    })
}

/// Reads the PROXY protocol's header. Returns what came behind it.
async fn header<T: Transport>(io: &mut T, bounds: &Bounds<'_>, arrival: &mut Arrival) -> Result<Option<Buf>, Failed> {
    let mut came: Option<Buf> = None;
    loop {
        let mut buf = bounds.receive(io, came.take()).await?;
        match proxyproto::read(buf.data()) {
            Read::NeedMore => came = Some(buf),
            Read::Invalid(flaw) => return Err(Failed::Proxy(flaw)),
            Read::Header { header, len } => {
                if let Header::Proxied { source, destination } = header {
                    arrival.peer = Some(source.ip());
                    arrival.told = Some(Box::new((source, destination)));
                }
                buf.advance(len);
                buf.compact();
                return Ok(Some(buf).filter(|buf| !buf.is_empty()));
            }
        }
    }
}

/// Looks for the server name that a client asks for, and keeps what has come.
async fn look<T: Transport>(
    io: &mut T,
    bounds: &Bounds<'_>,
    mut came: Option<Buf>,
) -> Result<(Buf, Option<String>), Failed> {
    let mut sniffer = Sniffer::new();
    loop {
        if let Some(buf) = came.take() {
            match sniffer.sniff(buf.data()) {
                Sniff::Hello(hello) => return Ok((buf, hello.server_name)),
                Sniff::NotTls(_) => return Err(Failed::Tls(HandshakeError::NotTls)),
                Sniff::NeedMore => came = Some(buf),
            }
        }
        came = Some(bounds.receive(io, came.take()).await?);
    }
}

/// What the client's certificate says, if it has shown one. In a whole handshake it was looked at just now; a session that
/// goes on has it from its ticket, and it may have expired since.
fn client_certificate(agreed: &Agreed, now: i64) -> Result<Option<ClientCertificate>, Failed> {
    let Some(der) = &agreed.peer else { return Ok(None) };
    let facts = Facts::read(der).map_err(|_| Failed::ClientCertificate)?;
    if agreed.resumed && facts.not_after < now {
        return Err(Failed::ClientCertificate);
    }
    Ok(Some(ClientCertificate {
        subject: facts.subject,
        sans: facts.sans.join(", "),
        fingerprint: facts.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect(),
    }))
}

fn security(tls: &ServerTls, agreed: &Agreed, client: Option<ClientCertificate>) -> Security {
    let info =
        Secured { server_name: agreed.server_name.clone(), version: agreed.version, suite: agreed.suite, client };
    Security { served: Some(tls.served(info.server_name.as_deref())), info }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(resumed: bool, der: Option<Vec<u8>>) -> Agreed {
        let peer = der.map(Into::into);
        Agreed { server_name: None, version: "TLSv1.3", suite: "", alpn: None, resumed, peer }
    }

    #[test]
    fn a_session_does_not_outlive_the_certificate_of_its_client() {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(vec!["client.example".to_owned()]).expect("a name");
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let der = params.self_signed(&key).expect("a certificate").der().to_vec();
        let (before, after) = (1_893_455_999, 1_893_456_001);
        let shown = |resumed, now| client_certificate(&agreed(resumed, Some(der.clone())), now);
        assert!(
            shown(true, before).is_ok_and(|client| client.is_some_and(|client| client.sans.contains("client.example")))
        );
        assert!(matches!(shown(true, after), Err(Failed::ClientCertificate)));
        assert!(shown(false, after).is_ok(), "the handshake has looked at it");
        assert!(client_certificate(&agreed(true, None), after).is_ok_and(|client| client.is_none()));
        assert!(client_certificate(&agreed(false, Some(vec![1, 2, 3])), before).is_err());
    }
}
