//! `ringgate demo`: a gateway with everything that it needs inside one process, and what to try with it.

mod lines;
mod services;

use super::diary::LogLevel;
use super::gateway::{Gateway, Options};
use super::life::run_and;
use lines::Facts;
use ringgate_rt::Address;
use services::Services;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where it listens if nothing else is asked for.
const PORT: u16 = 8080;
/// Where the admin API listens then.
const ADMIN_PORT: u16 = 9901;
/// How many ports are tried if those are taken.
const PORTS_TRIED: u16 = 100;
/// Bytes of the token for changing calls, before they are written as digits.
const TOKEN_BYTES: usize = 8;

const TEMPLATE: &str = include_str!("demo/gateway.yaml");

/// What may be asked of the demo.
#[derive(Default)]
pub struct Demo {
    /// The port on loopback; 0: one that the system chooses. None: the usual one, or the next that is free.
    pub port: Option<u16>,
    /// Where the configuration is written to and read from. None: into a directory that goes when the demo ends.
    pub write: Option<PathBuf>,
    /// Whether the configuration is printed, too.
    pub print: bool,
}

/// Runs the demo until a signal ends it.
pub fn demo(asked: &Demo, options: Options) -> ExitCode {
    let prepared = Prepared::new(asked);
    match prepared {
        Ok(prepared) => {
            if asked.print {
                print!("{}", prepared.text);
            }
            let options = Options { log_level: LogLevel::Info, ..options };
            run_and(&prepared.file, options, |gateway| prepared.explain(gateway))
        }
        Err(error) => {
            eprintln!("the demo can't start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything but the gateway.
struct Prepared {
    file: PathBuf,
    text: String,
    token: String,
    note: Option<String>,
    _folder: Option<Folder>,
}

/// A directory of the demo's own, removed when this is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Whatever else somebody has put there is not lost without a word: then it stays.
        let _ = fs::remove_file(self.0.join("gateway.yaml"));
        let _ = fs::remove_dir(&self.0);
    }
}

impl Prepared {
    fn new(asked: &Demo) -> io::Result<Prepared> {
        let (port, note) = match asked.port {
            Some(port) => (port, None),
            None => next_free(PORT)?,
        };
        let admin = if asked.port.is_some() { 0 } else { next_free(ADMIN_PORT)?.0 };
        let (folder, file) = match &asked.write {
            Some(file) => (None, file.clone()),
            None => {
                let path = std::env::temp_dir().join(format!("ringgate-demo-{}", std::process::id()));
                DirBuilder::new().mode(0o700).create(&path)?;
                let file = path.join("gateway.yaml");
                (Some(Folder(path)), file)
            }
        };
        let token = token()?;
        let text = configuration(&Services::start()?, port, admin, &token, &file);
        // It holds the token.
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
        let written = made.and_then(|mut made| made.write_all(text.as_bytes()));
        written.map_err(|error| io::Error::new(error.kind(), format!("can't write {}: {error}", file.display())))?;
        Ok(Prepared { file, text, token, note, _folder: folder })
    }

    /// Says what runs, and what to try.
    fn explain(&self, gateway: &Gateway) {
        let local = |port: u16| format!("localhost:{port}");
        let gateway_at = gateway.listeners.first().and_then(|listener| match &listener.address {
            Address::Tcp(at) => Some(at.port()),
            Address::Unix(_) => None,
        });
        let admin_at = gateway.admin.address().and_then(|address| match address {
            ringgate_config::Address::Tcp(at) => Some(at.port()),
            ringgate_config::Address::Unix(_) => None,
        });
        let text = lines::text(&Facts {
            gateway: &local(gateway_at.unwrap_or_default()),
            admin: &local(admin_at.unwrap_or_default()),
            token: &self.token,
            file: &self.file,
            driver: gateway.driver.driver.name(),
            shards: gateway.running,
            pid: std::process::id(),
            note: self.note.as_deref(),
        });
        // Whoever has closed the output does not want to read it.
        let _ = io::stdout().lock().write_all(text.as_bytes());
    }
}

/// The template with its places filled in.
fn configuration(services: &Services, port: u16, admin: u16, token: &str, file: &Path) -> String {
    let places = [
        ("@HTTP@", format!("127.0.0.1:{port}")),
        ("@ADMIN@", format!("127.0.0.1:{admin}")),
        ("@TOKEN@", token.to_owned()),
        ("@USERS1@", services.users[0].to_string()),
        ("@USERS2@", services.users[1].to_string()),
        ("@ORDERS@", services.orders.to_string()),
        ("@ORDERS_NEXT@", services.orders_next.to_string()),
        ("@NOTIFICATIONS@", services.notifications.to_string()),
        ("@FILE@", file.display().to_string()),
    ];
    places.iter().fold(TEMPLATE.to_owned(), |text, (place, value)| text.replace(place, value))
}

/// This port, or the next that nobody listens on, with a note if it is another one.
fn next_free(wanted: u16) -> io::Result<(u16, Option<String>)> {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let port = (wanted..wanted + PORTS_TRIED).find(free).ok_or_else(|| {
        io::Error::new(io::ErrorKind::AddrInUse, format!("port {wanted} and the {PORTS_TRIED} behind it are taken"))
    })?;
    let note = (port != wanted).then(|| format!("Port {wanted} is taken: it is {port} this time."));
    Ok((port, note))
}

/// A secret of this run.
fn token() -> io::Result<String> {
    let mut bytes = [0; TOKEN_BYTES];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::{Ipv4Addr, TcpListener, next_free};

    #[test]
    fn a_port_that_is_taken_gives_the_next_one_and_a_note() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let wanted = taken.local_addr().expect("an address").port().min(u16::MAX - super::PORTS_TRIED);
        let (port, note) = next_free(wanted).expect("a port");
        match note {
            Some(note) => assert_eq!(note, format!("Port {wanted} is taken: it is {port} this time.")),
            None => assert_eq!(port, wanted),
        }
        assert_ne!(Some(port), taken.local_addr().ok().map(|at| at.port()));
    }
}
