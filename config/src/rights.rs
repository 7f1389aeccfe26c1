//! Which ports this process may bind: looked up once, so that a warning can say before the start what would fail.

use std::fs;

#[cfg(test)]
mod tests;

/// The bit of `CAP_NET_BIND_SERVICE` (capabilities(7), linux/capability.h).
const NET_BIND_SERVICE: u32 = 10;
/// The first port that everybody may bind where the kernel doesn't say (ip(7)).
const UNPRIVILEGED: u16 = 1024;

/// Which ports a process may bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rights {
    /// The first port for which no right is needed.
    first_port: u16,
    /// Whether the process has the right to any port.
    any_port: bool,
}

impl Rights {
    /// What the kernel says of this process. Where it doesn't say, or another process hands the sockets over
    /// (systemd's socket activation), every port counts as allowed.
    pub(crate) fn of_this_process() -> Rights {
        let start = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
        let status = fs::read_to_string("/proc/self/status");
        let handed = std::env::var_os("LISTEN_FDS").is_some();
        match (start, status) {
            (Ok(start), Ok(status)) if !handed => Rights::new(&start, &status),
            _ => Rights { first_port: 0, any_port: true },
        }
    }

    /// From the texts of `ip_unprivileged_port_start` and of a process's `status` (proc(5)).
    fn new(start: &str, status: &str) -> Rights {
        let first_port = start.trim().parse().unwrap_or(UNPRIVILEGED);
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let effective = effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
        Rights { first_port, any_port: effective.is_none_or(|bits| bits >> NET_BIND_SERVICE & 1 == 1) }
    }

    /// Whether the process may bind this port. Port 0 is any one that is free.
    pub(crate) fn allow(self, port: u16) -> bool {
        port == 0 || port >= self.first_port || self.any_port
    }
}
