use super::super::captured_path;
use super::*;

/// What the only route captures, as `name=value` and `rest=value`, of the names asked for that have a value.
fn captured(path: &str, target: &str, names: &[&str]) -> String {
    let (table, _) = table(&[("one", &format!("path: {path}"))]);
    with_head("GET", "a", target, "", |head| {
        assert_eq!(table.find(head), Ok(Matched::Route(0)), "{target}");
        let path = captured_path(head);
        let captures = table.captures(0, &path);
        let named = names.iter().filter_map(|name| Some((*name, captures.get(name)?)));
        let all = named.chain(captures.rest().map(|rest| ("rest", rest)));
        let texts: Vec<String> =
            all.map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value))).collect();
        texts.join(" ")
    })
}

#[test]
fn segments_by_their_names() {
    let path = r#""/users/{id}/posts/{post}""#;
    assert_eq!(captured(path, "/users/7/posts/x%20y", &["post", "id", "users"]), "post=x y id=7");
    assert_eq!(captured(r#""/a/{x}/""#, "/a/b/", &["x"]), "x=b");
    assert_eq!(captured(r#""/a/b""#, "/a/b", &["x"]), "");
}

#[test]
fn the_rest_has_no_leading_slash() {
    for (target, expected) in
        [("/old", "rest="), ("/old/", "rest="), ("/old/a", "rest=a"), ("/old/a/b/?q=1", "rest=a/b/")]
    {
        assert_eq!(captured(r#""/old/*""#, target, &["rest"]), expected, "{target}");
    }
    assert_eq!(captured(r#""/*""#, "/", &[]), "rest=");
    assert_eq!(captured(r#""/*""#, "/a", &[]), "rest=a");
    assert_eq!(captured(r#""/{x}/*""#, "/a", &["x"]), "x=a rest=");
    assert_eq!(captured(r#""/{x}/*""#, "/a/", &["x"]), "x=a rest=");
    assert_eq!(captured(r#""/{x}/b/*""#, "/a/b/c/d", &["x"]), "x=a rest=c/d");
}

#[test]
fn groups_of_a_regular_expression() {
    let path = r#"{ regex: "/v(?P<major>[0-9]+)(\\.(?<minor>[0-9]+))?/.*" }"#;
    assert_eq!(captured(path, "/v12.3/x", &["minor", "major"]), "minor=3 major=12");
    assert_eq!(captured(path, "/v12/x", &["minor", "major"]), "major=12");
}

#[test]
fn a_path_that_can_be_read_in_two_ways_is_fully_decoded() {
    assert_eq!(captured(r#""/*""#, "/a//b/%2E%2e/c", &[]), "rest=a/c");
    assert_eq!(captured(r#""/old/*""#, "/old//evil.example", &[]), "rest=evil.example");
    assert_eq!(captured(r#""/{x}/*""#, "/a/b%2Fc", &["x"]), "x=a rest=b/c");
}
