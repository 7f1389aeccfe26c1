//! What `ringgate explain` says is what the running gateway does.

use super::{BINARY, Scratch, ringgate};
use crate::support::process::Process;
use crate::support::service::ok;
use crate::support::{Answer, Service};
use serde_json::Value;

const ROUTES: &str = r#"
  - { name: users, match: { path: "/users/{id}", methods: [GET, POST] }, forward: { upstream: s } }
  - { name: named, match: { path: "/named/*" }, forward: { upstream: s, host: other.internal } }
  - { name: old, match: { path: "/old/{x}/*" }, redirect: { to: "/new/{x}/{rest}", status: 308 } }
  - { name: safe, match: { path: "/safe/*" }, redirect: { https: on } }
  - { name: hello, match: { path: "/hello/{who}" }, respond: { status: 203, headers: { x-r: "{route.name} {request.host}" }, body: "hi {who} {request.path} {request.client}" } }
  - { name: gold, match: { path: "/tier", headers: { x-tier: "g*" }, query: { v: "1" } }, respond: { status: 299, body: gold } }
  - { name: any-tier, match: { path: "/tier" }, respond: { status: 298 } }
"#;

/// Method, target, header fields.
const REQUESTS: &[(&str, &str, &[&str])] = &[
    ("GET", "/users/7?q=%20", &["accept: */*", "x-forwarded-for: 6.6.6.6", "x-real-ip: 6.6.6.6", "x-request-id: a"]),
    (
        "GET",
        "/users/7",
        &["connection: close, x-mine", "x-mine: 1", "keep-alive: 5", "te: trailers", "forwarded: for=x"],
    ),
    ("GET", "/users/7", &["X_Forwarded_For: 1", "via: 1.1 other", "upgrade: h2c", "connection: upgrade"]),
    ("POST", "/users/%37", &["content-length: 0"]),
    ("PUT", "/users/7", &[]),
    ("GET", "/named/x/y", &[]),
    ("GET", "/named", &["via: 1.1 ringgate, 1.1 ringgate, 1.1 ringgate, 1.1 ringgate, 1.1 ringgate"]),
    ("GET", "/old/a%20b/c/d?e", &[]),
    ("GET", "/old/a/b%2Fc//d", &[]),
    ("GET", "/old/a", &[]),
    ("GET", "/old/..%2F..%2Fhello/x", &[]),
    ("GET", "/safe//evil.example/x", &[]),
    ("GET", "/hello/w%C3%B6rld", &[]),
    ("GET", "/tier?v=1", &["x-tier: gold"]),
    ("GET", "/tier?v=1", &["x-tier: silver"]),
    ("GET", "/tier?v=2", &["x-tier: gold"]),
    ("GET", "/x/../users/7", &[]),
    ("GET", "/nowhere", &[]),
    ("TRACE", "/users/7", &[]),
    ("GET", "/a%00", &[]),
    ("GET", "/users/7", &["content-length: 1", "transfer-encoding: chunked"]),
];

#[test]
fn it_does_what_is_explained() {
    let service = Service::answering(|_| ok("from the service"));
    let config = format!(
        "listeners: [{{ name: http, address: \"127.0.0.1:0\" }}]\nlimits: {{ connections: 100 }}\naccess_log: off\n\
         upstreams: {{ s: {{ endpoints: [\"{}\"] }} }}\nroutes:{ROUTES}",
        service.endpoint()
    );
    let file = Scratch::holding("agreement.yaml", &config);
    let gateway = Process::start(BINARY, &config, "epoll");
    for (method, target, fields) in REQUESTS {
        let before = service.request_count();
        let mut client = gateway.client();
        let lines: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        client.send(format!("{method} {target} HTTP/1.1\r\nhost: a.example.com\r\n{lines}\r\n"));
        let answer = client.answer();
        let url = format!("http://a.example.com{target}");
        let mut arguments = vec!["explain", file.path(), method, &url, "--json", "--from", "127.0.0.1"];
        fields.iter().for_each(|field| arguments.extend(["-H", field]));
        let told = ringgate(arguments).json();
        let what = format!("{method} {target} {fields:?}\n{told}\n{} {:?}", answer.status, answer.fields.0);
        match told["action"]["kind"].as_str() {
            Some("forward") => {
                let got = service.requests().split_off(before);
                assert_eq!(got.len(), 1, "{what}");
                let mut got: Vec<(String, String)> = got[0].fields.0.clone();
                got.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
                let mut said = pairs(&told["action"]["fields"]);
                for list in [&mut got, &mut said] {
                    list.retain(|(name, _)| name != "x-request-id");
                    list.sort();
                }
                assert_eq!(got, said, "{what}");
            }
            Some(_) => answered(&answer, &told, &what),
            None => {
                let refused = &told["refused"];
                assert_eq!(refused["status"], answer.status, "{what}");
                assert_eq!(answer.json()["error"], refused["error"], "{what}");
                assert_eq!(answer.fields.get("allow"), refused["allow"].as_str(), "{what}");
                assert_eq!(service.request_count(), before, "{what}");
            }
        }
    }
}

fn pairs(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    list.as_array().expect("a list").iter().map(|pair| (text(&pair["name"]), text(&pair["value"]))).collect()
}

#[track_caller]
fn answered(answer: &Answer, told: &Value, what: &str) {
    assert_eq!(told["action"]["status"], answer.status, "{what}");
    assert_eq!(told["action"]["body"]["text"], answer.text(), "{what}");
    for (name, value) in pairs(&told["action"]["fields"]) {
        assert_eq!(answer.fields.get(&name), Some(value.as_str()), "{what}");
    }
}
