#![forbid(unsafe_code)]
//! HTTP on the wire, sans-I/O.
