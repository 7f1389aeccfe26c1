//! TLS, sans-I/O: bytes in, bytes out.
//!
//! rustls shakes hands ([`Handshake`]); from then on a [`Session`] seals and opens records where they lie, so that they are
//! not copied and a connection that waits holds no memory for them. Nothing here does I/O or knows what the bytes mean.

pub mod certificate;
mod failure;
mod handshake;
pub mod hello;
mod record;
mod session;

pub use failure::Failure;
pub use handshake::{Agreed, Handshake, HandshakeError, NotesName, Step, WAITING_MAX, iana};
pub use record::{BACK_MAX, FRONT_MAX, HEADER_BYTES, PAYLOAD_MAX, SEALED_MAX, has_record};
pub use session::{EMPTY_RECORDS_MAX, MESSAGE_MAX, Opened, Session, sealed_bytes};

#[cfg(test)]
mod tests;
