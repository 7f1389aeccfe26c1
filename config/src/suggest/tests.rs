use super::*;

#[test]
fn edits_are_counted() {
    assert_eq!(distance("name", "name"), 0);
    assert_eq!(distance("nmae", "name"), 1, "two neighbours swapped");
    assert_eq!(distance("adress", "address"), 1);
    assert_eq!(distance("routing", "routes"), 3);
    assert_eq!(distance("", "abc"), 3);
    assert_eq!(distance("abc", ""), 3);
}

#[test]
fn the_nearest_of_near_names_is_meant() {
    let known = ["endpoints", "connect_timeout", "balance"];
    assert_eq!(nearest("endpoint", known), Some("endpoints"));
    assert_eq!(nearest("Connect-Timeout", known), Some("connect_timeout"));
    assert_eq!(nearest("connecttimeout", known), Some("connect_timeout"));
    assert_eq!(nearest("service", known), None);
    assert_eq!(nearest("", known), None);
    assert_eq!(nearest("path", ["match"]), None);
    assert_eq!(nearest("a", ["b"]), Some("b"), "one edit is always allowed");
    assert_eq!(nearest(&"x".repeat(65), ["x"]), None);
}
