use super::*;

fn list(value: &str) -> Vec<String> {
    elements(value.as_bytes()).map(|element| String::from_utf8_lossy(element).into_owned()).collect()
}

#[test]
fn elements_are_trimmed_and_empty_ones_left_out() {
    assert_eq!(list("close"), ["close"]);
    assert_eq!(list(" a ,\tb,c "), ["a", "b", "c"]);
    assert_eq!(list(",, a,, ,b,"), ["a", "b"]);
    assert!(list("").is_empty() && list(" , ,").is_empty());
}

#[test]
fn a_comma_in_quotes_does_not_separate() {
    assert_eq!(list(r#"a="x,y", b"#), [r#"a="x,y""#, "b"]);
    assert_eq!(list(r#""x\",y",z"#), [r#""x\",y""#, "z"]);
    assert_eq!(list(r#""x\\",y"#), [r#""x\\""#, "y"]);
    assert_eq!(list(r#"a,"x,y"#), ["a", r#""x,y"#]);
    assert_eq!(list(r"a\,b"), [r"a\", "b"]);
}
