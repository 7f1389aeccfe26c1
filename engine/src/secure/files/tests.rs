use super::super::tests::Directory;
use super::*;
use std::time::Instant;

/// Bytes of what was read, or why it was not.
fn read(watch: &mut Watch) -> Option<Vec<Result<Vec<u8>, String>>> {
    watch.look()
}

#[test]
fn files_are_read_at_the_first_look_and_when_they_have_changed() {
    let directory = Directory::new("files");
    let path = directory.write("one", "held").path;
    age(&path);
    let mut watch = Watch::over(vec![path.clone()]);
    assert_eq!(read(&mut watch), Some(vec![Ok(b"held".to_vec())]));
    watch.used();
    assert_eq!(read(&mut watch), None);
    std::fs::write(&path, "more").expect("written");
    assert_eq!(read(&mut watch), Some(vec![Ok(b"more".to_vec())]));
    watch.used();
    assert!(read(&mut watch).is_some(), "it may change again within the same tick of the system's clock");
    age(&path);
    assert!(read(&mut watch).is_some() && read(&mut watch).is_none());
    std::fs::remove_file(&path).expect("removed");
    let gone = read(&mut watch).expect("changed");
    assert!(gone[0].as_ref().is_err_and(|why| why.starts_with("can't be opened")), "{gone:?}");
}

/// Sets a file's time back, as if it had been written long ago.
fn age(path: &Path) {
    let file = std::fs::File::options().write(true).open(path).expect("opened");
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("its time is set");
}

#[test]
fn what_can_not_be_used_is_told_at_the_second_look_and_once() {
    let directory = Directory::new("refused");
    let path = directory.write("one", "bad").path;
    age(&path);
    let mut watch = Watch::over(vec![path.clone()]);
    let bad = read(&mut watch).expect("the first look");
    assert!(!watch.refused(&bad));
    let bad = read(&mut watch).expect("once more, though nothing has changed");
    assert!(watch.refused(&bad));
    assert_eq!(read(&mut watch), None);
    // The same again is not told again, another one is.
    std::fs::write(&path, "bad").expect("written");
    let bad = read(&mut watch).expect("changed");
    assert!(!watch.refused(&bad));
    std::fs::write(&path, "worse").expect("written");
    let worse = read(&mut watch).expect("changed");
    assert!(!watch.refused(&worse));
    let worse = read(&mut watch).expect("once more");
    assert!(watch.refused(&worse));
    watch.used();
    assert!(!watch.refused(&worse), "after it was good it may be bad anew");
}

#[test]
fn a_pipe_is_not_waited_for() {
    let directory = Directory::new("pipe");
    let path = directory.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(made.success());
    let begun = Instant::now();
    let held = read(&mut Watch::over(vec![path])).expect("a look");
    assert_eq!(held, [Err("is no regular file".to_owned())]);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn times_in_the_future_tell_nothing() {
    let now = UNIX_EPOCH + Duration::from_secs(1000);
    for (seconds, expected) in [(0, true), (997, true), (998, false), (1000, false), (2000, false)] {
        assert_eq!(settled(&[None, Some((1, 2, 3, seconds, 0))], now), expected, "{seconds}");
    }
    assert!(settled(&[None], now));
}

#[test]
fn dates_are_readable() {
    assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(date(-5), "Thu, 01 Jan 1970 00:00:00 GMT");
}
