//! Time of single parts: reading heads, taking chunks apart, finding a route.
#![allow(clippy::expect_used, reason = "a bench that can't run has nothing to report")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ringgate::harness::Routes;
use ringgate_bench::{Scenario, config};
use ringgate_protocols::h1::{BodyDecoder, BodyLength, HeadLimits, HeadScanner, RequestHead, ResponseHead};
use std::fmt::Write;
use std::hint::black_box;

const LIMITS: HeadLimits = HeadLimits { header_bytes: 32 * 1024, headers: 100, target_bytes: 16 * 1024 };

fn heads(c: &mut Criterion) {
    let mut scanner = HeadScanner::new();
    for name in ["get_1k", "browser_1k"] {
        let request = Scenario::named(name).expect("a scenario").head.as_bytes();
        let mut head = RequestHead::new();
        c.bench_function(&format!("head/request/{name}"), |b| {
            b.iter(|| {
                scanner.reset();
                let len = scanner.find_end(black_box(request), &LIMITS).expect("a good head").expect("a whole head");
                head.parse(&request[..len], &LIMITS).expect("a good head");
            });
        });
    }
    let answer = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Tue, 24 Nov 2026 15:56:16 GMT\r\n\
        Content-Type: text/plain\r\nContent-Length: 1024\r\nConnection: keep-alive\r\nETag: \"6907266b-400\"\r\n\r\n";
    let mut head = ResponseHead::new();
    c.bench_function("head/answer", |b| {
        b.iter(|| {
            scanner.reset();
            let len = scanner.find_end(black_box(answer), &LIMITS).expect("a good head").expect("a whole head");
            head.parse(&answer[..len], &LIMITS).expect("a good head");
        });
    });
}

fn chunks(c: &mut Criterion) {
    let mut group = c.benchmark_group("chunked/16k");
    group.throughput(Throughput::Bytes(16 * 1024));
    for size in [64, 1024, 16 * 1024] {
        let mut body = Vec::new();
        for _ in 0..16 * 1024 / size {
            body.extend_from_slice(format!("{size:x}\r\n").as_bytes());
            body.resize(body.len() + size, b'x');
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"0\r\n\r\n");
        group.bench_function(format!("chunks of {size}"), |b| {
            b.iter_batched_ref(
                || (body.clone(), BodyDecoder::new(BodyLength::Chunked)),
                |(bytes, decoder)| decoder.decode(bytes).expect("a good body").done,
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn routes(c: &mut Criterion) {
    let minimal = include_str!("../../examples/minimal.yaml").to_owned();
    let mut many = String::from(
        "listeners: [{ name: http, address: \"127.0.0.1:8080\" }]\n\
         upstreams: { origin: { endpoints: [\"127.0.0.1:9000\"] } }\nroutes:\n",
    );
    for n in 0..100 {
        let path = if n % 2 == 0 { format!("/service{n}/*") } else { format!("/service{n}/{{id}}") };
        writeln!(many, "  - {{ name: r{n}, match: {{ hosts: [www.example.com], path: \"{path}\" }}, forward: {{ upstream: origin }} }}")
            .expect("memory");
    }
    many.push_str("  - { name: rest, match: { path: \"/*\" }, forward: { upstream: origin } }\n");
    let request = Scenario::named("browser_1k").expect("a scenario").head.as_bytes();
    for (name, text, route) in [("1 route", minimal, 0), ("101 routes, the last", many, 100)] {
        let mut routes = Routes::new(&config(&text).expect("a good configuration")).expect("routes that compile");
        assert!(routes.parse(request, &LIMITS));
        assert_eq!(routes.find(request), Some(route));
        c.bench_function(&format!("route/{name}"), |b| b.iter(|| routes.find(black_box(request))));
    }
}

criterion_group!(benches, heads, chunks, routes);
criterion_main!(benches);
