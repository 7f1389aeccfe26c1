//! Which changes of protocol a request may ask for, and which an answer may make (RFC 9110 section 7.8).

use ringgate_protocols::wire::list;

/// Whether a request's `Upgrade` goes on. Not where it offers h2c: a service that took it would speak HTTP/2 through the
/// tunnel, and its requests would pass by every check that is made here. (RFC 9113 section 3.1 has ended that upgrade.)
pub(super) fn goes_on(offered: &[u8]) -> bool {
    !list::elements(offered).any(|protocol| protocol.eq_ignore_ascii_case(b"h2c"))
}

/// Whether an answer changes to what was offered, and to nothing else.
pub(super) fn was_offered(offered: &[u8], chosen: &[u8]) -> bool {
    let offers = |protocol: &[u8]| list::elements(offered).any(|offer| offer.eq_ignore_ascii_case(protocol));
    list::elements(chosen).next().is_some() && list::elements(chosen).all(offers)
}
