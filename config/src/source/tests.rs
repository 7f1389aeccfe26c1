use super::*;

#[test]
fn lines_break_where_yaml_breaks_them() {
    assert_eq!(lines("a\nb\r\nc\rd").collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!(lines("a\n").collect::<Vec<_>>(), ["a", ""]);
    assert_eq!(lines("").collect::<Vec<_>>(), [""]);
}
