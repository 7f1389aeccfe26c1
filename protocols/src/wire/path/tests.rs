use super::*;
use proptest::prelude::*;

fn normal(path: &str) -> String {
    let mut out = b"left over".to_vec();
    normalise(path.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn decoded(path: &str) -> String {
    let mut out = b"left over".to_vec();
    decode(path.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn paths_that_a_service_could_take_for_another_one() {
    for path in [
        "//", "/a//b", "//a", "/a//", "/.", "/..", "/./", "/../a", "/a/.", "/a/..", "/a/./b", "/a/../b", "/%2e",
        "/%2E%2e", "/.%2e/a", "/%2e./a", "/a/%2e", "/a%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb", "/a\\b", "/a;b", "/a/..;/b",
        "/;", "/a%3bb", "/a%3Bb", "/%252e", "/a%25b", ".", "..", "/%2", "/%", "/%2%41",
    ] {
        assert!(ambiguous(path.as_bytes()), "{path}");
    }
    for path in [
        "",
        "/",
        "/a",
        "/a/",
        "/a/b.c",
        "/...",
        "/a/.../b",
        "/.a",
        "/a.",
        "/..a",
        "/a..",
        "/a%2eb",
        "/%2ea",
        "/%2e%2e%2e",
        "/a%20b",
        "/%C3%A4",
        "/a=b&c",
        "/~a",
    ] {
        assert!(!ambiguous(path.as_bytes()), "{path}");
    }
}

#[test]
fn decoding_once() {
    for (path, expected) in [
        ("/a%20b", "/a b"),
        ("/%2541", "/%41"),
        ("/a%2Fb/../c//d", "/a/b/../c//d"),
        ("/%zz%4", "/%zz%4"),
        ("/%%41", "/%A"),
        ("", ""),
        ("/%c3%a4", "/ä"),
    ] {
        assert_eq!(decoded(path), expected, "{path}");
    }
}

#[test]
fn the_most_liberal_reading() {
    for (path, expected) in [
        ("/", "/"),
        ("", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("//a///b//", "/a/b/"),
        ("/a/./b/.", "/a/b/"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/..", "/"),
        ("/../../a", "/a"),
        ("/a/%2e%2e/b", "/b"),
        ("/a/%252e%252E/b", "/b"),
        ("/a%2fb", "/a/b"),
        ("/a%252fb", "/a/b"),
        ("/a\\b", "/a/b"),
        ("/a%5c..%5cb", "/b"),
        ("/a;x=1/b;y", "/a/b"),
        ("/a/..;/b", "/b"),
        ("/a/;/b", "/a/b"),
        ("/a;", "/a"),
        ("/a/%3bx", "/a/"),
        ("/%%32%65/a", "/a"),
        ("/%2%35%32e./a", "/a"),
        ("/a%zz", "/a%zz"),
        ("/...", "/..."),
        ("a/b", "/a/b"),
        ("/a%20b", "/a b"),
    ] {
        assert_eq!(normal(path), expected, "{path}");
    }
}

/// What [`normalise`] stands for, written without a thought for speed.
fn plainly(path: &[u8]) -> Vec<u8> {
    let mut text = path.to_vec();
    loop {
        let mut once = Vec::new();
        decode(&text, &mut once);
        if once == text {
            break;
        }
        text = once;
    }
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut slash = true;
    for segment in text.split(|byte| matches!(byte, b'/' | b'\\')) {
        let kept = segment.split(|&byte| byte == b';').next().unwrap();
        match kept {
            b"" | b"." => slash = true,
            b".." => {
                segments.pop();
                slash = true;
            }
            _ => {
                segments.push(kept);
                slash = false;
            }
        }
    }
    let mut out: Vec<u8> = segments.iter().flat_map(|segment| [b"/", *segment].concat()).collect();
    if slash {
        out.push(b'/');
    }
    out
}

proptest! {
    #[test]
    fn normalising_is_what_it_stands_for(path in "(/|\\.|%|2|5|e|E|f|F|c|C|3|b|;|\\\\|a){0,40}") {
        let mut out = Vec::new();
        normalise(path.as_bytes(), &mut out);
        let expected = plainly(path.as_bytes());
        prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected));
        let mut again = Vec::new();
        normalise(&out, &mut again);
        prop_assert_eq!(&again, &out);
        prop_assert!(!ambiguous(&out) || out.contains(&b'%'));
    }

    #[test]
    fn an_unambiguous_path_has_one_reading(path in "(/(\\.|%2|%41|5|e|E|f|%20|=|a)*){1,9}") {
        let (mut once, mut fully) = (Vec::new(), Vec::new());
        decode(path.as_bytes(), &mut once);
        normalise(path.as_bytes(), &mut fully);
        prop_assert!(ambiguous(path.as_bytes()) || once == fully);
    }
}
