//! The command line of Ringgate.
#![deny(unsafe_code)]

use clap::{Parser, Subcommand, ValueEnum};
use ringgate::control::{self, Comparison, Demo, Formatted, LogLevel, Options, Question};
use ringgate_config::schema;
use ringgate_rt::driver::{self, Choice};
use ringgate_rt::identity::Identity;
use ringgate_rt::listener;
use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "ringgate", version, about = "An API gateway and L7 proxy, thread-per-core on io_uring")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway in the foreground until a signal: TERM stops gracefully, a second one at once
    Run {
        /// The configuration
        file: PathBuf,
        /// The driver of the event loops
        #[arg(long, value_enum, default_value = "auto")]
        driver: DriverArgument,
        /// How much is said on stderr
        #[arg(long, value_enum, default_value = "info")]
        log_level: LevelArgument,
        /// Whom to go on as once the listeners are bound: USER or USER:GROUP, names or numbers; for a process of root's
        #[arg(long, value_name = "USER[:GROUP]", value_parser = Identity::find)]
        user: Option<Identity>,
    },
    /// Run a gateway with small services inside the same process, and print what to try with it
    Demo {
        /// The port on 127.0.0.1; 0: one that the system chooses. Without it 8080, or the next that is free
        #[arg(long)]
        port: Option<u16>,
        /// Write the configuration to this file, which must not be there yet, and run by it
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
        /// Print the configuration too
        #[arg(long)]
        print: bool,
    },
    /// Check a configuration: all its errors at once
    Check {
        /// The configuration
        file: PathBuf,
    },
    /// Say which route takes a request, what would be done with it, and why each other route does not take it.
    ///
    /// Exits with 0 if a route takes the request, 3 if none does, 1 if the file or the request can't be read.
    Explain {
        /// The configuration
        file: PathBuf,
        /// The request's method
        method: String,
        /// Its URL, or its path with `-H 'host: HOST'`
        url: String,
        /// A header field of the request
        #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
        headers: Vec<String>,
        /// The address of whoever sends the request; otherwise somebody who is not trusted
        #[arg(long, value_name = "ADDRESS")]
        from: Option<IpAddr>,
        /// Print one JSON object, with every route
        #[arg(long)]
        json: bool,
    },
    /// Say what a reload would change: what the documents say differs, and what becomes of recorded requests.
    ///
    /// Exits with 0 whether or not something changes, and with 1 if a file can't be read.
    Diff {
        /// The configuration that runs
        old: PathBuf,
        /// The configuration that is to take over
        new: PathBuf,
        /// Route each request of this access log (JSON or combined; `-`: standard input) with both, and list those whose
        /// route or treatment changes
        #[arg(long, value_name = "LOG")]
        requests: Option<PathBuf>,
        /// The host of requests for which the log names none, as in the combined format
        #[arg(long)]
        host: Option<String>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
        /// Exit with 2 if something changes
        #[arg(long)]
        exit_code: bool,
    },
    /// Print a configuration in its canonical form, comments kept
    Fmt {
        /// The configuration; `-` for standard input
        file: PathBuf,
        /// Put it in the file's place
        #[arg(long, conflicts_with = "check")]
        write: bool,
        /// Print nothing, and exit with 1 if the file is not in that form
        #[arg(long)]
        check: bool,
    },
    /// Print the JSON Schema of the configuration, for editors
    Schema,
    /// Print the version, and the driver that this system allows
    Version,
}

#[derive(Clone, Copy, ValueEnum)]
enum DriverArgument {
    /// io_uring if the system allows it, else epoll
    Auto,
    /// epoll
    Epoll,
}

#[derive(Clone, Copy, ValueEnum)]
enum LevelArgument {
    /// Failures
    Error,
    /// And what is probably not meant
    Warn,
    /// And starts, stops, reloads, changes by the admin API
    Info,
    /// And details, such as every call of the admin API
    Debug,
}

impl From<LevelArgument> for LogLevel {
    fn from(level: LevelArgument) -> LogLevel {
        match level {
            LevelArgument::Error => LogLevel::Error,
            LevelArgument::Warn => LogLevel::Warn,
            LevelArgument::Info => LogLevel::Info,
            LevelArgument::Debug => LogLevel::Debug,
        }
    }
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run { file, driver, log_level, user } => {
            let driver = match driver {
                DriverArgument::Auto => Choice::Auto,
                DriverArgument::Epoll => Choice::Epoll,
            };
            // Before any thread begins, and before any other descriptor is open.
            let inherited = match listener::inherited() {
                Ok(inherited) => inherited,
                Err(error) => {
                    eprintln!("the sockets of the service manager can't be used: {error}");
                    return ExitCode::FAILURE;
                }
            };
            control::run(&file, Options { driver, inherited, user, log_level: log_level.into(), ..Options::default() })
        }
        Command::Demo { port, write, print } => control::demo(&Demo { port, write, print }, Options::default()),
        Command::Check { file } => {
            let checked = control::check(&file);
            eprint!("{}", checked.findings);
            print_either(&Ok(checked.summary.clone().unwrap_or_default()));
            if checked.summary.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Command::Fmt { file, write, check } => {
            let then = match (write, check) {
                (true, _) => Formatted::Write,
                (_, true) => Formatted::Check,
                _ => Formatted::Print,
            };
            let formatted = control::fmt(&file, then);
            print_either(&formatted);
            if formatted.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Command::Schema => {
            print_either(&Ok(schema::json()));
            ExitCode::SUCCESS
        }
        Command::Explain { file, method, url, headers, from, json } => {
            let question = Question { file: &file, method: &method, url: &url, headers: &headers, from, json };
            let explained = control::explain(&question);
            print_either(&explained.text);
            explained.exit.into()
        }
        Command::Diff { old, new, requests, host, json, exit_code } => {
            let (requests, host) = (requests.as_deref(), host.as_deref());
            let comparison = Comparison { old: &old, new: &new, requests, host, json, exit_code };
            let compared = control::diff(&comparison);
            print_either(&compared.text);
            compared.exit.into()
        }
        Command::Version => version(),
    }
}

/// Prints on standard output or on standard error. Whoever reads may have gone: then there is nobody to tell.
fn print_either(text: &Result<String, String>) {
    let _ = match text {
        Ok(text) => std::io::stdout().lock().write_all(text.as_bytes()),
        Err(text) => std::io::stderr().lock().write_all(text.as_bytes()),
    };
}

fn version() -> ExitCode {
    let commit = option_env!("RINGGATE_COMMIT").unwrap_or("unknown commit");
    println!("ringgate {} ({commit})", env!("CARGO_PKG_VERSION"));
    match driver::probe(Choice::Auto) {
        Ok(chosen) => {
            let why = if chosen.why.is_empty() { String::new() } else { format!(" ({})", chosen.why) };
            println!("driver: {} {}{why}", chosen.driver, chosen.driver.flags());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("no driver can be set up: {error}");
            ExitCode::FAILURE
        }
    }
}
