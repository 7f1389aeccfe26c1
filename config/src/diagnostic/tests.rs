use super::*;

fn diagnostic(source: Option<&str>, column: u32, width: u32) -> Diagnostic {
    let (file, message) = ("g.yaml".to_owned(), "is wrong".to_owned());
    let (severity, source, hint) = (Severity::Error, source.map(str::to_owned), Some("do this".to_owned()));
    Diagnostic { file, line: 12, column, width, severity, message, hint, source }
}

#[test]
fn the_first_line_names_the_place_and_the_caret_shows_it() {
    let shown = diagnostic(Some("limits: { a: 1 }"), 11, 1).to_string();
    assert_eq!(shown, "g.yaml:12:11: is wrong\n   |\n12 | limits: { a: 1 }\n   |           ^\n   = hint: do this");
}

#[test]
fn a_file_without_text_shows_none() {
    let mut diagnostic = diagnostic(None, 1, 1);
    diagnostic.hint = None;
    diagnostic.severity = Severity::Warning;
    assert_eq!(diagnostic.to_string(), "g.yaml:12:1: warning: is wrong");
}

/// The line with the text and the line with the carets.
fn shown(source: &str, column: u32, width: u32) -> (String, String) {
    let shown = diagnostic(Some(source), column, width).to_string();
    let lines: Vec<&str> = shown.lines().collect();
    (lines[2][5..].to_owned(), lines[3][5..].to_owned())
}

#[test]
fn carets_end_with_the_line() {
    assert_eq!(shown("abc", 2, 99).1, " ^^");
    assert_eq!(shown("abc", 4, 1).1, "   ^", "behind the last character");
    assert_eq!(shown("", 1, 0).1, "^");
}

#[test]
fn one_character_is_one_column_whatever_it_is() {
    assert_eq!(shown("\ta: é", 5, 1), (" a: é".to_owned(), "    ^".to_owned()));
    assert_eq!(shown("a\u{1b}[31mb", 2, 1).0, "a [31mb");
}

#[test]
fn a_long_line_is_cut_around_the_column() {
    let line: String = (0..100).map(|i| format!("{i:03} ")).collect();
    for column in [1, 80, 81, 82, 200, 400, 401] {
        let (text, carets) = shown(&line, column, 3);
        assert!(text.chars().count() <= LINE_SHOWN_MAX + 6, "{text}");
        let at = carets.find('^').unwrap();
        let wanted: String = line.chars().skip(column as usize - 1).take(3).collect();
        let cut = text.strip_suffix("...").filter(|_| column < 300).unwrap_or(&text);
        assert_eq!(cut.chars().skip(at).take(3).collect::<String>(), wanted, "{column}: {text}");
    }
    let fits = "x".repeat(LINE_SHOWN_MAX);
    assert_eq!(shown(&fits, 1, 1).0, fits);
    assert_eq!(shown(&format!("{fits}x"), 1, 1).0, format!("{fits}..."));
}

#[test]
fn nothing_of_a_file_reaches_the_terminal_as_a_control_sequence() {
    let mut diagnostic = diagnostic(Some("\u{1b}]0;a\u{7}"), 1, 1);
    diagnostic.file = "a\nb".to_owned();
    diagnostic.message = "\u{1b}[2J".to_owned();
    diagnostic.hint = Some("\r\u{9b}".to_owned());
    let shown = diagnostic.to_string();
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    assert!(shown.starts_with("a\\nb:12:1: \\u{1b}[2J\n"));
}
