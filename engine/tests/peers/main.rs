//! Independent peers on either side of the gateway: hyper as the service, hyper and reqwest as clients, tungstenite for
//! WebSocket, all as other people wrote them.

#![allow(clippy::expect_used)]

mod http;
mod service;
#[path = "../support/mod.rs"]
mod support;
mod websocket;
