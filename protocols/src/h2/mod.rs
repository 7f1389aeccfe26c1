//! HTTP/2 (RFC 9113), with extended CONNECT (RFC 8441) and priorities (RFC 9218), in both roles.
//!
//! [`Connection`] is the whole protocol as a state machine: bytes and the time go in, events come out, and what is to
//! be sent is appended to a buffer of the caller. It has no sockets, no clock, no wakers, and allocates nothing once it
//! has as many streams as it is going to have. `LIFECYCLE.md` beside this file shows the states and who calls what.
//!
//! Whatever a peer may do cheaply and in numbers has a [`Budget`]; [`Limits`] holds them and all other limits.

mod budget;
mod closed;
mod connection;
mod error;
pub mod frame;
mod limits;
mod message;
mod priority;
mod schedule;
mod state;
mod store;
mod stream;
mod window;

pub use budget::{Budget, BudgetName, Rate};
pub use connection::{BlockWriter, Connection, Event, OpenError, PeerSettings, Received, Role, SendError, Turn};
pub use error::{Cause, ConnectionError, ErrorCode, Rule};
pub use limits::{Cap, INFORMATIONAL_MAX, LIST_HARD_FACTOR, Limits, Rates};
pub use message::{Expectation, Head, HeadLimit, Malformed};
pub use priority::Priority;
pub use stream::{EndedBy, StreamEnd, StreamId};
