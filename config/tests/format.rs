//! The canonical form: what it looks like, and that it means what the text meant.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;
use ringgate_config::{MAX_FILE_BYTES, format};
use saphyr_parser::{Event, Parser};

/// What a text means: its events without their places.
fn meaning(text: &str) -> Vec<String> {
    let mut events = Vec::new();
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        match event.unwrap_or_else(|error| panic!("{error}\n{text}")).0 {
            Event::Scalar(value, style, ..) => events.push(format!("{style:?} {value:?}")),
            Event::DocumentStart(_) => {}
            event => events.push(format!("{event:?}")),
        }
    }
    events
}

/// The canonical form, of which everything that can be said of any is checked.
fn canonical(text: &str) -> String {
    let once = format::text("t.yaml", text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    assert_eq!(meaning(&once), meaning(text), "{text}\n---\n{once}");
    let twice = format::text("t.yaml", &once).unwrap_or_else(|errors| panic!("{errors}\n{once}"));
    assert_eq!(twice, once, "not stable:\n{text}");
    assert!(once.ends_with('\n') && !once.ends_with("\n\n") || text.contains('+'), "{once}");
    assert!(!once.starts_with('\n'));
    once
}

#[track_caller]
fn becomes(text: &str, wanted: &str) {
    assert_eq!(canonical(text), wanted);
}

fn files(folders: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in folders {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "yaml") {
                files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_examples_are_in_canonical_form() {
    let files = files(&["../examples"]);
    assert!(files.len() >= 4);
    for (name, text) in files {
        assert_eq!(canonical(&text), text, "{name}");
    }
}

#[test]
fn the_contract_and_the_broken_files_keep_their_meaning() {
    let mut formatted = 0;
    for (name, text) in files(&["tests/contract", "tests/broken"]) {
        match format::text(&name, &text) {
            Ok(_) => {
                canonical(&text);
                formatted += 1;
            }
            Err(errors) => assert!(errors.iter().all(|e| !e.message.contains("can't be formatted")), "{errors}"),
        }
    }
    assert!(formatted >= 60, "{formatted}");
}

#[test]
fn levels_are_indented_by_two_spaces() {
    becomes(
        "a:\n- b:   1\n  c :\n      d: 2\n-   - x\n    - y\n- \n  z: 1\ne:\n    - f\nlast:\n",
        "a:\n  - b: 1\n    c:\n      d: 2\n  - - x\n    - y\n  -\n    z: 1\ne:\n  - f\nlast:\n",
    );
    becomes("a:\n   b\nc:\n     - d\n     -\n        e\n", "a:\n  b\nc:\n  - d\n  -\n    e\n");
    becomes("? a\n:   b\n? c\n:   - d\n    - e\n", "? a\n: b\n? c\n: - d\n  - e\n");
    becomes("---\na: 1\n...\n", "a: 1\n");
    becomes("\u{feff}a: 1\r\nb:   2", "a: 1\nb: 2\n");
}

#[test]
fn brackets() {
    becomes("a: {b: 1,c: [ 2,3 , ],d : {}, e: [ ]}", "a: { b: 1, c: [2, 3,], d: {}, e: [] }\n");
    becomes("{a: 1}", "{ a: 1 }\n");
    becomes("a: {b, c: , \"d\":e}", "a: { b, c:, \"d\": e }\n");
    // What follows an opening bracket on its line is what further lines stand below.
    becomes(
        "limits: {a: 1,\n  b: 2,\n c: [x,\n y\n ]}",
        "limits: { a: 1,\n          b: 2,\n          c: [x,\n              y\n             ] }\n",
    );
    becomes("a: [\n      b,\n   c,\n]\nd: {\n }\n", "a: [\n    b,\n    c,\n  ]\nd: {}\n");
    becomes("a:\n  - b: [\n      c\n        ]\n", "a:\n  - b: [\n        c\n      ]\n");
    becomes("{\n\"a\": {\n\"b\": 1\n}}", "{\n  \"a\": {\n    \"b\": 1\n  } }\n");
    becomes(
        "a: [ # one\n\n\n   b, # two\n # three\n c # four\n ]   # five\n",
        "a: [ # one\n\n    b, # two\n    # three\n    c # four\n  ] # five\n",
    );
    becomes("a: [ # nothing\n ]\n", "a: [ # nothing\n  ]\n");
    becomes("a: [\n  'b'\n ]\n", "a: [\n    'b'\n  ]\n");
    becomes("a:\n - [b, c]\n -   {d: e}\n", "a:\n  - [b, c]\n  - { d: e }\n");
}

#[test]
fn comments_stand_with_what_they_are_about() {
    becomes(
        "#first\n\n\n\n# second  \na:   # about a\n    # about b\n    b: 1\n    # end of a\n  # still a\n# about c\nc: 2\n   # after all\n",
        "#first\n\n# second\na: # about a\n  # about b\n  b: 1\n  # end of a\n# still a\n# about c\nc: 2\n# after all\n",
    );
    becomes(
        "a:\n- b: 1\n  # in the first\n# about the second\n- c: 2\n  # in the second\n",
        "a:\n  - b: 1\n    # in the first\n  # about the second\n  - c: 2\n    # in the second\n",
    );
}

#[test]
fn comments_in_one_column_stay_in_one_column() {
    becomes(
        "a:   1      # one\nlonger: 2   # two\n\nb: 3        # three\nc: 4   # four\nd: [5,      # five\n    6]      # six\n",
        "a: 1      # one\nlonger: 2 # two\n\nb: 3 # three\nc: 4 # four\nd: [5, # five\n    6] # six\n",
    );
}

#[test]
fn scalars_of_several_lines() {
    becomes(
        "a: one\n     two\n\n     three   # c\nb: \"x \\\n y\n\n\n z\"\nc: ['p\n q', r\n s]\n",
        "a: one\n  two\n\n  three # c\nb: \"x \\\n  y\n\n\n  z\"\nc: ['p\n    q', r\n    s]\n",
    );
    becomes(
        "a:\n    - |   # c\n          one\n            two\n\n\n\n    - >-\n       x\n# end\nb: |+\n     y\n\n\nc: |2\n      z\nd: |\ne: 1\n",
        "a:\n  - | # c\n    one\n      two\n\n  - >-\n    x\n# end\nb: |+\n  y\n\n\nc: |2\n      z\nd: |\ne: 1\n",
    );
    becomes("a: |+\n\n\n", "a: |+\n\n\n");
    becomes("a: |+\n  x\n\n\n", "a: |+\n  x\n\n\n");
    becomes("a: |-\n  x", "a: |-\n  x\n");
    becomes("a: |\n  x  \n     \n  y\n", "a: |\n  x  \n     \n  y\n");
    becomes("a: \"x\\ \n   y\"", "a: \"x\\ \n  y\"\n");
}

#[test]
fn what_is_no_yaml_is_refused_with_its_errors() {
    for (text, wanted) in [
        ("a: [b", "t.yaml:1:6: not valid YAML"),
        ("a: \u{1}", "t.yaml:1:4: the character U+0001"),
        ("a: &x 1\nb: *x\nb: !y 2\n", "t.yaml:1:"),
        ("", "t.yaml:1:1: the file holds no map of keys"),
        ("# nothing\n", "t.yaml:1:1: the file holds no map of keys"),
        ("- a\n", "t.yaml:1:1: the file holds no map of keys"),
        ("a: 1\n---\nb: 2\n", "t.yaml:2:1: a second YAML document"),
        ("%YAML 1.2\n---\na: 1\n", "t.yaml:1:1: the file can't be formatted"),
    ] {
        let errors = format::text("t.yaml", text).unwrap_err();
        assert!(errors.to_string().starts_with(wanted), "{errors}");
    }
    assert_eq!(format::text("t.yaml", "a: &x 1\nb: *x\nb: !y 2\n").unwrap_err().iter().count(), 4);
}

#[test]
fn long_lines_and_many_comments_take_linear_time() {
    let items: Vec<String> = (0..50_000).map(|i| format!("{{n: \"{i}\"}}")).collect();
    for text in [
        format!("a: [{}]\n", items.join(",")),
        format!("a: 1\n{}b: 2\n", "   # c\n".repeat(200_000)),
        (0..50_000).map(|i| format!("k{i}: 1 # c\n")).collect(),
        format!("a: \"{}\"\n", "x\n  ".repeat(100_000)),
        format!("a: |\n{}", "  x\n\n".repeat(100_000)),
    ] {
        let began = std::time::Instant::now();
        format::text("t.yaml", &text).unwrap();
        assert!(began.elapsed().as_secs() < 20, "{} took {:?}", &text[..20], began.elapsed());
    }
}

#[test]
fn a_file_is_bounded_and_utf_8() {
    let of_length = |length: u64| format!("a: 1 # {}\n", "x".repeat(usize::try_from(length).unwrap() - 8));
    assert!(format::text("t.yaml", &of_length(MAX_FILE_BYTES)).is_ok());
    let errors = format::text("t.yaml", &of_length(MAX_FILE_BYTES + 1)).unwrap_err().to_string();
    assert!(errors.starts_with("t.yaml:1:1: the file is larger than 16MiB, "), "{errors}");
    let errors = format::bytes("t.yaml", b"a: 1\nb: \xff\n").unwrap_err().to_string();
    assert!(errors.starts_with("t.yaml:2:4: the file is not UTF-8"), "{errors}");
}

/// A value as a file may write it, in lines without indentation; the first one goes behind its key.
#[derive(Debug, Clone)]
enum Written {
    Inline(String),
    Lines(Vec<String>),
}

/// Scalars in every style; no comments inside.
fn scalar() -> impl Strategy<Value = Written> {
    let word = "[a-z0-9./]{1,6}";
    prop_oneof![
        word.prop_map(Written::Inline),
        "[a-zé ]{0,5}[!-~]?".prop_map(|text| Written::Inline(format!("'{}'", text.replace('\'', "''")))),
        "([a-z]|\\\\n|\\\\\"| |é){0,6}".prop_map(|text| Written::Inline(format!("\"{text}\""))),
        (word, "\n{1,3} {1,4}", word)
            .prop_map(|(a, gap, b)| Written::Inline(format!("{a}{}{b}", gap.replace(' ', "        ")))),
        (word, "\n{1,3} {1,4}", word)
            .prop_map(|(a, gap, b)| Written::Inline(format!("\"{a} {}{b}\"", gap.replace(' ', "        ")))),
        ("[|>][+-]?", prop::collection::vec("( {0,3}[a-z#:\\-]( [a-z]{1,4})?)?", 0..4)).prop_map(
            |(header, mut lines)| {
                // Its first line shows how far it is indented.
                lines.insert(0, "x".to_owned());
                lines.insert(0, header);
                Written::Lines(lines)
            }
        ),
        Just(Written::Inline(String::new())),
    ]
}

/// A value in brackets, over one line or several.
fn flow() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z0-9]{1,5}",
        "\"[a-z #:]{0,5}\"",
        "'[a-z,]{0,5}'",
        Just("[]".to_owned()),
        Just("{ }".to_owned())
    ];
    let space = prop_oneof![Just(""), Just(" "), Just("   "), Just("\n            "), Just(" # #\n\n\n            ")];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let items = prop::collection::vec((inner, space.clone(), space.clone()), 1..4);
        (items, any::<bool>(), any::<bool>()).prop_map(|(items, map, last)| {
            let mut text = String::from(if map { "{" } else { "[" });
            let count = items.len();
            for (i, (item, before, behind)) in items.into_iter().enumerate() {
                text.push_str(before);
                if map {
                    text.push_str(&format!("k{i}: "));
                }
                text.push_str(&item);
                text.push_str(behind);
                if i + 1 < count || last {
                    text.push(',');
                }
            }
            text.push(if map { '}' } else { ']' });
            text
        })
    })
}

/// A list or map in lines, with comments that say `#` where the number of the comment goes.
fn block() -> impl Strategy<Value = Vec<String>> {
    let leaf = prop_oneof![
        2 => scalar(),
        2 => flow().prop_map(Written::Inline),
    ];
    let comment = prop_oneof![3 => Just(""), 1 => Just(" # #"), 1 => Just("      # #")];
    let between = prop_oneof![5 => Just(vec![]), 1 => Just(vec![""; 3]), 1 => Just(vec!["# #"]), 1 => Just(vec!["", "      # #", ""])];
    let entry = (leaf, comment, between, 1usize..5);
    let entries = prop::collection::vec(entry, 1..4);
    let lists = (entries, any::<bool>()).prop_map(|(entries, list)| {
        let mut lines = Vec::new();
        for (i, (value, comment, between, spaces)) in entries.into_iter().enumerate() {
            lines.extend(between.into_iter().map(str::to_owned));
            let lead = format!("{}{}", if list { "-".to_owned() } else { format!("key{i}:") }, " ".repeat(spaces));
            match value {
                Written::Inline(text) => lines.push(format!("{lead}{text}{comment}")),
                Written::Lines(mut text) => {
                    lines.push(format!("{lead}{}{comment}", text.remove(0)));
                    lines.extend(
                        text.into_iter().map(|line| if line.is_empty() { line } else { format!("        {line}") }),
                    );
                }
            }
        }
        lines
    });
    lists.prop_recursive(3, 24, 3, move |inner| {
        let entries = prop::collection::vec((inner, any::<bool>(), 1usize..5, 0usize..3), 1..4);
        (entries, any::<bool>()).prop_map(|(entries, list)| {
            let mut lines = Vec::new();
            for (i, (value, compact, spaces, comments)) in entries.into_iter().enumerate() {
                let first = value.iter().position(|line| !line.is_empty() && !line.trim_start().starts_with('#'));
                let inner = |line: &String| {
                    if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(spaces)) }
                };
                if list && compact && first == Some(0) {
                    // A list or map that begins behind the `-`.
                    lines.push(format!("-{}{}", " ".repeat(spaces), value[0]));
                    lines.extend(value[1..].iter().map(|line| {
                        if line.is_empty() { String::new() } else { format!(" {}{line}", " ".repeat(spaces)) }
                    }));
                } else {
                    lines.push(if list { "-".to_owned() } else { format!("key{i}:") });
                    lines.extend((0..comments).map(|_| "# #".to_owned()));
                    lines.extend(value.iter().map(inner));
                }
            }
            lines
        })
    })
}

/// The text with each comment numbered.
fn numbered(text: &str) -> (String, usize) {
    let mut parts = text.split("# #");
    let mut text = parts.next().unwrap().to_owned();
    let mut count = 0;
    for part in parts {
        text.push_str(&format!("# c{count};{part}"));
        count += 1;
    }
    (text, count)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_documents_keep_their_meaning_and_their_comments(lines in block(), windows in any::<bool>()) {
        let root: Vec<String> = lines.iter().map(|line| if line.is_empty() { String::new() } else { format!("  {line}") }).collect();
        let (text, count) = numbered(&format!("root:\n{}\n", root.join("\n")));
        let text = if windows { text.replace('\n', "\r\n") } else { text };
        let valid = Parser::new_from_str(&text).take(10_000).all(|event| event.is_ok());
        prop_assume!(valid);
        let formatted = canonical(&text);
        let mut rest = formatted.as_str();
        for number in 0..count {
            let at = rest.find(&format!("# c{number};"));
            prop_assert!(at.is_some(), "comment {} is lost:\n{}\n---\n{}", number, text, formatted);
            rest = &rest[at.unwrap()..];
        }
    }

    #[test]
    fn signs_that_mean_something_keep_their_meaning(text in "([-:{}\\[\\],?#|>'\"%\\\\ \n\tab0+]|\n  |- |: ){0,40}") {
        for text in [text.clone(), format!("a: {text}\n"), format!("a:\n  - {text}\n"), format!("a: {{ {text}\n }}\n"), format!("a: |\n  {text}")] {
            match format::text("t.yaml", &text) {
                Ok(_) => drop(canonical(&text)),
                Err(errors) => {
                    let shown = errors.to_string();
                    // A plain text in brackets that ends in a `-` alone: rare enough to be left as it is.
                    let dash = text.replace([' ', '\n', '\t'], "").contains("-,");
                    prop_assert!(dash || !shown.contains("can't be formatted") || text.contains('%') || text.ends_with(' '), "{}\n{}", shown, text);
                }
            }
        }
    }
}

#[test]
fn no_error_shows_a_secret() {
    for text in [
        "admin: { token: hunter2",
        "tls:\n  key: -----BEGIN PRIVATE KEY-----\nhunter2\n  : -----END PRIVATE KEY-----\n",
    ] {
        let errors = format::text("t.yaml", text).unwrap_err().to_string();
        assert!(!errors.contains("hunter2"), "{errors}");
    }
}
