use super::page::{Family, Kind, Page, Value};
use super::registry::{self, Registry};
use super::table::ALL;
use crate::model::Fault;
use crate::series::{Active, Measured};
use exposition::{Exposition, parse};
use ringgate_config::Config;
use ringgate_rt::histogram::{Counts, Scale};
use std::time::{Duration, Instant};

#[path = "../../../tests/support/exposition.rs"]
#[allow(dead_code, reason = "other tests read more of a page")]
mod exposition;

fn config(routes: &[&str]) -> Config {
    let routes: Vec<String> = routes
        .iter()
        .enumerate()
        .map(|(at, name)| format!("{{ name: {name:?}, match: {{ path: \"/{at}\" }}, forward: {{ upstream: s }} }}"))
        .collect();
    let text = format!(
        "listeners: [{{ name: plain, address: \"127.0.0.1:0\" }}]\n\
         upstreams: {{ s: {{ endpoints: [\"127.0.0.1:1\", \"127.0.0.1:2\"] }} }}\nroutes: [{}]\n",
        routes.join(", ")
    );
    ringgate_config::parse("test.yaml", &text, &|_| None).unwrap_or_else(|error| panic!("{error}"))
}

fn answered(status: u16) -> Measured {
    Measured { status, duration: 1500, overhead: 20, bytes_in: 0, bytes_out: 1024 }
}

#[test]
fn a_page_is_written_as_prometheus_reads_it() {
    static SOME: Family = Family { name: "some_total", kind: Kind::Counter, labels: &["route"], help: "Some." };
    static TIMES: Family = Family { name: "times_seconds", kind: Kind::Histogram, labels: &["a", "b"], help: "Times." };
    static SCALE: Scale<3> = Scale::new([100, 1_500_000, u64::MAX]);
    let mut page = Page::new(&SOME);
    let odd = "a \"b\" \\ \n \u{e9}}{,=";
    page.sample(&[odd], Value::Whole(7));
    page.family(&TIMES);
    page.histogram(&["x", "y"], &SCALE, &Counts { buckets: [2, 1, 4], sum: 20_000_030 }, Value::Micros);
    let text = page.into_text();
    assert_eq!(
        text.lines().skip(3).collect::<Vec<_>>(),
        [
            "# HELP times_seconds Times.",
            "# TYPE times_seconds histogram",
            "times_seconds_bucket{a=\"x\",b=\"y\",le=\"0.0001\"} 2",
            "times_seconds_bucket{a=\"x\",b=\"y\",le=\"1.5\"} 3",
            "times_seconds_bucket{a=\"x\",b=\"y\",le=\"+Inf\"} 7",
            "times_seconds_sum{a=\"x\",b=\"y\"} 20.00003",
            "times_seconds_count{a=\"x\",b=\"y\"} 7",
        ]
    );
    let read = Exposition::read(&text);
    let series = read.series.keys().find(|series| series.starts_with("some_total")).expect("a series");
    assert_eq!(parse(series).1, [("route".to_owned(), odd.to_owned())]);
}

#[test]
fn shards_are_added_up_by_route_and_status() {
    let registry = Registry::new(2);
    let sets = registry.assign(&config(&["users", "other", "idle"]));
    for status in [200, 200, 204, 404, 299, 0, 101, 777] {
        sets[0].routes.get(0).record(&answered(status));
    }
    sets[1].routes.get(0).record(&answered(200));
    sets[1].routes.get(1).record(&answered(503));
    registry.shard(1).unrouted.record(&answered(404));
    registry.shard(0).fault(Fault::NoRoute);
    let page = Exposition::read(&registry.exposition());
    let requests = |route: &str, code: &str| {
        page.get(&format!("ringgate_requests_total{{http_route=\"{route}\",http_response_status_code=\"{code}\"}}"))
    };
    for (route, code, expected) in [
        ("users", "200", 3.0),
        ("users", "204", 1.0),
        ("users", "2xx", 1.0),
        ("users", "none", 1.0),
        ("users", "101", 1.0),
        ("users", "5xx", 1.0),
        ("other", "503", 1.0),
        ("", "404", 1.0),
    ] {
        assert_eq!(requests(route, code), expected, "{route} {code}");
    }
    assert_eq!(page.sum("ringgate_requests_total", &[]), 11.0);
    assert_eq!(page.sum("http_server_request_duration_seconds_count", &["users", "2xx"]), 5.0);
    assert_eq!(page.sum("ringgate_overhead_seconds_sum", &["users"]), 0.00018);
    assert_eq!(page.get("ringgate_faults_total{fault=\"no_route\"}"), 1.0);
    assert!(!page.series.keys().any(|series| series.contains("idle\"") && series.contains("http_route")));
}

#[test]
fn every_fault_has_its_word() {
    use ringgate_protocols::h1::{BodyError, HeadError};
    let registry = Registry::new(1);
    let faults = [
        Fault::Head(HeadError::HeaderBytes),
        Fault::Head(HeadError::Nul),
        Fault::Head(HeadError::TargetBytes),
        Fault::Head(HeadError::Expectation),
        Fault::Body(BodyError::ChunkSize),
        Fault::AmbiguousPath,
        Fault::NoRoute,
        Fault::Method,
        Fault::HeaderTimeout,
        Fault::SlowBody,
        Fault::BodyTooLarge,
        Fault::TooManyHops,
        Fault::BadReference,
        Fault::NoHost,
        Fault::Misdirected,
        Fault::SlowReader,
        Fault::ClientGone,
        Fault::Connect,
        Fault::ConnectTimeout,
        Fault::UpstreamTls,
        Fault::UpstreamClosed,
        Fault::UpstreamAnswer,
        Fault::UpstreamTimeout,
        Fault::NoEndpoint,
        Fault::NotReady,
        Fault::RouteRemoved,
        Fault::Stopped,
        Fault::Internal,
    ];
    faults.iter().for_each(|fault| registry.shard(0).fault(*fault));
    let page = Exposition::read(&registry.exposition());
    for fault in faults {
        assert_eq!(page.get(&format!("ringgate_faults_total{{fault=\"{}\"}}", fault.code())), 1.0, "{fault:?}");
    }
    assert_eq!(page.get("ringgate_faults_total{fault=\"unlisted\"}"), 0.0);
}

#[test]
fn a_name_keeps_its_counts_over_reloads() {
    let registry = Registry::new(1);
    let first = registry.assign(&config(&["users", "gone"]));
    first[0].routes.get(0).record(&answered(200));
    first[0].endpoints[0][1].created.add_one();
    let second = registry.assign(&config(&["new", "users"]));
    second[0].routes.get(1).record(&answered(200));
    second[0].endpoints[0][1].created.add_one();
    let page = Exposition::read(&registry.exposition());
    assert_eq!(page.sum("ringgate_requests_total", &["users"]), 2.0);
    assert_eq!(page.sum("ringgate_upstream_connections_created_total", &["127.0.0.1:2"]), 2.0);
}

#[test]
fn names_beyond_the_bound_share_one_series() {
    let names: Vec<String> = (0..registry::ROUTES_MAX + 3).map(|n| format!("r{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let registry = Registry::new(1);
    let sets = registry.assign(&config(&names));
    (0..names.len()).for_each(|index| sets[0].routes.get(index).record(&answered(200)));
    let page = Exposition::read(&registry.exposition());
    assert_eq!(page.sum("ringgate_requests_total", &["http_route=\"other\""]), 3.0);
    assert_eq!(page.get("ringgate_series_overflowed{kind=\"route\"}"), 3.0);
    let last = format!("\"r{}\"", registry::ROUTES_MAX - 1);
    assert_eq!(page.sum("ringgate_requests_total", &[&last]), 1.0);
}

#[test]
fn a_name_that_is_gone_is_shown_for_a_while_after_its_last_use() {
    let mut names = registry::Family::<String, std::sync::atomic::AtomicU64>::new(2, 2, "other".into());
    let begun = Instant::now();
    let held = names.assign(["a".to_owned()].into_iter(), begun);
    drop(names.assign(["b".to_owned()].into_iter(), begun));
    let late = begun + 10 * registry::RETIRED_FOR;
    names.retire(late);
    assert!(names.has(&"a".to_owned()), "something still refers to it");
    drop(held);
    names.retire(late);
    names.retire(late + registry::RETIRED_FOR - Duration::from_secs(1));
    assert!(names.has(&"a".to_owned()), "it is shown a last time");
    names.retire(late + registry::RETIRED_FOR);
    assert!(!names.has(&"a".to_owned()) && names.has(&"b".to_owned()), "what is in force stays");

    // More than two configurations may have are let go at once.
    for round in 0..10 {
        drop(names.assign((0..2).map(|n| format!("{round}-{n}")), late));
    }
    assert!(names.len() <= 4 + 2, "{}", names.len());
}

#[test]
fn what_lasts_is_counted_until_it_ends_however_that_is() {
    let registry = Registry::new(1);
    let shard = registry.shard(0);
    let sets = registry.assign(&config(&["a"]));
    let active = || Exposition::read(&registry.exposition()).get("http_server_active_requests");
    let (one, two) = (shard.exchange(), shard.exchange());
    assert_eq!(active(), 2.0);
    drop(one);
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _inside = (two, Active::new(&sets[0].endpoints[0][0].active));
        panic!("injected");
    }));
    assert!(ended.is_err());
    assert_eq!(active(), 0.0);
    assert_eq!(sets[0].endpoints[0][0].active.get(), 0);
}

#[test]
fn the_page_has_what_the_table_says() {
    let registry = Registry::new(1);
    let _sets = registry.assign(&config(&["a"]));
    let page = Exposition::read(&registry.exposition());
    let said: Vec<&str> = ALL.iter().map(|family| family.name).collect();
    assert_eq!(page.families.len(), said.len());
    for family in ALL {
        let (kind, help) = &page.families[family.name];
        assert_eq!((kind.as_str(), help.as_str()), (family.kind.word(), family.help));
    }
    registry.reloaded(true, Duration::from_micros(1234));
    registry.reloaded(false, Duration::from_micros(5));
    let page = Exposition::read(&registry.exposition());
    assert_eq!(page.get("ringgate_config_reloads_total{result=\"ok\"}"), 1.0);
    assert_eq!(page.get("ringgate_config_reloads_total{result=\"failed\"}"), 1.0);
    assert_eq!(page.get("ringgate_config_last_reload_successful"), 0.0);
    assert_eq!(page.get("ringgate_config_last_reload_duration_seconds"), 0.000_005);
    assert_eq!((page.get("ringgate_config_generation"), registry.generation()), (2.0, 2));
}

const BEGIN: &str = "<!-- metrics: written by a test, see engine/src/observe/metrics/tests.rs -->\n";
#[test]
fn certificates_show_when_they_expire_and_are_bounded() {
    let registry = Registry::new(1);
    let certificate = |file: usize, expires: u64| super::Certificate {
        listener: "https".into(),
        upstream: String::new(),
        name: "a.example".into(),
        file: format!("{file}.pem"),
        expires,
    };
    let page = || Exposition::read(&registry.exposition());
    let expiry = |page: &Exposition| {
        let of_it = page.series.iter().filter(|(name, _)| name.starts_with("ringgate_certificate_expiry"));
        of_it.map(|(name, value)| (parse(name).1, *value)).collect::<Vec<_>>()
    };
    assert_eq!(expiry(&page()), []);
    // The same file twice has one series: the time that comes first.
    registry.certificates_are([certificate(0, 90), certificate(0, 80), certificate(0, 85)].into_iter());
    let shown = expiry(&page());
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0].1, 80.0);
    let max = super::certificates::CERTIFICATES_MAX;
    registry.certificates_are((0..max + 2).map(|file| certificate(file, 90)));
    registry.certificates_read(3, 1);
    let page = page();
    assert_eq!(expiry(&page).len(), max);
    for (series, value) in [
        ("ringgate_series_overflowed{kind=\"certificate\"}", 2.0),
        ("ringgate_certificate_reloads_total{result=\"ok\"}", 3.0),
        ("ringgate_certificate_reloads_total{result=\"failed\"}", 1.0),
    ] {
        assert_eq!(page.series.get(series), Some(&value), "{series}");
    }
}

const END: &str = "<!-- end of metrics -->\n";

/// The list in the documentation is the table's. `RINGGATE_WRITE=1` writes it.
#[test]
fn the_documentation_lists_every_metric() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/observability.md");
    let text = std::fs::read_to_string(path).expect("docs/observability.md");
    let (before, rest) = text.split_once(BEGIN).expect("where the list begins");
    let (list, after) = rest.split_once(END).expect("where it ends");
    let mut expected = String::from("| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for family in ALL {
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind, labels) = (family.name, family.kind.word(), labels.join(", "));
        expected.push_str(&format!("| `{name}` | {kind} | {labels} | {} |\n", family.help));
    }
    if std::env::var_os("RINGGATE_WRITE").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{expected}{END}{after}")).expect("written");
    } else {
        assert_eq!(list, expected, "run this test with RINGGATE_WRITE=1");
    }
}
