//! What is read of actions, templates, secrets, the admin listener and the access log is what is given.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use ringgate_config::{
    AccessLog, Action, Address, Config, Diagnostics, Files, LogFormat, LogPart, LogTarget, LogValue, Redirect,
    Reference, RequestValue, Respond, ResponseBody, Share, Template, TemplatePart, Unchecked, parse_with,
};

/// The files of these tests.
struct Few;

impl Files for Few {
    fn read(&self, path: &Path, max: u64) -> Result<Vec<u8>, String> {
        let bytes: &[u8] = match path.to_str() {
            Some("/etc/keys/admin") => b" s3cret-token\n",
            Some("/etc/empty") => b" \n",
            Some("/etc/latin1") => b"caf\xe9",
            Some("/etc/page.html") => b"<p>{request.path}</p>",
            _ => return Err("can't be opened: no such file".to_owned()),
        };
        assert!(bytes.len() as u64 <= max);
        Ok(bytes.to_vec())
    }

    fn is_directory(&self, path: &Path) -> bool {
        path == Path::new("/etc/logs")
    }
}

fn load(rest: &str) -> Result<Config, Diagnostics> {
    let text = format!(
        "listeners: [{{ name: a, address: \"127.0.0.1:0\" }}]\n\
         upstreams: {{ u: {{ endpoints: [\"127.0.0.1:1\"] }}, v: {{ endpoints: [\"127.0.0.1:2\"] }} }}\n{rest}\n"
    );
    parse_with("/etc/t.yaml", &text, &|name| (name == "TOKEN").then(|| "from-the-env".to_owned()), &Few, &Unchecked)
}

fn good(rest: &str) -> Config {
    load(rest).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The one route with this path and this action.
fn action(path: &str, action: &str) -> Result<Action, Diagnostics> {
    let routes = format!("routes: [{{ name: r, match: {{ path: \"{path}\" }}, {action} }}]");
    load(&routes).map(|mut config| config.routes.remove(0).action)
}

fn redirect(path: &str, text: &str) -> Redirect {
    match action(path, &format!("redirect: {text}")).unwrap() {
        Action::Redirect(redirect) => redirect,
        other => panic!("{other:?}"),
    }
}

fn respond(path: &str, text: &str) -> Respond {
    match action(path, &format!("respond: {text}")).unwrap() {
        Action::Respond(respond) => respond,
        other => panic!("{other:?}"),
    }
}

fn literal(text: &str) -> TemplatePart {
    TemplatePart::Literal(text.to_owned())
}

#[test]
fn redirects() {
    let to = redirect("/old/*", "{ to: \"/new/{rest}\" }");
    let parts = vec![literal("/new/"), TemplatePart::Reference(Reference::Rest)];
    assert_eq!(to, Redirect { to: Some(Template { parts }), https: false, https_port: None, status: 307 });
    assert_eq!(redirect("/*", "{ https: on }"), Redirect { to: None, https: true, https_port: None, status: 308 });
    assert_eq!(redirect("/*", "{ https: true, status: 301 }").status, 301);
    assert_eq!(redirect("/a", "{ to: /b, https: on }").status, 307);
    for status in [301, 302, 303, 307, 308] {
        assert_eq!(redirect("/a", &format!("{{ to: /b, status: {status} }}")).status, status);
    }
}

#[test]
fn where_a_redirect_may_lead() {
    for to in [
        "/",
        "/b?q=1#top",
        "/{id}/{rest}",
        "/%7Bid%7D",
        "http://example.com",
        "https://example.com:8443/x",
        "https://example.com?{request.query}",
        "https://[::1]/",
        "https://{request.host}",
        "https://{request.host}:8443/x",
        "https://{request.host}{request.path}",
        "https://example.com{request.path}",
    ] {
        let read = redirect("/old/{id}/*", &format!("{{ to: \"{to}\" }}")).to.unwrap();
        assert_eq!(read.to_string(), to);
    }
    for to in [
        "b",
        "//example.com/",
        "/a b",
        "/a\\\\b",
        "/caf\u{e9}",
        "/a{",
        "/a\\nb",
        "ftp://example.com/",
        "https://",
        "https:///a",
        "https://{id}/",
        "https://{id}.example.com/",
        "https://www.{request.host}/",
        "https://example.com{rest}",
        "https://{request.host}{rest}",
        "https://{request.host}.example.com/",
        "https://example.com:99999/",
        "https://user@example.com/",
        "{rest}",
        "/{nothing}",
    ] {
        assert!(action("/old/{id}/*", &format!("redirect: {{ to: \"{to}\" }}")).is_err(), "{to}");
    }
}

#[test]
fn responses() {
    let empty = respond("/a", "{}");
    let nothing = ResponseBody::Text(Template::default());
    assert_eq!(empty, Respond { status: 200, headers: Vec::new(), body: nothing, ready: false });
    let hello = respond("/a", "{ status: 201, headers: { Content-Type: text/plain }, body: \"hello\\n\" }");
    assert_eq!(hello.status, 201);
    assert_eq!(hello.headers, [("content-type".to_owned(), Template::literal("text/plain"))]);
    assert_eq!(hello.body, ResponseBody::Text(Template::literal("hello\n")));
    assert!(respond("/ready", "{ health: ready }").ready);
    let page = ResponseBody::File { path: "/etc/page.html".into(), bytes: b"<p>{request.path}</p>".to_vec() };
    assert_eq!(respond("/a", "{ file: page.html }").body, page);
    assert_eq!(respond("/a", "{ status: 204, body: \"\" }").status, 204);
}

#[test]
fn templates() {
    let body = |path: &str, text: &str| match respond(path, &format!("{{ body: '{text}' }}")).body {
        ResponseBody::Text(template) => template.parts,
        other => panic!("{other:?}"),
    };
    let capture = |name: &str| TemplatePart::Reference(Reference::Capture(name.to_owned()));
    assert_eq!(body("/u/{id}", r#"{"id": "{id}"}"#), [literal(r#"{"id": ""#), capture("id"), literal(r#""}"#)]);
    assert_eq!(body("/u/{id}", "{id}{id}"), [capture("id"), capture("id")]);
    assert_eq!(body("/u/{id}", "{{id}} { id } {} {1} {i-d} {id {id."), [literal("{id} { id } {} {1} {i-d} {id {id.")]);
    assert_eq!(body("/u/{id}", "{{{id}}}"), [literal("{{id}}")]);
    assert_eq!(body("/*", "{rest}"), [TemplatePart::Reference(Reference::Rest)]);
    assert_eq!(body("/a", "{route.name}"), [TemplatePart::Reference(Reference::RouteName)]);
    for (name, value) in RequestValue::ALL {
        let reference = TemplatePart::Reference(Reference::Request(value));
        assert_eq!(body("/a", &format!("{{request.{name}}}")), [reference]);
    }
    for text in ["{rest}", "{id}", "{jwt.sub}", "{consumer}", "{request}", "{request.nothing}", "{route}"] {
        assert!(action("/a", &format!("respond: {{ body: \"{text}\" }}")).is_err(), "{text}");
    }
}

#[test]
fn splits() {
    let text = "forward: { split: [{ upstream: v, weight: 0 }, { upstream: u, weight: 1000 }], timeout: 1s }";
    match action("/a", text).unwrap() {
        Action::Forward(forward) => {
            assert_eq!(forward.to, [Share { upstream: 1, weight: 0 }, Share { upstream: 0, weight: 1000 }]);
            assert_eq!(forward.timeout, Duration::from_secs(1));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_admin_listener_and_its_token() {
    let config = good("admin: { address: \"[::1]:0\", token: { file: keys/admin } }");
    let admin = config.admin.unwrap();
    assert_eq!(admin.address, Address::Tcp("[::1]:0".parse().unwrap()));
    assert_eq!(admin.token.unwrap().reveal(), "s3cret-token");
    assert_eq!(config.files, [Path::new("/etc/t.yaml"), Path::new("/etc/keys/admin")]);
    let from_env = good("admin: { address: \"unix:a.sock\", token: \"${TOKEN}\" }").admin.unwrap();
    assert_eq!(from_env.address, Address::Unix("/etc/a.sock".into()));
    assert_eq!(from_env.token.unwrap().reveal(), "from-the-env");
    for file in ["empty", "latin1", "missing"] {
        assert!(load(&format!("admin: {{ address: \"[::1]:0\", token: {{ file: {file} }} }}")).is_err());
    }
}

#[test]
fn no_diagnostic_shows_a_secret() {
    let written = "admin: { address: \"127.0.0.1:1\", token: hunter2-hunter2 }";
    let warnings = good(written).warnings;
    let shown: Vec<String> = warnings.iter().map(|warning| warning.to_string()).collect();
    assert!(shown.iter().any(|shown| shown.contains("this secret is written out")), "{shown:?}");
    assert!(shown.iter().all(|shown| !shown.contains("hunter2")), "{shown:?}");
    assert!(shown.iter().any(|shown| shown.contains("token: ***************")), "{shown:?}");
    let errors = load(&written.replace("127.0.0.1:1", "1.2.3.4:1")).unwrap_err().to_string();
    assert!(!errors.contains("hunter2"), "{errors}");
    assert!(!format!("{:?}", good(written)).contains("hunter2-hunter2\")"));
}

#[test]
fn no_diagnostic_shows_a_secret_in_another_shape() {
    for token in [
        "[ \"hunter2\" ]",
        "[ ok, hunter2, [hunter2] ]",
        "{ fil: \"hunter2\" }",
        "{ file: [hunter2] }",
        "{ file: { file: hunter2 } }",
        "{ value: hunter2 }",
        "{ env: { name: hunter2 } }",
        "[ { file: hunter2 } ]",
        "{ hunter2 }",
        "{ hunter2: }",
        "{ hunter2: ~, file: missing }",
        "&hunter2 a",
        "!hunter2 a",
        "*hunter2",
        "\"a\n    hunter2\"",
        "[a\n    b\n    hunter2]",
    ] {
        let errors = load(&format!("admin: {{ address: \"127.0.0.1:1\", token: {token}, user: root }}")).unwrap_err();
        assert!(errors.iter().count() > 0);
        let shown = errors.to_string();
        let lines: Vec<&str> = shown.lines().filter(|line| line.contains("hunter2")).collect();
        assert!(lines.is_empty(), "{token}: {shown}");
        assert!(!format!("{errors:?}").contains("hunter2"), "{token}: {errors:?}");
    }
}

#[test]
fn no_diagnostic_shows_a_secret_of_a_file_that_is_no_yaml() {
    for admin in [
        "{ token: hunter2, user: [ }",
        "{ token: \"hunter2, user: a }",
        "{ token: a, token: hunter2 }",
        "{ 'token' : hunter2, a: b: c }",
        "\n  token: hunter2\n   a: b",
        "\n  token:\n    hunter2: : [\n  a: b",
        "\n  token: [ a,\n    hunter2\n  a: b",
        "\n  token: \"hunter2\u{1}\"",
        "{ address: \"127.0.0.1:1\" }\ntoken: hunter2",
    ] {
        let errors = load(&format!("admin: {admin}")).unwrap_err();
        assert!(!format!("{errors:?}").contains("hunter2"), "{admin}: {errors}");
    }
}

#[test]
fn access_logs() {
    let log = |text: &str| good(&format!("access_log: {text}")).access_log;
    assert_eq!(log("{ format: json, to: stdout }"), Some(AccessLog::default()));
    assert_eq!(log("{ format: combined }").unwrap().format, LogFormat::Combined);
    assert_eq!(log("{ to: { file: logs/a.log } }").unwrap().to, LogTarget::File("/etc/logs/a.log".into()));
    assert_eq!(log("{ headers: [User-Agent, referer] }").unwrap().headers, ["user-agent", "referer"]);
    let parts = vec![
        LogPart::Value(LogValue::Client),
        LogPart::Literal(" {status} ".to_owned()),
        LogPart::Header("user-agent".to_owned()),
    ];
    let template = log("{ format: { template: \"{client} {{status}} {header:User-Agent}\" } }").unwrap();
    assert_eq!(template.format, LogFormat::Template(parts));
    for (name, value) in LogValue::ALL {
        let read = log(&format!("{{ format: {{ template: \"{{{name}}}\" }} }}")).unwrap();
        assert_eq!(read.format, LogFormat::Template(vec![LogPart::Value(value)]));
    }
    for header in ["authorization", "Cookie", "set-cookie", "proxy-authorization", "X-API-Key"] {
        assert!(load(&format!("access_log: {{ headers: [{header}] }}")).is_err());
        assert!(load(&format!("access_log: {{ format: {{ template: \"{{header:{header}}}\" }} }}")).is_err());
    }
    let headers = |n: usize| {
        let names: Vec<String> = (0..n).map(|i| format!("x-{i}")).collect();
        load(&format!("access_log: {{ headers: [{}] }}", names.join(", ")))
    };
    assert_eq!(headers(32).unwrap().access_log.unwrap().headers.len(), 32);
    assert!(headers(33).is_err());
}

#[test]
fn what_the_process_does() {
    let config = good(
        "runtime: { cores: [1, 0], per_core: { 0: { ring_entries: 64 }, 1: {} } }\nstate_dir: state\n\
         shutdown: { delay: 5s }\nreload: { drain: 1h }",
    );
    assert_eq!(config.runtime.per_core[&0].ring_entries, Some(64));
    assert_eq!(config.runtime.per_core[&1].ring_entries, None);
    assert_eq!(config.state_dir.as_deref(), Some(Path::new("/etc/state")));
    assert_eq!(config.shutdown.delay, Duration::from_secs(5));
    assert_eq!(config.reload.drain, Duration::from_secs(3600));
}
