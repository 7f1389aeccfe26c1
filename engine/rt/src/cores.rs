//! Which CPUs this process may use, and pinning a thread to one.

use std::fs;
use std::path::Path;

/// The CPUs that the process may run on, by their kernel numbers (its affinity mask, which a cgroup's CPU set narrows).
pub fn allowed() -> Vec<usize> {
    core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect()
}

/// The CPUs to start a shard on when the configuration says `auto`: the allowed ones, but no more than the cgroup's CPU
/// quota (`cpu.max`) pays for, rounded up. At least one.
pub fn automatic() -> Vec<usize> {
    let mut cores = allowed();
    if cores.is_empty() {
        cores.push(0);
    }
    if let Some(quota) = cgroup_quota() {
        cores.truncate((quota.ceil() as usize).max(1));
    }
    cores
}

/// Pins the calling thread. False if the system refuses.
pub fn pin(core: usize) -> bool {
    core_affinity::set_for_current(core_affinity::CoreId { id: core })
}

/// CPUs' worth of time that the cgroup grants, from `cpu.max` of this group and those above it.
fn cgroup_quota() -> Option<f64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let relative = own.lines().find_map(|line| line.strip_prefix("0::"))?.trim_start_matches('/');
    quota_below(Path::new("/sys/fs/cgroup"), relative)
}

fn quota_below(root: &Path, relative: &str) -> Option<f64> {
    let mut folder = root.join(relative);
    let mut least: Option<f64> = None;
    while folder.starts_with(root) {
        let here = fs::read_to_string(folder.join("cpu.max")).ok().and_then(|text| parse_quota(&text));
        least = match (least, here) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if !folder.pop() {
            break;
        }
    }
    least
}

/// `max 100000` or `QUOTA PERIOD`, both in microseconds (cgroup-v2.rst).
fn parse_quota(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period) = (quota.parse::<f64>().ok()?, period.parse::<f64>().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quota_is_read_from_the_nearest_group_that_has_less() {
        let root = std::env::temp_dir().join(format!("ringgate-cgroup-{}", std::process::id()));
        let group = root.join("pod/box");
        fs::create_dir_all(&group).expect("a folder");
        fs::write(root.join("pod/cpu.max"), "150000 100000\n").expect("a file");
        fs::write(group.join("cpu.max"), "max 100000\n").expect("a file");
        assert_eq!(quota_below(&root, "pod/box"), Some(1.5));
        fs::write(group.join("cpu.max"), "50000 100000\n").expect("a file");
        assert_eq!(quota_below(&root, "pod/box"), Some(0.5));
        fs::remove_dir_all(&root).expect("removed");
        assert_eq!(parse_quota("max 100000"), None);
        assert_eq!(parse_quota("nonsense"), None);
    }

    #[test]
    fn automatic_is_never_empty() {
        assert!(!automatic().is_empty());
    }
}
