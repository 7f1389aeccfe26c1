//! Every metric moves when what it speaks of happens, counters never fall, and asking costs a shard nothing.

use crate::exposition::Exposition;
use crate::sites::{Folder, Secure, Site, tls, trusting};
use crate::support::service::ok;
use crate::support::{Client, Gate, Plan, STUCK, Service, on_both_drivers, wait_for};
use ringgate::control::{Gateway, Options};
use ringgate_rt::Address;
use ringgate_rt::driver::Choice;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

on_both_drivers!(requests_are_counted_by_route_and_status, endpoints_are_counted, listeners_are_counted);

fn page(gate: &Gate) -> Exposition {
    Exposition::read(&gate.running().metrics())
}

/// What is counted at the end of an exchange may be counted a moment after its answer has come.
#[track_caller]
fn wait_for_page(gate: &Gate, what: &str, holds: impl Fn(&Exposition) -> bool) -> Exposition {
    wait_for(what, || Some(page(gate)).filter(|page| holds(page)))
}

const REQUESTS: &str = "ringgate_requests_total";

fn requests_are_counted_by_route_and_status(driver: Choice) {
    let service = Service::answering(|request| match request.target.as_str() {
        "/made" => b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n".to_vec(),
        _ => ok(vec![b'x'; 5000]),
    });
    let gate = Plan::to(&service).matches("path: \"/*\", methods: [GET, POST]").start(driver);
    let mut client = gate.client();
    for _ in 0..3 {
        assert_eq!(client.get("/").status, 200);
    }
    assert_eq!(
        client
            .exchange("POST /made HTTP/1.1\r\nhost: h\r\ncontent-length: 300\r\n\r\n".to_owned() + &"y".repeat(300))
            .status,
        201
    );
    assert_eq!(client.exchange("DELETE / HTTP/1.1\r\nhost: h\r\n\r\n").status, 405);
    assert_eq!(client.exchange("GET  / HTTP/1.1\r\nhost: h\r\n\r\n").status, 400);
    let page = wait_for_page(&gate, "six requests", |page| page.sum(REQUESTS, &[]) == 6.0);
    let code = |route: &str, code: &str| page.sum(REQUESTS, &[&format!("http_route=\"{route}\""), code]);
    assert_eq!((code("all", "200"), code("all", "201"), code("", "405"), code("", "400")), (3.0, 1.0, 1.0, 1.0));
    let all = "{http_route=\"all\"}";
    assert_eq!(page.get(&format!("http_server_request_body_size_bytes_sum{all}")), 300.0);
    assert_eq!(page.get(&format!("http_server_response_body_size_bytes_sum{all}")), 15_000.0);
    assert_eq!(page.get(&format!("ringgate_overhead_seconds_count{all}")), 4.0);
    assert_eq!(page.sum("http_server_request_duration_seconds_count", &["all", "2xx"]), 4.0);
    assert_eq!(page.get("ringgate_faults_total{fault=\"method_not_allowed\"}"), 1.0);
    assert_eq!(page.get("ringgate_faults_total{fault=\"malformed_request\"}"), 1.0);
    assert_eq!(page.get("http_server_active_requests"), 0.0);
}

fn endpoints_are_counted(driver: Choice) {
    const PAUSE: Duration = Duration::from_millis(30);
    let service = Service::answering(|request| {
        if request.target == "/slow" {
            std::thread::sleep(PAUSE);
        }
        ok("good")
    });
    // Nobody listens on a port that was just given back.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("an address");
    let gate = Plan::to_endpoints([service.endpoint(), nobody.to_string()]).start(driver);
    let mut client = gate.client();
    for target in ["/", "/slow", "/"] {
        assert_eq!(client.get(target).status, 200);
    }
    let page = wait_for_page(&gate, "three requests", |page| page.sum(REQUESTS, &[]) == 3.0);
    let of = |name: &str, endpoint: &str, more: &str| page.sum(name, &[&format!("endpoint=\"{endpoint}\""), more]);
    let (good, bad) = (service.endpoint(), nobody.to_string());
    assert_eq!(of("ringgate_upstream_requests_total", &good, "2xx"), 3.0);
    assert_eq!(of("http_client_request_duration_seconds_count", &good, ""), 3.0);
    assert!(of("http_client_request_duration_seconds_sum", &good, "") >= PAUSE.as_secs_f64());
    assert_eq!(of("ringgate_upstream_connections_created_total", &good, ""), 1.0);
    assert_eq!(of("ringgate_upstream_connections_reused_total", &good, ""), 2.0);
    assert_eq!(of("http_client_open_connections", &good, "idle"), 1.0);
    assert_eq!(of("http_client_open_connections", &good, "active"), 0.0);
    assert_eq!(of("ringgate_upstream_connect_failures_total", &bad, "upstream_connect_failed"), 1.0);
    assert_eq!(of("ringgate_upstream_retries_total", &bad, ""), 1.0);
    assert_eq!(of("ringgate_endpoint_shards", &bad, "skipped"), 1.0);
    // The time that the service takes is not the gateway's.
    assert!(page.sum("http_server_request_duration_seconds_sum", &[]) >= PAUSE.as_secs_f64());
    assert!(page.sum("ringgate_overhead_seconds_sum", &[]) < PAUSE.as_secs_f64(), "{page:?}");
    wait_for_page(&gate, "the endpoint to be tried again", |page| {
        page.sum("ringgate_endpoint_shards", &[&bad, "\"up\""]) == 1.0
    });
}

fn listeners_are_counted(driver: Choice) {
    let service = Service::answering(|_| ok("good"));
    let gate = Plan::to(&service).limits("connections: 2").start(driver);
    let mut clients = [gate.client(), gate.client()];
    for client in &mut clients {
        assert_eq!(client.get("/").status, 200);
    }
    let plain = |page: &Exposition, name: &str| page.get(&format!("{name}{{listener=\"plain\"}}"));
    let full = page(&gate);
    assert_eq!(plain(&full, "ringgate_connections_accepted_total"), 2.0);
    assert_eq!(plain(&full, "ringgate_connections_active"), 2.0);
    assert_eq!(full.get("ringgate_connections_limit"), 2.0);
    let mut third = gate.client();
    wait_for_page(&gate, "one to wait", |page| plain(page, "ringgate_connections_limited_total") == 1.0);
    let [first, _second] = clients;
    drop(first);
    assert_eq!(third.get("/").status, 200);
    wait_for_page(&gate, "one to have gone", |page| {
        plain(page, "ringgate_connections_accepted_total") == 3.0 && plain(page, "ringgate_connections_active") == 2.0
    });
}

#[test]
fn asking_for_metrics_gives_a_shard_nothing_to_do() {
    let service = Service::answering(|_| ok("good"));
    let gate = Plan::to(&service).start(Choice::Auto);
    assert_eq!(gate.client().get("/").status, 200);
    let turns = || gate.running().counters[0].turns.get();
    // The shard sleeps once nothing is left to be swept or closed: turns of timers are few, so there is a quiet moment.
    wait_for("a page without a turn of the shard", || {
        let before = turns();
        let pages = (0..20).map(|_| gate.running().metrics().len()).min();
        (turns() == before && pages > Some(1000)).then_some(())
    });
}

/// An output that can be made to fail.
struct Failing(Arc<AtomicBool>);

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every page that was read of a gateway.
struct Watch {
    gateway: Gateway,
    folder: Folder,
    last: Exposition,
    /// The values that each family has had.
    seen: BTreeMap<String, BTreeSet<String>>,
}

impl Watch {
    /// Reads a page. What only rises has not fallen.
    #[track_caller]
    fn look(&mut self) -> &Exposition {
        let page = Exposition::read(&self.gateway.metrics());
        for (series, before) in self.last.rising() {
            let now = page.get(series);
            assert!(now >= before, "{series} fell from {before} to {now}");
        }
        for family in page.families.keys() {
            let own = page.series.iter().filter(|(series, _)| {
                let name = series.split('{').next().expect("a name");
                let suffixes = ["", "_bucket", "_sum", "_count"];
                name.strip_prefix(family.as_str()).is_some_and(|suffix| suffixes.contains(&suffix))
            });
            self.seen.entry(family.clone()).or_default().insert(format!("{:?}", own.collect::<Vec<_>>()));
        }
        self.last = page;
        &self.last
    }

    #[track_caller]
    fn until(&mut self, what: &str, holds: impl Fn(&Exposition) -> bool) {
        wait_for(what, || holds(self.look()).then_some(()));
    }

    fn client(&self) -> Client {
        Client::connect(self.listener("plain"))
    }

    fn listener(&self, name: &str) -> SocketAddr {
        let listener = self.gateway.listeners.iter().find(|listener| listener.name == name).expect("a listener");
        let Address::Tcp(address) = listener.address else { panic!("a Unix socket") };
        address
    }

    #[track_caller]
    fn reload(&mut self, text: &str) -> io::Result<()> {
        self.gateway.reload(&parsed(text, &self.folder))
    }
}

/// The configuration of this text with two further listeners: one over TLS, one for plain bytes.
#[track_caller]
fn parsed(text: &str, folder: &Folder) -> ringgate_config::Config {
    let more = format!(
        "listeners: [{{ name: web, address: \"127.0.0.1:0\", {} }}, \
         {{ name: bytes, address: \"127.0.0.1:0\", tcp: {{ upstream: origin }} }}, ",
        tls("web", "")
    );
    let file = folder.file(&text.replace("listeners: [", &more));
    ringgate_config::load(&file, &ringgate_config::Unchecked).unwrap_or_else(|error| panic!("{error}"))
}

/// What stays as it is, or can't be brought about here.
const STILL: &[&str] = &[
    "process_max_fds",
    "process_start_time_seconds",
    "ringgate_build_info",
    // Tests of certificates that change see to these.
    "ringgate_certificate_expiry_timestamp_seconds",
    "ringgate_certificate_reloads_total",
    // When descriptors run out, and in a defect (engine/src/tests.rs).
    "ringgate_accept_failures_total",
    "ringgate_shard_panics_total",
];

#[test]
fn no_metric_never_moves() {
    let held = Arc::new(AtomicBool::new(true));
    let holding = held.clone();
    let service = Service::answering(move |request| {
        while request.target == "/held" && holding.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(2));
        }
        ok("good")
    });
    let nobody: SocketAddr =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("an address");
    let plan = Plan::to_endpoints([service.endpoint(), nobody.to_string()]).limits("connections: 3");
    let text = plan.clone().and("access_log: { format: combined }").text();
    let site = Site::new(&["web.test"]);
    let folder = Folder::with(&[("web", &site)]);
    let config = parsed(&text, &folder);
    let broken = Arc::new(AtomicBool::new(false));
    let options = Options { access_log: Some(Box::new(Failing(broken.clone()))), unpinned: true, ..Options::default() };
    let gateway = Gateway::start(&config, options).expect("a gateway");
    let mut watch = Watch { gateway, folder, last: Exposition::default(), seen: BTreeMap::new() };
    watch.look();

    let mut client = watch.client();
    for _ in 0..5 {
        assert_eq!(client.get("/").status, 200);
    }
    assert_eq!(client.exchange("TRACE / HTTP/1.1\r\nhost: h\r\n\r\n").status, 405);
    watch.until("lines", |page| page.get("ringgate_access_log_lines_total") == 6.0);

    // An exchange that lasts, and more connections than there are places.
    client.send("GET /held HTTP/1.1\r\nhost: h\r\n\r\n");
    watch.until("an active exchange", |page| page.get("http_server_active_requests") == 1.0);
    let others = [watch.client(), watch.client(), watch.client()];
    watch.until("a client to wait", |page| page.sum("ringgate_connections_limited_total", &[]) > 0.0);
    drop(others);
    broken.store(true, Ordering::SeqCst);
    held.store(false, Ordering::SeqCst);
    assert_eq!(client.answer().status, 200);
    watch.until("a lost line", |page| page.get("ringgate_access_log_dropped_lines_total") == 1.0);

    // A handshake that succeeds, one that waits, and one that fails; plain bytes.
    drop(Secure::connect(watch.listener("web"), "web.test", trusting(&[&site])).expect("a handshake"));
    watch.until("a handshake", |page| page.sum("ringgate_tls_handshakes_total", &["full"]) == 1.0);
    let silent = Client::connect(watch.listener("web"));
    watch.until("one that waits", |page| page.sum("ringgate_handshakes_active", &["web"]) == 1.0);
    drop(silent);
    watch.until("one that failed", |page| page.sum("ringgate_handshake_failures_total", &["peer_left"]) == 1.0);
    let mut bytes = Client::connect(watch.listener("bytes"));
    assert_eq!(bytes.get("/").status, 200);
    drop(bytes);
    watch.until("plain bytes", |page| page.sum("ringgate_tcp_connections_total", &["bytes", "ended"]) == 1.0);

    // A reload that is refused, and one with more routes than have series.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    assert!(watch.reload(&plan.clone().listen(&address.to_string()).text()).is_err());
    watch.look();
    let many: Vec<String> = (0..1001)
        .map(|n| format!("{{ name: r{n}, match: {{ path: \"/{n}\" }}, forward: {{ upstream: origin }} }}"))
        .collect();
    let text = plan.limits("connections: 4").text();
    let (before, _) = text.split_once("routes:").expect("routes");
    watch.reload(&format!("{before}routes: [{}]\n", many.join(", "))).expect("good");
    assert_eq!(client.get("/1000").status, 200);
    watch.until("the shared series", |page| page.sum(REQUESTS, &["http_route=\"other\""]) == 1.0);

    // Time passes, memory is used.
    let (begun, mut room) = (Instant::now(), Vec::new());
    loop {
        room.resize(room.len() + (1 << 20), 1u8);
        watch.look();
        let still = watch.seen.iter().filter(|(_, values)| values.len() < 2).map(|(family, _)| family.as_str());
        // Each kind of operation: cancelling takes until connections that wait have gone cold.
        let series =
            watch.last.series.iter().filter(|(series, _)| series.starts_with("ringgate_shard_operations_total"));
        let idle = series.filter(|(_, count)| **count == 0.0).map(|(series, _)| series.as_str());
        let still: Vec<&str> = still.filter(|family| !STILL.contains(family)).chain(idle).collect();
        if still.is_empty() {
            break;
        }
        assert!(begun.elapsed() < STUCK, "these have not moved: {still:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
    watch.gateway.stop(Some(Duration::ZERO));
}
