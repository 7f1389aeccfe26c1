//! What the benches have in common: configurations, requests, and services that answer them.

pub mod allocations;
mod scenario;
mod secured;

pub use scenario::{Exchange, LogLines, SCENARIOS, Scenario, config};
pub use secured::SecuredExchange;
