use super::*;

/// The tree as one line, each node with its place.
fn tree(node: &Node) -> String {
    let Position { line, column, .. } = node.span.at;
    let value = match &node.value {
        Value::Null => "null".to_owned(),
        Value::Refused => "refused".to_owned(),
        Value::Scalar(text) => format!("{text:?}"),
        Value::List(items) => format!("[{}]", items.iter().map(tree).collect::<Vec<_>>().join(" ")),
        Value::Map(entries) => {
            let pair = |e: &Entry| format!("{}@{}={}", e.key, e.span.at, tree(&e.value));
            format!("{{{}}}", entries.iter().map(pair).collect::<Vec<_>>().join(" "))
        }
    };
    format!("{value}@{line}:{column}")
}

#[test]
fn every_node_knows_its_place() {
    let (root, problems) = compose("a:\n  - 1\n  - {b: \"x y\", c: }\nd: ~\n");
    assert!(problems.is_empty());
    assert_eq!(
        tree(&root.unwrap()),
        r#"{a@1:1=["1"@2:5 {b@3:6="x y"@3:9 c@3:16=null@3:16}@3:5]@2:3 d@4:1=null@4:1}@1:1"#
    );
}

#[test]
fn what_is_quoted_is_text_and_what_is_not_may_be_nothing() {
    let (root, _) = compose("[null, 'null', ~, \"~\", '', no, 1.10]");
    let shown = tree(&root.unwrap());
    assert!(shown.starts_with(r#"[null@1:2 "null"@1:8 null@1:16 "~"@1:19 ""@1:24 "no"@1:28 "1.10"@1:32]"#), "{shown}");
}

#[test]
fn the_span_of_a_scalar_is_as_wide_as_it_is_written() {
    let (root, _) = compose("[abc, \"é\\n\", 'a\n b']");
    let Some(Node { value: Value::List(items), .. }) = root else { panic!() };
    assert_eq!(items.iter().map(|item| item.span.width).collect::<Vec<_>>(), [3, 5, u32::MAX]);
}

#[test]
fn the_first_of_two_equal_keys_is_kept() {
    let (root, problems) = compose("a: 1\n\"a\": 2\nb: {a: 3}\n");
    assert_eq!(problems.len(), 1);
    assert_eq!(tree(&root.unwrap()), r#"{a@1:1="1"@1:4 b@3:1={a@3:5="3"@3:8}@3:4}@1:1"#);
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(compose(&nested(DEPTH_MAX)).1.is_empty());
    let (root, problems) = compose(&nested(DEPTH_MAX + 1));
    assert!(root.is_none());
    assert_eq!(problems[0].span.at.column as usize, DEPTH_MAX + 1);
}

#[test]
fn the_number_of_nodes_is_bounded() {
    // The list itself is one of them.
    let items = |n: usize| "- a\n".repeat(n);
    assert!(compose(&items(NODES_MAX - 1)).1.is_empty());
    assert!(compose(&items(NODES_MAX)).1[0].message.contains("more than 2000000 values"));
}
