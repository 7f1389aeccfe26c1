use super::Identity;
use std::process::Command;

/// Tells a run of this very test that it is the child which gives up root.
const CHILD: &str = "RINGGATE_TEST_GIVES_UP_ROOT";

fn refusal(text: &str) -> String {
    Identity::find(text).expect_err(text).to_string()
}

#[test]
fn users_and_groups_are_found_by_name_and_by_number() {
    let nobody = Identity::find("nobody").expect("a user nobody");
    assert_ne!(nobody.user, 0);
    assert!(nobody.groups.contains(&nobody.group), "{nobody:?}");
    let number = Identity::find(&nobody.user.to_string()).expect("nobody by its number");
    assert_eq!((number.user, number.group, &number.groups), (nobody.user, nobody.group, &nobody.groups));
    let unknown = Identity::find("54321:54322").expect("numbers that no database has");
    assert_eq!((unknown.user, unknown.group, unknown.groups), (54321, 54322, vec![54322]));
    assert_eq!(Identity::find("nobody:54322").expect("a group by its number").group, 54322);
}

#[test]
fn what_is_not_there_is_refused() {
    assert_eq!(refusal("no-such-user"), "there is no user `no-such-user`");
    assert_eq!(refusal("nobody:no-such-group"), "there is no group `no-such-group`");
    assert_eq!(refusal("54321"), "no user has the number 54321: say its group too, 54321:54321");
    assert_eq!(refusal("root"), "root stays root: name another user");
    assert_eq!(refusal("0:nogroup-either"), "there is no group `nogroup-either`");
    assert_eq!(refusal(""), "there is no user ``");
    assert_eq!(refusal("-1"), "there is no user `-1`");
    assert!(refusal("a\0b").contains("nul"));
}

/// The numbers of a line of this thread's status. All are read as hexadecimal ones, ids too.
fn status(line: &str) -> Vec<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("a status");
    let found = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':')).expect("such a line");
    found.split_whitespace().map(|number| u64::from_str_radix(number, 16).expect("a number")).collect()
}

#[test]
fn root_is_given_up_on_every_thread() {
    // SAFETY: takes nothing, can't fail.
    let root = unsafe { libc::geteuid() } == 0;
    if !root {
        let error = Identity::find("54321:54322").expect("an identity").assume().expect_err("not root");
        assert!(error.to_string().starts_with("only root can become another user"), "{error}");
        eprintln!("SKIPPED: only root can give up root");
        return;
    }
    if std::env::var_os(CHILD).is_none() {
        // In a process of its own: the other tests stay root.
        let this = ["--exact", "identity::tests::root_is_given_up_on_every_thread", "--nocapture"];
        let child = Command::new(std::env::current_exe().expect("this test")).args(this).env(CHILD, "1").output();
        let child = child.expect("a child");
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        return;
    }
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || {
        wait.recv().expect("the word to go on");
        (status("Uid"), status("CapEff"))
    });
    Identity::find("54321:54322").expect("an identity").assume().expect("given up");
    go.send(()).expect("a thread that waits");
    assert_eq!(other.join().expect("no panic"), (vec![0x54321; 4], vec![0]));
    assert_eq!((status("Gid"), status("Groups")), (vec![0x54322; 4], vec![0x54322]));
    assert_eq!((status("CapPrm"), status("CapAmb")), (vec![0], vec![0]));
    let again = Identity::find("54323:54323").expect("an identity").assume().expect_err("no second time");
    assert!(again.to_string().contains("this process is the user 54321"), "{again}");
}
