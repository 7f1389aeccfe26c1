//! A gateway in this process: one shard, on the driver that the test asks for.

use super::{STUCK, Service, wait_for};
use ringgate::control::{Gateway, Options};
use ringgate_config::{Config, Disk, Unchecked};
use ringgate_rt::Address;
use ringgate_rt::driver::Choice;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A configuration in the making. One listener, one route `/*` to one upstream, unless said otherwise.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    endpoints: Vec<String>,
    limits: String,
    upstream: String,
    forward: String,
    matches: String,
    listener: String,
    secured: String,
    other: String,
    shards: usize,
}

impl Plan {
    pub(crate) fn to(service: &Service) -> Plan {
        Plan::to_endpoints([service.endpoint()])
    }

    pub(crate) fn to_endpoints(endpoints: impl IntoIterator<Item = impl ToString>) -> Plan {
        Plan {
            endpoints: endpoints.into_iter().map(|e| e.to_string()).collect(),
            limits: "connections: 2000".into(),
            ..Plan::default()
        }
    }

    /// Members of `limits`.
    pub(crate) fn limits(mut self, members: &str) -> Plan {
        // A default of 20,000 is more than many a machine lets a test have.
        self.limits =
            if members.contains("connections:") { members.into() } else { format!("connections: 2000, {members}") };
        self
    }

    /// Further members of the upstream.
    pub(crate) fn upstream(mut self, members: &str) -> Plan {
        self.upstream = format!(", {members}");
        self
    }

    /// Further members of the route's `forward`.
    pub(crate) fn forward(mut self, members: &str) -> Plan {
        self.forward = format!(", {members}");
        self
    }

    /// The route's `match`, in place of every path.
    pub(crate) fn matches(mut self, members: &str) -> Plan {
        self.matches = members.into();
        self
    }

    /// Where to listen, in place of a free port of 127.0.0.1.
    pub(crate) fn listen(mut self, address: &str) -> Plan {
        self.listener = address.into();
        self
    }

    /// Further members of the listener.
    pub(crate) fn listener(mut self, members: &str) -> Plan {
        self.secured = format!(", {members}");
        self
    }

    /// Two shards in place of one, where the system has the cores.
    pub(crate) fn two_shards(mut self) -> Plan {
        self.shards = 2;
        self
    }

    /// Further lines of the file.
    pub(crate) fn and(mut self, line: &str) -> Plan {
        self.other.push_str(line);
        self.other.push('\n');
        self
    }

    /// The configuration file.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        let cores: Vec<usize> = ringgate_rt::cores::allowed().into_iter().take(self.shards.max(1)).collect();
        let endpoints: Vec<String> =
            self.endpoints.iter().map(|e| if e.starts_with('{') { e.clone() } else { format!("\"{e}\"") }).collect();
        let or = |text: &str, default: &str| if text.is_empty() { default.to_string() } else { text.to_string() };
        let mut text = String::new();
        let lines = [
            format!("runtime: {{ cores: {cores:?} }}"),
            format!("limits: {{ {} }}", self.limits),
            format!(
                "listeners: [{{ name: plain, address: \"{}\"{} }}]",
                or(&self.listener, "127.0.0.1:0"),
                self.secured
            ),
            format!("upstreams: {{ origin: {{ endpoints: [{}]{} }} }}", endpoints.join(", "), self.upstream),
            format!(
                "routes: [{{ name: all, match: {{ {} }}, forward: {{ upstream: origin{} }} }}]",
                or(&self.matches, "path: \"/*\""),
                self.forward
            ),
            self.other.clone(),
        ];
        for line in lines {
            writeln!(text, "{line}").expect("a string");
        }
        text
    }

    #[track_caller]
    pub(crate) fn start(&self, driver: Choice) -> Gate {
        Gate::start(&self.text(), driver)
    }
}

/// A running gateway. It is stopped, at once, when this is dropped.
pub(crate) struct Gate {
    pub(crate) gateway: Option<Gateway>,
    log: Log,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic inside").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Gate {
    #[track_caller]
    pub(crate) fn start(text: &str, driver: Choice) -> Gate {
        Gate::of(&read(text), driver)
    }

    /// The gateway of this file, which may name others.
    #[track_caller]
    pub(crate) fn load(path: &std::path::Path, driver: Choice) -> Gate {
        match ringgate_config::load(path, &Unchecked) {
            Ok(config) => Gate::of(&config, driver),
            Err(diagnostics) => panic!("{diagnostics}"),
        }
    }

    #[track_caller]
    pub(crate) fn of(config: &Config, driver: Choice) -> Gate {
        let log = Log::default();
        let options = Options { driver, access_log: Some(Box::new(log.clone())), unpinned: true, ..Options::default() };
        let gateway = Gateway::start(config, options).expect("a gateway");
        Gate { gateway: Some(gateway), log }
    }

    /// Goes over to another configuration.
    #[track_caller]
    pub(crate) fn reload(&mut self, text: &str) -> io::Result<()> {
        let config = read(text);
        self.gateway.as_mut().expect("it was not stopped").reload(&config)
    }

    /// The TCP address of the listener of this name, if there is one.
    pub(crate) fn listener(&self, name: &str) -> Option<SocketAddr> {
        let listener = self.running().listeners.iter().find(|listener| listener.name == name)?;
        match listener.address {
            Address::Tcp(address) => Some(address),
            Address::Unix(_) => panic!("a Unix socket"),
        }
    }

    pub(crate) fn running(&self) -> &Gateway {
        self.gateway.as_ref().expect("it was not stopped")
    }

    /// The TCP address of the first listener.
    #[track_caller]
    pub(crate) fn address(&self) -> SocketAddr {
        match self.running().listeners[0].address {
            Address::Tcp(address) => address,
            Address::Unix(_) => panic!("a Unix socket"),
        }
    }

    #[track_caller]
    pub(crate) fn client(&self) -> super::Client {
        super::Client::connect(self.address())
    }

    /// Operations of all shards so far.
    pub(crate) fn operations(&self) -> u64 {
        self.running().counters.iter().map(|counters| counters.operations()).sum()
    }

    /// Panics of all shards so far.
    pub(crate) fn panics(&self) -> u64 {
        self.running().counters.iter().map(|counters| counters.panics.get()).sum()
    }

    /// Waits until the access log has so many lines, and returns them.
    #[track_caller]
    pub(crate) fn log(&self, lines: usize) -> Vec<serde_json::Value> {
        wait_for("lines of the access log", || {
            let all = self.logged();
            (all.len() >= lines).then_some(all)
        })
    }

    /// The lines of the access log so far.
    #[track_caller]
    pub(crate) fn logged(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.log.0.lock().expect("no panic inside").clone()).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    /// Stops within the deadline that is given.
    pub(crate) fn stop(mut self, deadline: Duration) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop(Some(deadline));
        }
    }
}

/// What a file of this text says, and the files of this machine that it names.
#[track_caller]
fn read(text: &str) -> Config {
    match ringgate_config::parse_with("test.yaml", text, &|_| None, &Disk, &Unchecked) {
        Ok(config) => config,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let Some(gateway) = self.gateway.take() else { return };
        let panics: u64 = gateway.counters.iter().map(|counters| counters.panics.get()).sum();
        let begun = std::time::Instant::now();
        gateway.stop(Some(Duration::ZERO));
        if !std::thread::panicking() {
            assert_eq!(panics, 0, "the gateway panicked during this test");
            assert!(begun.elapsed() < STUCK, "stopping took {:?}", begun.elapsed());
        }
    }
}
