//! TLS, sans-I/O: bytes in, bytes out.
//!
//! rustls shakes hands ([`Handshake`]); from then on a [`Session`] seals and opens records where they lie, so that they are
//! not copied and a connection that waits holds no memory for them. Nothing here does I/O or knows what the bytes mean.

pub mod certificate;
