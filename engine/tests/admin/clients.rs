//! Clients that others wrote, over TCP and over a Unix socket.

use super::support::process::scratch;
use super::{Gate, TOKEN};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(test)
}

#[test]
fn reqwest_reads_and_changes() {
    let gate = Gate::start();
    let base = format!("http://{}", gate.process.admin());
    run(async {
        // reqwest is built with TLS for other tests, and wants to know by whom; nothing of it is used here.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::new();
        let config = client.get(format!("{base}/config")).send().await.expect("an answer");
        let config: serde_json::Value = serde_json::from_slice(&config.bytes().await.expect("a body")).expect("JSON");
        assert_eq!(config["generation"], 1);
        let refused = client.post(format!("{base}/reload")).send().await.expect("an answer");
        assert_eq!(refused.status(), 401);
        let reload = client.post(format!("{base}/reload")).bearer_auth(TOKEN).send().await.expect("an answer");
        assert_eq!(reload.status(), 200);
        let level = client.put(format!("{base}/log-level")).bearer_auth(TOKEN).body("{\"level\":\"warn\"}");
        assert_eq!(level.send().await.expect("an answer").status(), 200);
    });
    assert_eq!(gate.generation(), 2);
}

#[test]
fn hyper_reads_and_changes_over_a_unix_socket() {
    let path = scratch("hyper.sock");
    let gate = Gate::with(&format!("address: \"unix:{}\"", path.display()));
    run(async {
        let stream = tokio::net::UnixStream::connect(&path).await.expect("a connection");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1");
        let driving = tokio::spawn(connection);
        for (method, path, status) in [("GET", "/readyz", 200), ("POST", "/drain", 200), ("GET", "/readyz", 503)] {
            let request = Request::builder().method(method).uri(path).header("host", "localhost");
            let request = request.body(Empty::<Bytes>::new()).expect("a request");
            let answer = sender.send_request(request).await.expect("an answer");
            assert_eq!(answer.status(), status, "{method} {path}");
            answer.into_body().collect().await.expect("a body");
        }
        drop(sender);
        driving.await.expect("no panic").expect("a clean end");
    });
    assert_eq!(gate.get("/readyz").status, 503);
}
