use proptest::prelude::*;

use super::*;

#[test]
fn a_star_stands_for_any_run_of_bytes() {
    for (pattern, fits, misses) in [
        ("gold", vec!["gold"], vec!["", "Gold", "golden", "old", "*"]),
        ("*", vec!["", "a", "a,b"], vec![]),
        ("**", vec!["", "a"], vec![]),
        ("a*", vec!["a", "ab", "a*"], vec!["", "ba"]),
        ("*b", vec!["b", "ab"], vec!["ba"]),
        ("*Sensor*", vec!["Sensor", "xSensory"], vec!["sensor", "Senso"]),
        ("a*a", vec!["aa", "aba"], vec!["a", "ab"]),
        ("a*b*c", vec!["abc", "axbxc", "abbcc"], vec!["ac", "acb"]),
        ("*/*", vec!["text/html", "/"], vec!["text"]),
        ("", vec![""], vec!["a"]),
    ] {
        let pattern = ValuePattern::wildcard(pattern);
        assert!(fits.iter().all(|value| pattern.matches(value.as_bytes())), "{pattern}");
        assert!(!misses.iter().any(|value| pattern.matches(value.as_bytes())), "{pattern}");
    }
}

#[test]
fn an_exact_value_has_no_wildcards() {
    let exact = ValuePattern::exact("a*");
    assert!(exact.matches(b"a*") && !exact.matches(b"ab"));
    assert_eq!(exact.as_exact(), Some("a*"));
    assert_eq!(ValuePattern::wildcard("ab").as_exact(), Some("ab"));
    assert_eq!(ValuePattern::wildcard("a*").as_exact(), None);
    assert_eq!(ValuePattern::wildcard("a***b").to_string(), "a*b");
    assert_eq!(ValuePattern::wildcard("***").to_string(), "*");
}

#[test]
fn many_stars_take_no_long_time() {
    let pattern = ValuePattern::wildcard(&"a*".repeat(500));
    assert!(!pattern.matches("a".repeat(499).as_bytes()));
    let pattern = ValuePattern::wildcard(&format!("{}b", "*a".repeat(500)));
    assert!(!pattern.matches("a".repeat(100_000).as_bytes()));
}

#[test]
fn a_regular_expression_fits_the_whole_path() {
    let regex = path_regex("/v[0-9]+|/w").unwrap();
    assert!(regex.is_match("/v12") && regex.is_match("/w"));
    assert!(!regex.is_match("/v12/x") && !regex.is_match("x/w") && !regex.is_match("/w\n"));
    assert!(path_regex("/a)(b").is_err());
    assert!(path_regex("(?x) /a # comment").is_err(), "the comment would swallow the anchor");
    assert!(path_regex("/(?i)abc").unwrap().is_match("/ABC"));
    assert!(matches!(path_regex("/(a{1000}){1000}"), Err(regex::Error::CompiledTooBig(_))));
}

proptest! {
    #[test]
    fn a_wildcard_is_what_the_regular_expression_says(pattern in "[ab*]{0,8}", value in "[ab]{0,10}") {
        let regex = format!(r"\A{}\z", regex::escape(&pattern).replace(r"\*", ".*"));
        let wanted = Regex::new(&regex).unwrap().is_match(&value);
        prop_assert_eq!(ValuePattern::wildcard(&pattern).matches(value.as_bytes()), wanted);
    }
}
