use super::*;

fn parsed(text: &str) -> Result<Config, Diagnostics> {
    parse("t.yaml", text, &|_| None)
}

fn first_error(text: &str) -> String {
    parsed(text).unwrap_err().iter().next().unwrap().to_string()
}

const GOOD: &str = "listeners: [{ name: a, address: \"127.0.0.1:0\" }]\n";

#[test]
fn places_count_alike_whatever_the_line_break() {
    for ending in ["\n", "\r\n", "\r"] {
        let text = format!("{GOOD}\né: {{ \"ü\": x, limit: 1 }}\nbad: 1").replace('\n', ending);
        let errors = parsed(&text).unwrap_err();
        let at: Vec<_> = errors.iter().map(|e| (e.line, e.column, e.source.clone().unwrap())).collect();
        assert_eq!(at.len(), 2, "{errors}");
        assert_eq!((at[0].0, at[0].1), (3, 1));
        assert_eq!(at[1], (4, 1, "bad: 1".to_owned()));
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    assert!(parsed(&format!("\u{feff}{GOOD}")).is_ok());
    assert!(first_error(&format!("\u{feff}oops: 1\n{GOOD}")).starts_with("t.yaml:1:1: unknown key"));
}

#[test]
fn what_follows_a_nul_is_not_ignored() {
    let error = first_error(&format!("{GOOD}# a\0\nbad: 1\n"));
    assert!(error.starts_with("t.yaml:2:4: the character U+0000 may not"), "{error}");
}

#[test]
fn a_file_at_the_largest_size_is_read_and_one_byte_more_is_not() {
    let room = usize::try_from(MAX_FILE_BYTES).unwrap() - GOOD.len();
    let mut text = GOOD.to_owned();
    // Lines, not one line: the scanner's cost is by the line.
    text.push_str(&"#23456789\n".repeat(room / 10));
    text.push_str(&"#".repeat(room % 10));
    assert_eq!(text.len() as u64, MAX_FILE_BYTES);
    assert!(parsed(&text).is_ok());
    text.push('#');
    assert!(first_error(&text).contains("larger than 16MiB"));
}

#[test]
fn a_file_that_cant_be_read_is_one_error() {
    let directory = std::env::temp_dir().join(format!("ringgate-config-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let missing = load(&directory.join("none.yaml"), &Unchecked).unwrap_err().to_string();
    assert!(missing.contains("none.yaml:1:1: the file can't be opened: "), "{missing}");
    let folder = load(&directory, &Unchecked).unwrap_err().to_string();
    assert!(folder.contains(":1:1: the file can't be read: "), "{folder}");

    let latin = directory.join("latin1.yaml");
    std::fs::write(&latin, b"listeners: []\n# caf\xe9\n").unwrap();
    let error = load(&latin, &Unchecked).unwrap_err().to_string();
    assert!(error.contains("latin1.yaml:2:6: the file is not UTF-8"), "{error}");

    let large = directory.join("large.yaml");
    std::fs::File::create(&large).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    assert!(load(&large, &Unchecked).unwrap_err().to_string().contains("larger than 16MiB"));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_unix_socket_starts_in_the_files_directory() {
    let text = "listeners: [{ name: a, address: \"unix:run/a.sock\" }, { name: b, address: \"unix:/run/b.sock\" }]\n";
    let config = parse("/etc/ringgate/gateway.yaml", text, &|_| None).unwrap();
    let addresses: Vec<_> = config.listeners.iter().map(|l| l.address.to_string()).collect();
    assert_eq!(addresses, ["unix:/etc/ringgate/run/a.sock", "unix:/run/b.sock"]);
}

#[test]
fn more_errors_than_are_shown_are_counted() {
    let text = format!("{GOOD}{}", (0..1500).map(|i| format!("zzz{i}: 1\n")).collect::<String>());
    let errors = parsed(&text).unwrap_err();
    assert_eq!(errors.iter().count(), 1000);
    assert!(errors.to_string().ends_with("... and 500 more"));
}

#[test]
fn a_directory_whose_name_is_no_text_is_kept() {
    use std::os::unix::ffi::OsStrExt;
    let name = [b"ringgate-\xff-".as_slice(), std::process::id().to_string().as_bytes()].concat();
    let directory = std::env::temp_dir().join(std::ffi::OsStr::from_bytes(&name));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("g.yaml");
    std::fs::write(&file, "listeners: [{ name: a, address: \"unix:a.sock\" }]\n").unwrap();
    let config = load(&file, &Unchecked).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(config.listeners[0].address, crate::Address::Unix(directory.join("a.sock")));
}
