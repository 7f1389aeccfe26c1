//! OpenSSL's own tools, curl and reqwest. Where a tool is missing its part is skipped, with a line that says so.

use crate::support::bodies::{Noise, digest};
use crate::support::service::ok;
use crate::support::tls::{self, Version};
use crate::support::{Authority, Plan, STUCK, Service, on_both_drivers};
use crate::{Site, believing};
use ringgate_rt::driver::Choice;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

on_both_drivers!(
    openssl_is_served_at_both_versions,
    openssl_gets_no_renegotiation,
    openssl_gets_no_downgrade,
    openssl_resumes_its_session,
    openssl_as_a_service,
    curl_is_served_at_both_versions,
    curl_shows_a_certificate,
    reqwest_is_served,
);

/// Whether this tool is here.
fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("SKIPPED: there is no {tool} here");
    }
    found
}

/// A child that is killed with its test.
struct Tool(Child);

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Tool {
    fn stdin(&mut self) -> &mut ChildStdin {
        self.0.stdin.as_mut().expect("a pipe")
    }

    /// Waits for its end; what it has said, both ways.
    fn ends(mut self) -> (bool, String) {
        let begun = Instant::now();
        while self.0.try_wait().expect("a child").is_none() {
            if begun.elapsed() > STUCK {
                let _ = self.0.kill();
                panic!("it does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut said = String::new();
        for pipe in [
            self.0.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read>),
            self.0.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read>),
        ] {
            let mut bytes = Vec::new();
            pipe.expect("a pipe").read_to_end(&mut bytes).expect("a pipe");
            said.push_str(&String::from_utf8_lossy(&bytes));
        }
        (self.0.wait().expect("a child").success(), said)
    }
}

/// `openssl s_client` to a site, with further arguments.
fn s_client(site: &Site, arguments: &[&str]) -> Tool {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &site.gate.address().to_string(), "-servername", "localhost"]);
    command.args(["-CAfile", &site.authority.ca(), "-verify_return_error"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Tool(command.spawn().expect("openssl"))
}

fn site(driver: Choice) -> (Service, Site) {
    let service = Service::answering(|request| ok(digest(&request.body)));
    let site = Site::start(Plan::to(&service), driver);
    (service, site)
}

const LAST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

fn openssl_is_served_at_both_versions(driver: Choice) {
    if !has("openssl") {
        return;
    }
    let (_service, site) = site(driver);
    for version in ["-tls1_2", "-tls1_3"] {
        for more in [&["-quiet"][..], &["-quiet", "-read_buf", "100", "-max_send_frag", "512"]] {
            let mut client = s_client(&site, &[&[version, "-ign_eof"], more].concat());
            client.stdin().write_all(LAST).expect("a pipe");
            let (_, said) = client.ends();
            assert!(said.contains("HTTP/1.1 200 OK") && said.contains(&digest(b"")), "{version}: {said}");
        }
    }
}

fn openssl_gets_no_renegotiation(driver: Choice) {
    if !has("openssl") {
        return;
    }
    let (service, site) = site(driver);
    let mut client = s_client(&site, &["-tls1_2"]);
    // A line `R` asks for one (s_client(1)).
    client.stdin().write_all(b"R\n").expect("a pipe");
    let (good, said) = client.ends();
    assert!(!good && said.contains("RENEGOTIATING"), "{said}");
    assert!(said.contains("unexpected message") || said.contains("no renegotiation"), "{said}");
    assert_eq!(service.request_count(), 0);
    // In TLS 1.3 `k` and `K` update keys, the latter both sides'.
    for update in [&b"k\n"[..], b"K\n"] {
        let mut client = s_client(&site, &["-tls1_3", "-ign_eof"]);
        // With `-ign_eof` letters are no commands: one that keeps them.
        drop(client.0.kill());
        client = s_client(&site, &["-tls1_3"]);
        client.stdin().write_all(update).expect("a pipe");
        // It reads its input line by line, as it comes.
        let mut out = BufReader::new(client.0.stderr.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains("KEYUPDATE") {
            line.clear();
            assert!(out.read_line(&mut line).expect("a pipe") > 0, "it ended");
        }
        client.stdin().write_all(LAST).expect("a pipe");
        let mut answers = BufReader::new(client.0.stdout.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains("HTTP/1.1 200 OK") {
            line.clear();
            assert!(answers.read_line(&mut line).expect("a pipe") > 0, "no answer behind {update:?}");
        }
    }
    site.serves();
}

fn openssl_gets_no_downgrade(driver: Choice) {
    if !has("openssl") {
        return;
    }
    let (_service, site) = site(driver);
    for arguments in [
        &["-tls1", "-cipher", "ALL:@SECLEVEL=0"][..],
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "AES128-SHA:AES256-GCM-SHA384:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "DHE:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "PSK:SRP:@SECLEVEL=0"],
        &["-tls1_3", "-curves", "sect571r1"],
    ] {
        let mut client = s_client(&site, arguments);
        let _ = client.stdin().write_all(b"Q\n");
        let (good, said) = client.ends();
        assert!(!good, "{arguments:?}: {said}");
        assert!(said.contains("New, (NONE), Cipher is (NONE)"), "{arguments:?}: {said}");
    }
    site.serves();
}

fn openssl_resumes_its_session(driver: Choice) {
    if !has("openssl") {
        return;
    }
    let (_service, site) = site(driver);
    for version in ["-tls1_2", "-tls1_3"] {
        let session = site.authority.shown(&format!("session{version}"));
        let mut client = s_client(&site, &[version, "-ign_eof", "-sess_out", &session]);
        client.stdin().write_all(LAST).expect("a pipe");
        let (_, said) = client.ends();
        assert!(said.contains("New, TLSv1"), "{said}");
        let mut client = s_client(&site, &[version, "-ign_eof", "-sess_in", &session]);
        client.stdin().write_all(LAST).expect("a pipe");
        let (_, said) = client.ends();
        assert!(said.contains("Reused, TLSv1") && said.contains("HTTP/1.1 200 OK"), "{version}: {said}");
    }
}

fn openssl_as_a_service(driver: Choice) {
    if !has("openssl") {
        return;
    }
    let authority = Authority::new("of s_server");
    authority.save("service", &authority.issue(&["service.internal"]));
    for version in ["-tls1_2", "-tls1_3"] {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-www", version]);
        command.args(["-cert", &authority.shown("service.pem"), "-key", &authority.shown("service.key")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Tool(command.spawn().expect("openssl"));
        let mut out = BufReader::new(server.0.stdout.take().expect("a pipe"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(out.read_line(&mut line).expect("a pipe") > 0, "it ended");
            if let Some(address) = line.trim().strip_prefix("ACCEPT ") {
                break address.to_owned();
            }
        };
        // Its output must not fill the pipe up.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let gate = Plan::to_endpoints([address]).upstream(&believing(&authority, "")).start(driver);
        let mut client = gate.client();
        for _ in 0..3 {
            let answer = client.get("/");
            assert_eq!(answer.status, 200);
            let page = answer.text();
            assert!(page.contains("s_server") && page.ends_with("</pre></BODY></HTML>\r\n\r\n"), "{version}: {page}");
        }
    }
}

fn curl(site: &Site, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new("curl");
    let resolve = format!("localhost:{}:127.0.0.1", site.gate.address().port());
    command.args(["-sS", "--noproxy", "*", "--cacert", &site.authority.ca(), "--resolve", &resolve]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("curl");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let feeding = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("a child");
    feeding.join().expect("no panic");
    output
}

fn curl_is_served_at_both_versions(driver: Choice) {
    if !has("curl") {
        return;
    }
    let service = Service::answering(|request| match request.target.as_str() {
        "/digest" => ok(digest(&request.body)),
        _ => ok(Noise::new(3).bytes(3 << 20)),
    });
    let site = Site::start(Plan::to(&service), driver);
    let url = |path: &str| format!("https://localhost:{}{path}", site.gate.address().port());
    let body = Noise::new(4).bytes(2 << 20);
    for version in ["1.2", "1.3"] {
        let of = ["--tlsv1.2", "--tls-max", version];
        let got = curl(&site, &[&of[..], &[&url("/large")]].concat(), b"");
        assert!(got.status.success(), "{}", String::from_utf8_lossy(&got.stderr));
        assert!(got.stdout == Noise::new(3).bytes(3 << 20));
        // Of a known length, and in chunks.
        for more in [&["--data-binary", "@-"][..], &["-T", "-", "-X", "POST"]] {
            let put = curl(&site, &[&of[..], more, &[&url("/digest")]].concat(), &body);
            assert_eq!(String::from_utf8_lossy(&put.stdout), digest(&body), "{version} {more:?}");
        }
        // One connection for three requests, which curl takes from its ALPN and says.
        let three = [url("/digest"), url("/digest"), url("/digest")];
        let all = [&of[..], &["-w", "%{num_connects} "], &[&three[0], &three[1], &three[2]]].concat();
        let got = curl(&site, &all, b"");
        let said = String::from_utf8_lossy(&got.stdout).into_owned();
        let connects: Vec<&str> = said.split_whitespace().map(|part| &part[part.len() - 1..]).collect();
        assert_eq!(connects, ["1", "0", "0"], "{said}");
    }
    // Clear text to the same port.
    let port = site.gate.address().port();
    let got = curl(&site, &["-w", "%{http_code}", &format!("http://localhost:{port}/")], b"");
    let said = String::from_utf8_lossy(&got.stdout).into_owned();
    assert!(got.status.success() && said.ends_with("400"), "{said}");
}

fn curl_shows_a_certificate(driver: Choice) {
    if !has("curl") {
        return;
    }
    let service = Service::answering(|_| ok("good"));
    let clients = Authority::new("of curl");
    clients.save("card", &clients.issue(&["curl.example"]));
    let required = format!("client_auth: {{ ca: \"{}\", mode: required }}", clients.ca());
    let site = Site::start_with(Plan::to(&service), &required, driver);
    let url = format!("https://localhost:{}/", site.gate.address().port());
    for version in ["1.2", "1.3"] {
        let of = ["--tlsv1.2", "--tls-max", version];
        let (cert, key) = (clients.shown("card.pem"), clients.shown("card.key"));
        let with = curl(&site, &[&of[..], &["--cert", &cert, "--key", &key, &url]].concat(), b"");
        assert_eq!(String::from_utf8_lossy(&with.stdout), "good", "{}", String::from_utf8_lossy(&with.stderr));
        let without = curl(&site, &[&of[..], &[&url]].concat(), b"");
        assert!(!without.status.success());
    }
    assert_eq!(service.request_count(), 2);
}

fn reqwest_is_served(driver: Choice) {
    let service = Service::answering(|request| ok(digest(&request.body)));
    let site = Site::start(Plan::to(&service), driver);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for version in [Version::Tls12, Version::Tls13] {
        let client = reqwest::Client::builder()
            .use_preconfigured_tls(tls::client_config(&site.authority, version))
            .resolve("localhost", site.gate.address())
            .no_proxy()
            .build()
            .expect("a client");
        let url = format!("https://localhost:{}/", site.gate.address().port());
        runtime.block_on(async {
            let asks = (0..40).map(|n| {
                let (client, url) = (client.clone(), url.clone());
                async move {
                    let body = Noise::new(n).bytes(n as usize * 5003);
                    let expected = digest(&body);
                    let answer = client.post(url).body(body).send().await.expect("an answer");
                    assert_eq!(answer.version(), reqwest::Version::HTTP_11);
                    assert_eq!(answer.text().await.expect("a body"), expected);
                }
            });
            futures_util::future::join_all(asks).await;
            let pieces = futures_util::stream::iter((0..100).map(|n| Ok::<_, std::io::Error>(vec![n; 10_000])));
            let whole: Vec<u8> = (0..100).flat_map(|n| vec![n; 10_000]).collect();
            let answer = client.post(&url).body(reqwest::Body::wrap_stream(pieces)).send().await.expect("an answer");
            assert_eq!(answer.text().await.expect("a body"), digest(&whole));
        });
    }
}
