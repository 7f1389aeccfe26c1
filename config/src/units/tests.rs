use super::*;

#[test]
fn durations() {
    let millis = |text| duration(text).map(|d| d.as_millis());
    assert_eq!(millis("250ms"), Ok(250));
    assert_eq!(millis("2s"), Ok(2_000));
    assert_eq!(millis("5m"), Ok(300_000));
    assert_eq!(millis("1h"), Ok(3_600_000));
    assert_eq!(millis("0s"), Ok(0));
    assert_eq!(millis("007s"), Ok(7_000));
    assert_eq!(millis("0"), Err(NotANumber::NoUnit));
    assert_eq!(millis("10"), Err(NotANumber::NoUnit));
    for text in ["", "s", "-1s", "+1s", "1.5s", "1,5s", "1_000s", " 1s", "½s"] {
        assert_eq!(millis(text), Err(NotANumber::Form), "{text}");
    }
    for text in ["1d", "1S", "1 s", "1s ", "1sec", "1ms2", "2h5m", "1us"] {
        assert_eq!(millis(text), Err(NotANumber::Unit), "{text}");
    }
    assert_eq!(millis("18446744073709551615ms"), Ok(u128::from(u64::MAX)));
    assert_eq!(millis("18446744073709551616ms"), Err(NotANumber::TooLarge));
    assert_eq!(millis("5124095576030h"), Ok(5_124_095_576_030 * 3_600_000));
    assert_eq!(millis("5124095576031h"), Err(NotANumber::TooLarge));
}

#[test]
fn sizes() {
    assert_eq!(size("240"), Ok(240));
    assert_eq!(size("512B"), Ok(512));
    assert_eq!(size("64KiB"), Ok(65_536));
    assert_eq!(size("10MiB"), Ok(10_485_760));
    assert_eq!(size("1GiB"), Ok(1 << 30));
    assert_eq!(size("1TiB"), Ok(1 << 40));
    for text in ["1KB", "1kib", "1K", "1 KiB", "1k", "1M", "64KiBs"] {
        assert_eq!(size(text), Err(NotANumber::Unit), "{text}");
    }
    assert_eq!(size("1.5KiB"), Err(NotANumber::Form));
    assert_eq!(size("16777215TiB"), Ok(16_777_215 << 40));
    assert_eq!(size("16777216TiB"), Err(NotANumber::TooLarge));
}

#[test]
fn integers() {
    assert_eq!(integer("0"), Ok(0));
    assert_eq!(integer("18446744073709551615"), Ok(u64::MAX));
    assert_eq!(integer("18446744073709551616"), Err(NotANumber::TooLarge));
    assert_eq!(integer("1e3"), Err(NotANumber::Unit));
    assert_eq!(integer("0x10"), Err(NotANumber::Unit));
    assert_eq!(integer("-1"), Err(NotANumber::Form));
}

#[test]
fn what_is_shown_is_read_back() {
    for text in ["1B", "1023B", "1KiB", "1536B", "3MiB", "1GiB", "1TiB", "1025GiB"] {
        assert_eq!(show_size(size(text).unwrap()), text);
    }
    for text in ["0s", "1ms", "999ms", "1s", "90s", "2m", "36h"] {
        assert_eq!(show_duration(duration(text).unwrap()), text);
    }
    assert_eq!(show_size(2048), "2KiB");
    assert_eq!(show_duration(Duration::from_secs(120)), "2m");
}
