//! What the keys of other gateways are called here: hints for whoever comes from nginx, Traefik, Envoy, HAProxy, Caddy
//! or Kong.

mod tls;

/// Keys as others write them, in the map of this path.
struct Habit {
    path: &'static str,
    theirs: &'static [&'static str],
    /// The key here that is not missed where one of these is given.
    ours: Option<&'static str>,
    hint: &'static str,
}

/// What to write instead of a key in the map of this path, and the key that it stands for, if it is one.
pub(crate) fn find(path: &str, key: &str) -> Option<(&'static str, Option<&'static str>)> {
    let key = key.to_ascii_lowercase();
    let habit =
        HABITS.iter().chain(&tls::HABITS).find(|habit| habit.path == path && habit.theirs.contains(&key.as_str()))?;
    Some((habit.hint, habit.ours))
}

static HABITS: [Habit; 23] = [
    Habit {
        path: "",
        theirs: &[
            "http",
            "server",
            "servers",
            "entrypoints",
            "frontend",
            "frontends",
            "static_resources",
            "listen",
            "apps",
        ],
        ours: Some("listeners"),
        hint: "here clients connect to `listeners`, and `routes` say what becomes of their requests",
    },
    Habit {
        path: "",
        theirs: &["services", "service", "clusters", "backend", "backends", "proxy"],
        ours: None,
        hint: "here services stand under `upstreams`",
    },
    Habit {
        path: "",
        theirs: &["worker_processes", "workers", "threads", "nbthread"],
        ours: None,
        hint: "`runtime: { cores: auto }` runs one event loop on each core",
    },
    Habit { path: "", theirs: &["routers", "locations", "rules"], ours: None, hint: "here they are `routes`" },
    Habit {
        path: "runtime",
        theirs: &["workers", "threads"],
        ours: None,
        hint: "one event loop runs on each of the `cores`: `auto`, or a list",
    },
    Habit {
        path: "listeners[]",
        theirs: &["listen", "port", "bind", "host", "ip"],
        ours: Some("address"),
        hint: "write address and port together: `address: \"0.0.0.0:8080\"`",
    },
    Habit {
        path: "listeners[]",
        theirs: &["server_name", "hosts", "hostnames", "domains"],
        ours: None,
        hint: "routes tell hosts apart: `match: { hosts: [api.example.com] }`",
    },
    Habit {
        path: "upstreams.NAME",
        theirs: &[
            "servers",
            "server",
            "targets",
            "url",
            "hosts",
            "nodes",
            "load_assignment",
            "loadbalancer",
            "address",
        ],
        ours: Some("endpoints"),
        hint: "write `endpoints: [\"127.0.0.1:9001\"]`",
    },
    Habit {
        path: "upstreams.NAME",
        theirs: &["timeout", "timeouts", "read_timeout"],
        ours: None,
        hint: "connecting has `connect_timeout` here; how long an answer may take is a route's `forward: { timeout: 2s }`",
    },
    Habit {
        path: "upstreams.NAME.endpoints[]",
        theirs: &["url", "host", "port", "server", "target", "ip"],
        ours: Some("address"),
        hint: "write address and port together: `address: \"127.0.0.1:9001\"`",
    },
    Habit {
        path: "routes[]",
        theirs: &["rule", "location", "when", "uri", "url", "host", "hosts", "prefix"],
        ours: Some("match"),
        hint: "which requests it takes stands in `match: { hosts: [api.example.com], path: /users/* }`",
    },
    Habit {
        path: "routes[]",
        theirs: &["service", "backend", "cluster", "route", "proxy_pass", "handle", "reverse_proxy"],
        ours: Some("forward"),
        hint: "where requests go stands in `forward: { upstream: NAME }`",
    },
    Habit {
        path: "routes[].match",
        theirs: &["location", "uri", "prefix", "paths", "url"],
        ours: None,
        hint: "`path: /a` is that path, `path: /a/*` everything below it; several paths are several routes",
    },
    Habit {
        path: "routes[].match.path",
        theirs: &["prefix", "exact", "path"],
        ours: Some("regex"),
        hint: "write the path alone: `/a` is that path, `/a/*` everything below it",
    },
    Habit {
        path: "routes[].forward",
        theirs: &["to", "service", "url", "proxy_pass", "cluster", "backend", "host_header"],
        ours: Some("upstream"),
        hint: "name a service that stands under `upstreams`: `upstream: NAME`",
    },
    Habit {
        path: "routes[].forward",
        theirs: &["read_timeout", "proxy_read_timeout", "request_timeout"],
        ours: None,
        hint: "write `timeout: 2s`: from the end of the request to the answer's head",
    },
    Habit {
        path: "routes[].redirect",
        theirs: &["url", "location", "target", "uri", "path"],
        ours: Some("to"),
        hint: "write `to: \"/new/{rest}\"`",
    },
    Habit {
        path: "routes[].redirect",
        theirs: &["code", "status_code", "permanent"],
        ours: None,
        hint: "write `status: 308`, for example",
    },
    Habit {
        path: "routes[].respond",
        theirs: &["code", "status_code"],
        ours: None,
        hint: "write `status: 200`, for example",
    },
    Habit {
        path: "routes[].respond",
        theirs: &["text", "content", "data", "json", "content_type"],
        ours: None,
        hint: "write `body: \"...\"`, and its type under `headers: { content-type: text/plain }`",
    },
    Habit {
        path: "access_log.to",
        theirs: &["path", "filename", "rotate"],
        ours: Some("file"),
        hint: "write `file: PATH`; whoever rotates it sends USR1, and it is opened again",
    },
    Habit {
        path: "SECRET",
        theirs: &["env", "environment", "variable", "value", "path", "from"],
        ours: Some("file"),
        hint: "write `{ file: PATH }`, or `\"${NAME}\"` in the place of the map",
    },
    Habit {
        path: "shutdown",
        theirs: &["grace", "timeout", "grace_period"],
        ours: None,
        hint: "write `deadline: 30s`: how long exchanges in flight may go on",
    },
];
