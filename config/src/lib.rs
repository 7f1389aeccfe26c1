#![forbid(unsafe_code)]
//! The configuration of Ringgate: what the user writes, read into typed values with every error reported at once.
//!
//! The way of a file: text, checked for size and characters -> a tree of positioned nodes (`node`) -> decoders that
//! walk one field table per type (`table`) and collect errors instead of stopping -> checks across the whole
//! document (`decode`) -> [`Config`]. The same field tables give the key reference ([`mod@reference`]).
//!
//! This crate opens files and does nothing else with the world: no sockets, no name resolution, no clock.

mod address;
mod decode;
mod diagnostic;
pub mod diff;
mod document;
mod environment;
mod files;
mod findings;
mod form;
pub mod format;
mod habits;
mod lint;
mod load;
mod node;
mod pattern;
mod reader;
pub mod reference;
mod rights;
pub mod schema;
mod secure;
mod source;
mod suggest;
mod syntax;
mod table;
mod template;
mod units;
mod wording;

pub use address::{Address, EndpointAddress};
pub use diagnostic::{Diagnostic, Diagnostics, Position, Severity};
pub use document::{
    AccessLog, Action, Admin, Config, Cores, Endpoint, Forward, Limits, Listener, LogFormat, LogPart, LogTarget,
    LogValue, Match, MinRate, PerCore, Redirect, Reload, Respond, ResponseBody, Route, Runtime, Secret, Share,
    Shutdown, Upstream,
};
pub use files::{Disk, Files, Listed};
pub use load::{MAX_FILE_BYTES, load, parse, parse_with};
pub use pattern::{HostPattern, PathPattern, Segment, ValuePattern, path_regex};
pub use secure::{
    Certificate, CertificateFacts, ClientAuth, ClientAuthMode, Flaw, Hsts, HttpsRedirect, ListenerTls, Materials, Part,
    Passthrough, Pem, ProxySenders, ProxyVersion, TcpForward, TlsVersion, Unchecked, UpstreamTls,
};
pub use template::{Reference, RequestValue, Template, TemplatePart};
