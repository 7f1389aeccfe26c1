//! Bodies through the pipeline: whatever came together with what, the service gets each byte once and in order.

use super::*;

/// Answers each request with its own body behind the request line.
fn echo() -> Service {
    Box::new(|received, answer| {
        let mut done = 0;
        while let Some((head, body)) = split(&received[done..]) {
            let line = head.lines().next().unwrap_or_default();
            answer.extend_from_slice(
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", line.len() + body.len()).as_bytes(),
            );
            answer.extend_from_slice(line.as_bytes());
            answer.extend_from_slice(body);
            done += head.len() + body.len();
        }
        done
    })
}

fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    Some((head, bytes.get(end..end + length.unwrap_or(0))?))
}

fn harness() -> Harness {
    let text = concat!(include_str!("../../../examples/minimal.yaml"), "\naccess_log: off\n");
    Harness::new(&ringgate_config::parse("minimal.yaml", text, &|_| None).unwrap(), echo()).unwrap()
}

/// The bodies of the answers to what is sent in these pieces.
fn bodies(harness: &mut Harness, pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut answered = Vec::new();
    for piece in pieces {
        harness.exchange(piece, |bytes| answered.extend_from_slice(bytes));
    }
    let mut rest = &answered[..];
    let mut bodies = Vec::new();
    while let Some((head, body)) = split(rest) {
        bodies.push(body.to_vec());
        rest = &rest[head.len() + body.len()..];
    }
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(rest));
    bodies
}

fn request(method: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!("{method} /p HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend_from_slice(body);
    request
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 % 251) as u8).collect()
}

#[test]
fn bodies_of_any_length_and_method_arrive_whole() {
    let mut harness = harness();
    for method in ["POST", "PUT"] {
        for len in [0, 1, 50, 60, 1000, 16 * 1024, 19_000, 20_000, 40_000, 200_000] {
            let body = pattern(len);
            let expected = [method.as_bytes(), b" /p HTTP/1.1", &body].concat();
            assert_eq!(bodies(&mut harness, &[&request(method, &body)]), [expected], "{method} {len}");
        }
    }
    assert_eq!(harness.connections(), 1);
}

#[test]
fn a_request_behind_a_body_is_the_next_one() {
    let mut harness = harness();
    for method in ["POST", "PUT"] {
        for len in [3, 300, 10_000] {
            let body = pattern(len);
            let first = [method.as_bytes(), b" /p HTTP/1.1", &body].concat();
            let second = [b"POST /p HTTP/1.1", &body[..]].concat();
            let both = [request(method, &body), request("POST", &body)].concat();
            for cut in [both.len(), 10, both.len() / 2, both.len() - 1] {
                let pieces: &[&[u8]] = &[&both[..cut], &both[cut..]];
                assert_eq!(
                    bodies(&mut harness, pieces),
                    [first.clone(), second.clone()],
                    "{method} {len} cut at {cut}"
                );
            }
        }
    }
}

#[test]
fn a_client_that_comes_back_is_served_on_the_service_s_old_connection() {
    let mut harness = harness();
    for _ in 0..3 {
        assert_eq!(bodies(&mut harness, &[&request("POST", b"abc")]), [b"POST /p HTTP/1.1abc"]);
        harness.reconnect().unwrap();
    }
    assert_eq!(harness.connections(), 1);
}
