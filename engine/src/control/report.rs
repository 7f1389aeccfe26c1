//! The start report: one line of JSON on stderr, for whoever has started the process.

use super::diary;
use super::gateway::Gateway;
use crate::observe::json;
use ringgate_rt::Address;

/// Writes the report.
pub(super) fn started(gateway: &Gateway) {
    let mut line = b"{\"event\":\"started\"".to_vec();
    json::text(&mut line, "version", Some(env!("CARGO_PKG_VERSION").as_bytes()));
    line.extend_from_slice(b",\"listeners\":[");
    for (at, listener) in gateway.listeners.iter().enumerate() {
        if at > 0 {
            line.push(b',');
        }
        let address = address_text(&listener.address);
        json::object(&mut line, &[("name", listener.name.as_bytes()), ("address", address.as_bytes())]);
    }
    line.push(b']');
    if let Some(admin) = gateway.admin.address() {
        json::text(&mut line, "admin", Some(admin.to_string().as_bytes()));
    }
    let driver = &gateway.driver;
    json::text(&mut line, "driver", Some(driver.driver.name().as_bytes()));
    json::text(&mut line, "ring_flags", Some(driver.driver.flags().as_bytes()));
    json::text(&mut line, "driver_why", Some(driver.why.as_bytes()));
    json::number(&mut line, "shards", Some(gateway.running as u64));
    json::number(&mut line, "pid", Some(u64::from(std::process::id())));
    line.extend_from_slice(b"}\n");
    diary::put(line);
}

/// An address as the configuration writes it.
pub(super) fn address_text(address: &Address) -> String {
    match address {
        Address::Tcp(at) => at.to_string(),
        Address::Unix(path) => format!("unix:{}", path.display()),
    }
}
