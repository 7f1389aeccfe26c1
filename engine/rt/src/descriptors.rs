//! The limit on open descriptors, raised as far as the system lets us; and what child processes do not inherit.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Keeps a descriptor from programs that this process starts.
pub(crate) fn close_on_exec(fd: BorrowedFd<'_>) {
    // SAFETY: takes no pointers. It can't fail on an open descriptor.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
}

/// Raises the soft limit to `wanted` (and the hard limit, where the process may). Returns the limit that holds now,
/// which may be lower.
pub fn raise_limit(wanted: u64) -> io::Result<u64> {
    let now = get()?;
    if now.rlim_cur >= wanted {
        return Ok(now.rlim_cur);
    }
    let both = libc::rlimit { rlim_cur: wanted, rlim_max: now.rlim_max.max(wanted) };
    let soft = libc::rlimit { rlim_cur: wanted.min(now.rlim_max), rlim_max: now.rlim_max };
    set(both).or_else(|_| set(soft))?;
    Ok(get()?.rlim_cur)
}

fn get() -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes one struct that lives here.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } {
        0 => Ok(limit),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set(limit: libc::rlimit) -> io::Result<()> {
    // SAFETY: reads one struct that lives here.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_limit_that_is_there_already_is_kept() {
        let now = super::raise_limit(1).expect("a limit");
        assert!(now >= 1);
        assert!(super::raise_limit(now).expect("a limit") >= now);
    }
}
