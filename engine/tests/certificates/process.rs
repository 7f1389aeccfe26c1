//! What an operator sees of it: the process looks at the files by itself.

use crate::BINARY;
use crate::files::{Site, request, shown};
use crate::support::process::Process;
use crate::support::{Client, wait_for};

#[track_caller]
fn until_said(process: &Process, seen: usize, words: &str) {
    wait_for(words, || process.stderr()[seen..].contains(words).then_some(()));
}

#[track_caller]
fn ask(process: &Process, path: &str) -> crate::support::Answer {
    let at = process.admin();
    let mut client = Client::connect(at.parse().expect("an address"));
    client.send(format!("GET {path} HTTP/1.1\r\nhost: {at}\r\n\r\n"));
    client.answer_to("GET")
}

#[test]
fn a_renewed_certificate_is_served_and_a_broken_one_is_said() {
    let (site, first) = Site::new();
    let process = Process::start(BINARY, &site.config("admin: { address: \"127.0.0.1:0\" }\n"), "auto");
    let mut kept = site.connect(process.address()).expect("a connection");
    assert!(shown(&kept, &first));
    let listed = ask(&process, "/certificates").json()["certificates"][0].clone();
    assert_eq!((listed["listener"].as_str(), listed["names"][0].as_str()), (Some("https"), Some("a.example")));
    assert_eq!((listed["key"].as_str(), listed["sha256"].as_str().map(str::len)), (Some("ECDSA 256"), Some(64)));
    let seen = process.stderr().len();
    let second = site.make();
    site.put(&second);
    until_said(&process, seen, "site.pem was read anew; it is valid until");
    assert!(shown(&site.connect(process.address()).expect("a connection"), &second));
    request(&mut kept).expect("a connection that was there goes on");
    assert_ne!(ask(&process, "/certificates").json()["certificates"][0]["sha256"], listed["sha256"]);
    // A key that is another one's: the certificate that was served goes on being served.
    let seen = process.stderr().len();
    site.exchange("site.key", &first.key);
    until_said(&process, seen, "site.key holds a key that is not the certificate's");
    assert!(shown(&site.connect(process.address()).expect("a connection"), &second));
    let line = process.reload(&site.config("admin: { address: \"127.0.0.1:0\" }\n"));
    assert!(line.contains(" failed ") && line.contains("nothing was changed"), "{line}");
    assert!(shown(&site.connect(process.address()).expect("a connection"), &second));
    let page = ask(&process, "/metrics").text().to_owned();
    for words in [
        "ringgate_certificate_reloads_total{result=\"ok\"} 1\n",
        "ringgate_certificate_reloads_total{result=\"failed\"} 1\n",
        "ringgate_certificate_expiry_timestamp_seconds{listener=\"https\",upstream=\"\",name=\"a.example\",file=\"",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    let told = "the certificate that it had before is still served";
    assert_eq!(process.stderr().matches(told).count(), 1, "however often the files are looked at");
}
