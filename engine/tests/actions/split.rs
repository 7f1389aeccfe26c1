//! Several services that share a route's requests by weight.

use super::gate;
use super::support::service::ok;
use super::support::{Service, on_both_drivers};
use ringgate_rt::driver::Choice;

on_both_drivers!(each_service_gets_its_share, a_service_without_weight_gets_nothing, the_log_says_which_one_answered,);

fn service(text: &'static str) -> Service {
    Service::answering(move |_| ok(text))
}

fn shares(one: &Service, other: &Service, weights: (u32, u32)) -> (String, String) {
    let route = format!(
        "name: canary, match: {{ path: \"/*\" }}, forward: {{ split: [{{ upstream: one, weight: {} }}, {{ upstream: other, weight: {} }}] }}",
        weights.0, weights.1
    );
    let upstreams =
        format!("one: {{ endpoints: [\"{}\"] }}, other: {{ endpoints: [\"{}\"] }}", one.endpoint(), other.endpoint());
    (route, upstreams)
}

fn each_service_gets_its_share(driver: Choice) {
    let (one, other) = (service("one"), service("other"));
    let (route, upstreams) = shares(&one, &other, (90, 10));
    let gate = gate(driver, &[&route], &upstreams);
    let mut client = gate.client();
    let answers: Vec<String> = (0..200).map(|_| client.get("/").text().to_string()).collect();
    // Exactly so, in each hundred, and spread out.
    for hundred in answers.chunks(100) {
        assert_eq!(hundred.iter().filter(|text| *text == "other").count(), 10);
    }
    assert!(answers[..20].iter().any(|text| text == "other"));
}

fn a_service_without_weight_gets_nothing(driver: Choice) {
    let (one, other) = (service("one"), service("other"));
    let (route, upstreams) = shares(&one, &other, (1, 0));
    let gate = gate(driver, &[&route], &upstreams);
    let mut client = gate.client();
    assert!((0..20).all(|_| client.get("/").text() == "one"));
}

fn the_log_says_which_one_answered(driver: Choice) {
    let (one, other) = (service("one"), service("other"));
    let (route, upstreams) = shares(&one, &other, (1, 1));
    let gate = gate(driver, &[&route], &upstreams);
    let mut client = gate.client();
    let answers: Vec<String> = (0..4).map(|_| client.get("/").text().to_string()).collect();
    let logged: Vec<String> =
        gate.log(4).iter().map(|line| line["upstream"].as_str().unwrap_or("").to_string()).collect();
    assert_eq!(answers, logged);
}
