//! What can go wrong with an exchange: who is to blame, what the client gets, what the access log says.

use ringgate_protocols::h1::{BodyError, HeadError};

/// Why an exchange did not go as it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    // The client's.
    /// The request's head breaks the rules or a limit.
    Head(HeadError),
    /// The request's body breaks the rules.
    Body(BodyError),
    /// The path means different routes as it stands and decoded.
    AmbiguousPath,
    NoRoute,
    /// Routes would match with one of these methods.
    Method,
    /// The head did not come in time.
    HeaderTimeout,
    /// The body came slower than `min_rate`.
    SlowBody,
    BodyTooLarge,
    TooManyHops,
    /// What the request gives for a template can't stand where the template has it.
    BadReference,
    /// A redirect keeps the request's host, and it names none.
    NoHost,
    /// The connection's certificate and server name are for other hosts.
    Misdirected,
    /// The client took the answer slower than `min_rate`.
    SlowReader,
    /// The client reset its connection, or sending to it failed, or it left in the middle of its request.
    ClientGone,
    // The service's.
    /// Connecting to the service failed.
    Connect,
    ConnectTimeout,
    /// The service's connection could not be secured.
    UpstreamTls,
    /// The service closed or reset its connection before its answer was whole.
    UpstreamClosed,
    /// The service's answer breaks the rules or a limit.
    UpstreamAnswer,
    /// No answer in time.
    UpstreamTimeout,
    /// An operator has taken every endpoint of the service out.
    NoEndpoint,
    // Ours.
    /// Asked for its readiness, the gateway says that it is about to stop.
    NotReady,
    /// The tunnel's route was removed, and the time that it still had is over.
    RouteRemoved,
    /// The process is stopping and the deadline has passed.
    Stopped,
    /// A defect of ours.
    Internal,
}

impl Fault {
    /// The status that the client gets; none if there is nobody to answer, or no way to.
    pub(crate) fn status(self) -> Option<u16> {
        use Fault::*;
        Some(match self {
            Head(error) => error.status(),
            Body(error) => error.status(),
            AmbiguousPath | BadReference | NoHost => 400,
            NoRoute => 404,
            Method => 405,
            HeaderTimeout | SlowBody => 408,
            BodyTooLarge => 413,
            TooManyHops => 508,
            Misdirected => 421,
            Connect | UpstreamTls | UpstreamClosed | UpstreamAnswer => 502,
            ConnectTimeout | UpstreamTimeout => 504,
            Stopped | NoEndpoint | NotReady => 503,
            Internal => 500,
            SlowReader | ClientGone | RouteRemoved => return None,
        })
    }

    /// The word for it in answers and the access log.
    pub(crate) fn code(self) -> &'static str {
        use Fault::*;
        match self {
            Head(error) => match error.status() {
                414 => "target_too_long",
                431 => "head_too_large",
                417 => "expectation_failed",
                _ => "malformed_request",
            },
            Body(_) => "malformed_body",
            AmbiguousPath => "ambiguous_path",
            NoRoute => "no_route",
            Method => "method_not_allowed",
            HeaderTimeout => "request_timeout",
            SlowBody => "slow_body",
            BodyTooLarge => "body_too_large",
            TooManyHops => "too_many_hops",
            BadReference => "bad_reference",
            NoHost => "no_host",
            Misdirected => "misdirected",
            SlowReader => "slow_reader",
            ClientGone => "client_gone",
            Connect => "upstream_connect_failed",
            ConnectTimeout => "upstream_connect_timeout",
            UpstreamTls => "upstream_tls_failed",
            UpstreamClosed => "upstream_closed",
            UpstreamAnswer => "upstream_bad_answer",
            UpstreamTimeout => "upstream_timeout",
            NoEndpoint => "no_healthy_endpoint",
            NotReady => "not_ready",
            RouteRemoved => "route_removed",
            Stopped => "stopping",
            Internal => "internal",
        }
    }

    /// What it says to a person.
    pub(crate) fn message(self) -> &'static str {
        use Fault::*;
        match self {
            Head(error) => error.message(),
            Body(error) => error.message(),
            AmbiguousPath => "the path means one thing as it stands and another when decoded",
            NoRoute => "no route matches this request",
            Method => "no route takes this method here",
            HeaderTimeout => "the request's head did not arrive in time",
            SlowBody => "the request's body arrived too slowly",
            BodyTooLarge => "the request's body is larger than is accepted here",
            TooManyHops => "the request has passed this gateway too often: it goes in a circle",
            SlowReader => "the answer was taken too slowly",
            ClientGone => "the client left before the exchange was over",
            Connect => "the service could not be reached",
            ConnectTimeout => "the service did not accept a connection in time",
            Misdirected => "this connection is not for that host",
            UpstreamTls => "the connection to the service could not be secured",
            UpstreamClosed => "the service closed the connection before its answer was whole",
            UpstreamAnswer => "the service's answer could not be understood",
            UpstreamTimeout => "the service did not answer in time",
            NoHost => "the request names no host to redirect to",
            BadReference => "the path holds what can't be put where the route would put it",
            NoEndpoint => "the service has no endpoint that takes requests",
            NotReady => "the gateway is about to stop",
            RouteRemoved => "the route was removed from the configuration",
            Stopped => "the gateway is stopping",
            Internal => "the gateway failed",
        }
    }
}
