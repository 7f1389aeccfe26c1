//! What the system says of this process, from `/proc`. What can't be read is left out.

use std::fs;

/// Clock ticks in which `/proc` tells CPU time: 100 a second on every Linux that runs programs (`USER_HZ`).
const TICK_MICROS: u64 = 10_000;

/// The process now.
#[derive(Default)]
pub(super) struct Process {
    pub(super) resident_bytes: Option<u64>,
    pub(super) cpu_micros: Option<u64>,
    pub(super) open_descriptors: Option<u64>,
    pub(super) descriptors_max: Option<u64>,
}

impl Process {
    pub(super) fn read() -> Process {
        let text = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        Process {
            resident_bytes: resident_bytes(&text("status")),
            cpu_micros: cpu_micros(&text("stat")),
            // The descriptor by which the folder is read is one of them.
            open_descriptors: fs::read_dir("/proc/self/fd").ok().map(|all| (all.count() as u64).saturating_sub(1)),
            descriptors_max: descriptors_max(&text("limits")),
        }
    }
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// User and system time. The name before them is in brackets and may hold anything.
fn cpu_micros(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) * TICK_MICROS)
}

fn descriptors_max(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_understood() {
        let stat = "4711 (a) b) S 1 4711 4711 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 3 0 99 1000 200";
        assert_eq!(cpu_micros(stat), Some(3_000_000));
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t    1234 kB\n"), Some(1234 * 1024));
        assert_eq!(
            descriptors_max("Max open files            1024                 4096                 files\n"),
            Some(1024)
        );
        let now = Process::read();
        assert!(now.resident_bytes.is_some_and(|bytes| bytes > 100_000));
        assert!(now.open_descriptors.is_some_and(|open| open >= 3));
        assert!(now.descriptors_max >= now.open_descriptors && now.cpu_micros.is_some());
    }
}
