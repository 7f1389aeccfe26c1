//! HTTP on the wire, sans-I/O: bytes in, events out.
//!
//! [`wire`] holds what every version shares: spans over a read buffer, header ids, methods, targets, hosts, lists,
//! dates. [`h1`] holds HTTP/1.1: heads, body length, chunked coding, and the two receivers built from them. [`h2`] holds
//! HTTP/2: the whole connection in either role; [`hpack`] its field compression. [`tls`] holds handshakes and records,
//! [`proxyproto`] the headers by which a balancer tells where a connection comes from.
//!
//! This crate never does I/O, never looks at a clock, knows no configuration and no runtime. Nothing that a peer
//! sends makes it panic, and whatever could be read in two ways is refused.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod h1;
pub mod h2;
pub mod hpack;
pub mod proxyproto;
pub mod tls;
pub mod wire;
