#![forbid(unsafe_code)]
//! The configuration of Ringgate.
