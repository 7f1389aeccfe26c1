//! Giving up root: the user and groups that the process goes on as, and proof that there is no way back.
//!
//! The C library changes all threads of the process (nptl(7)), so those that run already are no back door.

use std::ffi::{CStr, CString};
use std::io;

/// Bytes of a line in the user or group database at most.
const ENTRY_MAX: usize = 1 << 20;
/// Groups of a user at most (NGROUPS_MAX of Linux).
const GROUPS_MAX: usize = 65536;

/// A user and groups other than root's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// As it was asked for.
    pub name: String,
    user: libc::uid_t,
    group: libc::gid_t,
    /// Supplementary groups.
    groups: Vec<libc::gid_t>,
}

/// What the user database says of a user.
struct Entry {
    name: CString,
    user: libc::uid_t,
    group: libc::gid_t,
}

impl Identity {
    /// Finds `USER` or `USER:GROUP`, each a name or a number. Without a group it is the user's own one, and those that it
    /// is a member of come along.
    ///
    /// # Errors
    /// A user or group that there is not, root, and a number without a group that no user has.
    pub fn find(text: &str) -> io::Result<Identity> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let entry = match user.parse() {
            Ok(number) => user_of_number(number)?,
            Err(_) => Some(user_named(user)?.ok_or_else(|| refused(format!("there is no user `{user}`")))?),
        };
        let number = match &entry {
            Some(entry) => entry.user,
            None => user.parse().map_err(|_| refused(format!("there is no user `{user}`")))?,
        };
        let group = match (group, &entry) {
            (Some(group), _) => group_of(group)?,
            (None, Some(entry)) => entry.group,
            (None, None) => {
                return Err(refused(format!("no user has the number {user}: say its group too, {user}:{user}")));
            }
        };
        if number == 0 {
            return Err(refused("root stays root: name another user".into()));
        }
        let groups = match &entry {
            Some(entry) => groups_of(&entry.name, group)?,
            None => vec![group],
        };
        Ok(Identity { name: text.to_owned(), user: number, group, groups })
    }

    /// Goes on as this user, for good: real, effective and saved ids of all threads, supplementary groups, and with root
    /// every capability.
    ///
    /// # Errors
    /// If the process is not root's, or if the system refuses. Then it may have changed in part and must not go on.
    pub fn assume(&self) -> io::Result<()> {
        // SAFETY: takes nothing, returns a number, can't fail.
        let now = unsafe { libc::geteuid() };
        if now != 0 {
            let why = format!("only root can become another user, and this process is the user {now}");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        // Groups first: none can be changed once the user is another.
        // SAFETY: reads as many numbers as are there.
        done(unsafe { libc::setgroups(self.groups.len(), self.groups.as_ptr()) }, "setgroups")?;
        // SAFETY: takes numbers alone.
        done(unsafe { libc::setresgid(self.group, self.group, self.group) }, "setresgid")?;
        // SAFETY: takes numbers alone.
        done(unsafe { libc::setresuid(self.user, self.user, self.user) }, "setresuid")?;
        self.prove()
    }

    /// Holds what the system says against what was asked for, and tries the way back.
    fn prove(&self) -> io::Result<()> {
        let (mut real, mut effective, mut saved) = (0, 0, 0);
        // SAFETY: writes three numbers that live here.
        done(unsafe { libc::getresuid(&mut real, &mut effective, &mut saved) }, "getresuid")?;
        let users = [real, effective, saved].iter().all(|id| *id == self.user);
        // SAFETY: as above.
        done(unsafe { libc::getresgid(&mut real, &mut effective, &mut saved) }, "getresgid")?;
        let groups = [real, effective, saved].iter().all(|id| *id == self.group);
        // SAFETY: takes a number alone. It is meant to fail.
        let back = unsafe { libc::setuid(0) } == 0;
        if users && groups && !back {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "root could be regained after becoming {}: the process must not go on",
            self.name
        )))
    }
}

fn done(result: libc::c_int, call: &str) -> io::Result<()> {
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    Err(io::Error::new(error.kind(), format!("{call}: {error}")))
}

fn refused(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

fn user_named(name: &str) -> io::Result<Option<Entry>> {
    let name = CString::new(name)?;
    user_entry(|entry, text, found| {
        // SAFETY: the name ends with a zero byte; the entry, the buffer with its length and the result live in the caller.
        unsafe { libc::getpwnam_r(name.as_ptr(), entry, text.as_mut_ptr(), text.len(), found) }
    })
}

fn user_of_number(number: libc::uid_t) -> io::Result<Option<Entry>> {
    user_entry(|entry, text, found| {
        // SAFETY: the entry, the buffer with its length and the result live in the caller.
        unsafe { libc::getpwuid_r(number, entry, text.as_mut_ptr(), text.len(), found) }
    })
}

fn user_entry(
    ask: impl Fn(*mut libc::passwd, &mut [libc::c_char], *mut *mut libc::passwd) -> libc::c_int,
) -> io::Result<Option<Entry>> {
    with_room(|text| {
        // SAFETY: numbers and pointers may all be zero; nothing of it is read before the call has filled it.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        let result = ask(&mut entry, text, &mut found);
        if result != 0 || found.is_null() {
            return (result, None);
        }
        // SAFETY: the call has put a string that ends with a zero byte into `text`, which lives until the copy is made.
        let name = unsafe { CStr::from_ptr(entry.pw_name) }.to_owned();
        (result, Some(Entry { name, user: entry.pw_uid, group: entry.pw_gid }))
    })
}

/// A group by its number, whether or not the database has it, or by its name.
fn group_of(group: &str) -> io::Result<libc::gid_t> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let name = CString::new(group)?;
    let found = with_room(|text| {
        // SAFETY: numbers and pointers may all be zero; nothing of it is read before the call has filled it.
        let mut entry: libc::group = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        // SAFETY: the name ends with a zero byte; the entry, the buffer with its length and the result live here.
        let result = unsafe { libc::getgrnam_r(name.as_ptr(), &mut entry, text.as_mut_ptr(), text.len(), &mut found) };
        (result, (result == 0 && !found.is_null()).then_some(entry.gr_gid))
    })?;
    found.ok_or_else(|| refused(format!("there is no group `{group}`")))
}

/// Asks a database with more and more room for its answer.
fn with_room<T>(ask: impl Fn(&mut [libc::c_char]) -> (libc::c_int, Option<T>)) -> io::Result<Option<T>> {
    let mut room = 1024;
    loop {
        let (result, found) = ask(&mut vec![0; room]);
        match result {
            // Some C libraries say by these that there is no such entry (getpwnam_r(3)).
            0 | libc::ENOENT | libc::ESRCH => return Ok(found),
            libc::EINTR => {}
            libc::ERANGE if room < ENTRY_MAX => room *= 4,
            other => return Err(io::Error::from_raw_os_error(other)),
        }
    }
}

/// The groups that a user is a member of, its first one included.
fn groups_of(name: &CStr, first: libc::gid_t) -> io::Result<Vec<libc::gid_t>> {
    let mut groups = vec![0; 64];
    loop {
        let mut count = groups.len() as libc::c_int;
        // SAFETY: the name ends with a zero byte, and `count` says how many numbers may be written.
        let result = unsafe { libc::getgrouplist(name.as_ptr(), first, groups.as_mut_ptr(), &mut count) };
        if result >= 0 {
            groups.truncate(usize::try_from(count).unwrap_or(0));
            return Ok(groups);
        }
        if groups.len() >= GROUPS_MAX {
            return Err(refused("the user is a member of too many groups".into()));
        }
        groups.resize(groups.len() * 4, 0);
    }
}

#[cfg(test)]
mod tests;
