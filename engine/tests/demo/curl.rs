//! As much of curl as the demo's lines take.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Does what such a line says. A range in brackets gives an answer for each number.
#[track_caller]
pub(crate) fn curl(line: &str) -> Vec<Answer> {
    let mut words = words(line).into_iter();
    assert_eq!(words.next().as_deref(), Some("curl"), "{line}");
    let (mut method, mut data, mut fields, mut url) = (None, None, Vec::new(), None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-i" | "-N" | "--path-as-is" => {}
            "-X" => method = words.next(),
            "-d" => data = words.next(),
            "-H" => fields.push(words.next().expect("a field")),
            option if option.starts_with('-') => panic!("{option} in {line}: teach it to the test"),
            _ => url = Some(word),
        }
    }
    let url = url.unwrap_or_else(|| panic!("no address in {line}"));
    let method = method.unwrap_or_else(|| if data.is_some() { "POST" } else { "GET" }.to_owned());
    spread(&url).iter().map(|url| ask(&method, url, &fields, data.as_deref().unwrap_or_default())).collect()
}

/// The words of a shell line without variables.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for character in line.chars() {
        match character {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn spread(url: &str) -> Vec<String> {
    let range = url.split_once('[').and_then(|(front, rest)| Some((front, rest.split_once(']')?)));
    let Some((front, (range, back))) = range else { return vec![url.to_owned()] };
    let (from, to) = range.split_once('-').expect("a range");
    let number = |text: &str| text.parse::<u32>().expect("a number");
    (number(from)..=number(to)).map(|n| format!("{front}{n}{back}")).collect()
}

fn ask(method: &str, url: &str, fields: &[String], data: &str) -> Answer {
    let (authority, path) = url.split_once('/').unwrap_or_else(|| panic!("no path in {url}"));
    let mut stream = TcpStream::connect(authority).unwrap_or_else(|error| panic!("{authority}: {error}"));
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let mut request = format!("{method} /{path} HTTP/1.1\r\nconnection: close\r\n");
    if !fields.iter().any(|field| field.to_ascii_lowercase().starts_with("host:")) {
        request.push_str(&format!("host: {authority}\r\n"));
    }
    fields.iter().for_each(|field| request.push_str(&format!("{field}\r\n")));
    if !data.is_empty() {
        request.push_str(&format!("content-length: {}\r\n", data.len()));
    }
    request.push_str(&format!("\r\n{data}"));
    stream.write_all(request.as_bytes()).expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer");
    answer(&String::from_utf8(bytes).expect("text"))
}

fn answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no whole head: {text}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let fields = lines.filter_map(|line| line.split_once(':'));
    let fields: Vec<(String, String)> =
        fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let chunked = fields.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { dechunked(body) } else { body.to_owned() };
    Answer { status: status.expect("a status"), fields, body }
}

fn dechunked(mut text: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
        body.push_str(&rest[..size]);
        text = rest[size..].strip_prefix("\r\n").expect("a chunk's end");
        if size == 0 {
            return body;
        }
    }
    panic!("no last chunk: {text}");
}
