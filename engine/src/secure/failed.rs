//! Why a connection could not be secured.

use ringgate_protocols::proxyproto;
use ringgate_protocols::tls::HandshakeError;
use rustls::{AlertDescription, Error};
use std::fmt;
use std::io;

/// Why a connection is not there before its first request.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Its stream failed, or ended.
    Io(io::Error),
    /// The handshake failed.
    Tls(HandshakeError),
    /// The client speaks HTTP where TLS is spoken.
    Http,
    /// It took too long.
    TimedOut,
    /// Too many others came after it.
    Crowded,
    /// The process stops.
    Stopped,
    /// There is a PROXY protocol header where none is read: the sender is not among those in `from`, or it is the second.
    UnreadProxy,
    /// There is no PROXY protocol header where there must be one.
    Proxy(proxyproto::Flaw),
    /// A session was to go on whose client's certificate has expired since, or can't be read.
    ClientCertificate,
    /// The server name that the client asks for is passed on nowhere.
    NoPassthrough,
}

impl Failed {
    /// The word for it in metrics: one of the series' `HANDSHAKE_FAILURES`.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Failed::Io(_) | Failed::Tls(HandshakeError::Closed) => "peer_left",
            Failed::Http => "plain_http",
            Failed::TimedOut => "timeout",
            Failed::Crowded => "crowded",
            Failed::Stopped => "stopping",
            Failed::Proxy(_) | Failed::UnreadProxy => "proxy_header",
            Failed::NoPassthrough => "no_passthrough",
            Failed::ClientCertificate => "client_certificate_invalid",
            Failed::Tls(HandshakeError::NotTls) => "no_tls",
            Failed::Tls(HandshakeError::Tls(error)) => match error {
                Error::NoCertificatesPresented => "client_certificate_missing",
                Error::InvalidCertificate(_) | Error::InvalidCertRevocationList(_) => "client_certificate_invalid",
                Error::PeerIncompatible(_) | Error::NoApplicationProtocol => "nothing_in_common",
                error if has_no_certificate(error) => "nothing_in_common",
                Error::AlertReceived(_) => "alert",
                _ => "other",
            },
        }
    }
}

/// Whether the resolver gave no certificate, which only `strict_sni` lets it do. rustls has no variant for that.
fn has_no_certificate(error: &Error) -> bool {
    matches!(error, Error::General(why) if why == "no server certificate chain resolved")
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => f.write_str("the peer left"),
            Failed::Io(error) => write!(f, "{error}"),
            Failed::Tls(HandshakeError::Tls(Error::AlertReceived(alert))) => {
                write!(f, "the peer gave up with the alert {alert:?}")?;
                // What is most often behind it.
                f.write_str(match alert {
                    AlertDescription::UnknownCA | AlertDescription::BadCertificate => {
                        ": it does not trust the certificate that it was shown"
                    }
                    AlertDescription::CertificateExpired => ": the certificate that it was shown has expired",
                    AlertDescription::ProtocolVersion => ": it wants another version of TLS",
                    _ => "",
                })
            }
            Failed::Tls(HandshakeError::Tls(error)) if has_no_certificate(error) => {
                f.write_str("no certificate is for the name that the client asks for (strict_sni)")
            }
            Failed::Tls(error) => write!(f, "{error}"),
            Failed::Http => f.write_str("the client spoke HTTP without TLS"),
            Failed::UnreadProxy => {
                f.write_str("a PROXY protocol header, which is not read here from this sender (proxy_protocol.from)")
            }
            Failed::TimedOut => f.write_str("it was not over in time"),
            Failed::Crowded => f.write_str("too many others began after it"),
            Failed::Stopped => f.write_str("the process stops"),
            Failed::Proxy(flaw) => write!(f, "the PROXY protocol's header: {flaw}"),
            Failed::ClientCertificate => f.write_str("the client's certificate has expired, or can't be read"),
            Failed::NoPassthrough => f.write_str("no passthrough is for the server name that the client asks for"),
        }
    }
}
