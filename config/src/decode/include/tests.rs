use super::matches;

#[test]
fn names_fit_patterns() {
    for (pattern, name) in [
        ("*", "a"),
        ("*.yaml", "a.yaml"),
        ("*.yaml", "a.b.yaml"),
        ("a*b*c", "axxbyybzc"),
        ("?.yaml", "\u{e9}.yaml"),
        (".*", ".hidden"),
        ("**", "a"),
        ("10-*", "10-"),
    ] {
        assert!(matches(pattern, name), "{pattern} {name}");
    }
    for (pattern, name) in [("*.yaml", "a.yml"), ("*", ".hidden"), ("?", "ab"), ("a*b", "abc"), ("", "a"), ("a", "")] {
        assert!(!matches(pattern, name), "{pattern} {name}");
    }
}

#[test]
fn many_stars_take_no_long_time() {
    assert!(!matches(&"*a".repeat(100), &"a".repeat(255).replace("aaaaaaaaa", "b")));
}
