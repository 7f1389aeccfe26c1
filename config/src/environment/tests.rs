use super::*;

fn expanded(text: &str) -> Result<Option<String>, Unexpandable> {
    expand(text, &|name| match name {
        "A" => Some("a".to_owned()),
        "_B2" => Some("${A}".to_owned()),
        "EMPTY" => Some(String::new()),
        "BIG" => Some("x".repeat(EXPANDED_MAX)),
        _ => None,
    })
}

fn becomes(text: &str, wanted: &str) {
    assert_eq!(expanded(text).unwrap().as_deref(), Some(wanted), "{text}");
}

#[test]
fn a_text_without_references_is_left_alone() {
    for text in ["", "a", "$", "$$", "$A", "a$", "{A}", "^/a$", "$ {A}"] {
        assert_eq!(expanded(text), Ok(None), "{text}");
    }
}

#[test]
fn references_are_replaced_and_what_comes_out_is_not_looked_at() {
    becomes("${A}", "a");
    becomes("x${A}y${A}z", "xayaz");
    becomes("${_B2}", "${A}");
    becomes("${EMPTY}", "");
    becomes("$ ${A}$", "$ a$");
}

#[test]
fn a_default_stands_in_for_unset_and_for_empty() {
    becomes("${NONE:-d}", "d");
    becomes("${EMPTY:-d}", "d");
    becomes("${A:-d}", "a");
    becomes("${NONE:-}", "");
    becomes("${NONE:-a:-b}", "a:-b");
    becomes("${NONE:-[::]:8080}", "[::]:8080");
    becomes("${NONE:-$x}", "$x");
}

#[test]
fn a_doubled_sign_is_the_sign_itself() {
    becomes("$${A}", "${A}");
    becomes("$${", "${");
    becomes("$${A}${A}", "${A}a");
    becomes("$$${A}", "$${A}");
    becomes("${A}$${A}", "a${A}");
}

#[test]
fn what_cant_be_expanded_says_why() {
    assert_eq!(expanded("${A"), Err(Unexpandable::Unclosed));
    assert_eq!(expanded("x${"), Err(Unexpandable::Unclosed));
    assert_eq!(expanded("${NONE}"), Err(Unexpandable::Unset("NONE".to_owned())));
    for name in ["", "1", "A-B", "A B", "é", ":-x", "A:x", "A:-${A"] {
        assert_eq!(expanded(&format!("${{{name}}}")), Err(Unexpandable::Name(name.to_owned())), "{name}");
    }
}

#[test]
fn the_result_may_be_as_long_as_the_limit_and_no_longer() {
    becomes("${BIG}", &"x".repeat(EXPANDED_MAX));
    assert_eq!(expanded("${BIG}y"), Err(Unexpandable::TooLong));
    assert_eq!(expanded("y${BIG}"), Err(Unexpandable::TooLong));
    assert_eq!(expanded("${BIG}${A}"), Err(Unexpandable::TooLong));
}
