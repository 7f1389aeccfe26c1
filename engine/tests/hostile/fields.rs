//! Field lines that no request may have: rows of the corpus.

/// Lines that say how long the body is, in ways that two readers could take differently.
pub(crate) fn framing_lines() -> Vec<String> {
    let mut rows = Vec::new();
    let lengths =
        ["Content-Length: 5", "content-length:5", "CONTENT-LENGTH: 5 ", "Content-Length:\t5", "Content-Length: 0"];
    let codings = [
        "Transfer-Encoding: chunked",
        "transfer-encoding:chunked",
        "TRANSFER-ENCODING: Chunked",
        "Transfer-Encoding:\tchunked",
        "Transfer-Encoding: chunked ",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding:",
    ];
    for length in lengths {
        for coding in codings {
            rows.push(format!("{length}\r\n{coding}\r\n"));
            rows.push(format!("{coding}\r\n{length}\r\n"));
            rows.push(format!("{coding}\r\nX: y\r\n{length}\r\n"));
        }
    }
    let values = [
        "xchunked",
        "chunkedx",
        "x chunked",
        "chunked x",
        "\"chunked\"",
        "'chunked'",
        "chunked;q=1",
        "chunked, chunked",
        "chunked,chunked",
        "gzip, chunked",
        "chunked, gzip",
        "gzip",
        "identity",
        "identity, chunked",
        "chunked, identity",
        "deflate",
        "br",
        "compress, chunked",
        "trailers",
        ",chunked",
        "chunked,",
        ", ,chunked",
        "",
        ",",
        "chun\tked",
        "chunked\u{a0}",
        "\u{a0}chunked",
        "chunKed\u{212a}",
        "c\u{a0}hunked",
        "0",
        "true",
        "chunked\t, gzip",
        "[chunked]",
        "chunked:",
        ":chunked",
        "chunked=1",
        "chunked; chunked",
        "Content-Length: 5",
    ];
    rows.extend(values.iter().map(|value| format!("Transfer-Encoding: {value}\r\n")));
    for byte in [0x0b, 0x0c, 0x00, 0x1f, 0x7f, 0x08] {
        let byte = char::from(byte);
        rows.push(format!("Transfer-Encoding: {byte}chunked\r\n"));
        rows.push(format!("Transfer-Encoding:{byte}chunked\r\n"));
        rows.push(format!("Transfer-Encoding: chunked{byte}\r\n"));
        rows.push(format!("Transfer-Encoding{byte}: chunked\r\n"));
        rows.push(format!("Content-Length: 5{byte}\r\n"));
        rows.push(format!("Content-Length: {byte}5\r\n"));
    }
    for fold in [
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: chunked\r\n ",
        "Transfer-Encoding: gzip,\r\n\tchunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "Content-Length:\r\n 5",
        "Content-Length: 5\r\n 5",
        "X: y\r\n\tContent-Length: 5",
    ] {
        rows.push(format!("{fold}\r\n"));
    }
    for (one, two) in
        [("chunked", "chunked"), ("chunked", "identity"), ("identity", "chunked"), ("gzip", "chunked"), ("", "chunked")]
    {
        rows.push(format!("Transfer-Encoding: {one}\r\nTransfer-Encoding: {two}\r\n"));
        rows.push(format!("Transfer-Encoding: {one}\r\nX: y\r\ntransfer-encoding: {two}\r\n"));
    }
    let lengths = [
        "+5",
        "-5",
        "-0",
        "+0",
        "0x5",
        "0X05",
        "5h",
        "5 5",
        "5, 5",
        "5,5",
        "5,",
        ",5",
        "5, 6",
        "5;",
        "5.0",
        "5e0",
        "",
        "five",
        "\"5\"",
        "5_0",
        "1 0",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999",
        "00000000000000000000005",
        "\u{665}",
        "5\u{a0}",
        "0b101",
        "5L",
        "NaN",
        "inf",
        "4294967296\t0",
        "(5)",
        "5%",
        "%35",
    ];
    rows.extend(lengths.iter().map(|value| format!("Content-Length: {value}\r\n")));
    for (one, two) in
        [("5", "6"), ("5", "05x"), ("0", "5"), ("5", "0"), ("5", "-5"), ("5", ""), ("", "5"), ("5", "5,5")]
    {
        rows.push(format!("Content-Length: {one}\r\nContent-Length: {two}\r\n"));
        rows.push(format!("content-length: {one}\r\nX: y\r\nCONTENT-LENGTH: {two}\r\n"));
    }
    rows
}

/// Lines that no head may have, whatever they say.
pub(crate) fn broken_lines() -> Vec<String> {
    let mut rows: Vec<String> = [
        "X : y\r\n",
        "X\t: y\r\n",
        ": y\r\n",
        " X: y\r\n",
        "\tX: y\r\n",
        "X y\r\n",
        "X\r\n",
        "X: y\r\n z\r\n",
        "X: y\r\n\tz\r\n",
        "X: y\r\n \r\n",
        "X: y\n",
        "X: y\nZ: z\r\n",
        "X: y\r",
        "X: y\rZ: z\r\n",
        "X: y\r\r\n",
        "X: y\n\r\n",
        "\n",
        "X: y\n\nGET /hidden HTTP/1.1\r\n",
        "X\u{a0}: y\r\n",
        "X\u{e9}: y\r\n",
        "X Y: z\r\n",
        "Content-Length : 5\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Host : h2\r\n",
        "Content Length: 5\r\n",
        "Content-Length\n: 5\r\n",
        "Content-Length\r: 5\r\n",
    ]
    .map(str::to_string)
    .into();
    for byte in "(),/;<=>?@[\\]{}\"".chars() {
        rows.push(format!("X{byte}: y\r\n"));
        rows.push(format!("{byte}X: y\r\n"));
    }
    for byte in (0..0x20u8).chain([0x7f]) {
        let char = char::from(byte);
        if !matches!(byte, b'\t' | b'\n' | b'\r') {
            rows.push(format!("X: a{char}b\r\n"));
            rows.push(format!("X: {char}\r\n"));
            rows.push(format!("X{char}Y: b\r\n"));
            rows.push(format!("{char}X: b\r\n"));
        }
    }
    rows
}

/// `Host` lines that HTTP/1.1 does not allow.
pub(crate) fn host_lines() -> Vec<String> {
    let mut rows: Vec<String> =
        ["", "Host: h\r\nHost: h\r\n", "Host: h\r\nhost: other\r\n", "HOST: a\r\nX: y\r\nHost: b\r\n"]
            .map(str::to_string)
            .into();
    let hosts = [
        "a b",
        "a/b",
        "a\\b",
        "a@b",
        "user:pw@h",
        "a,b",
        "h, h",
        "a:b",
        "a:99999",
        "a:-1",
        "a:80:80",
        "[::1",
        "::1",
        "[::g]",
        "[]",
        "[::1]x",
        "[v]",
        "h#x",
        "h?x",
        "<h>",
        "h\u{e9}",
        "h\u{a0}",
        "h\"",
        "{h}",
        "h|",
        "h^",
        "`h`",
        "http://h",
        "h/",
        ":80",
        "a\tb",
        "%",
        "a%zz",
        "[::1]:x",
        "h:+80",
        "h:8 0",
    ];
    rows.extend(hosts.iter().map(|host| format!("Host: {host}\r\n")));
    rows
}
