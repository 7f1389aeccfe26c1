//! Runs exchanges through the pipeline in memory and says what one costs: `ringgate-exchanges SCENARIO N [log]`.
//! `callgrind.sh` runs it twice and divides the difference.

use ringgate_bench::{LogLines, SCENARIOS, Scenario};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Exchanges timed together: the best batch is one that nothing else on the machine disturbed.
const BATCH: u128 = 500;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (scenario, count, log) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [name, count] => (Scenario::named(name), count.parse(), LogLines::Off),
        [name, count, "log"] => (Scenario::named(name), count.parse(), LogLines::On),
        _ => (None, Ok(0), LogLines::Off),
    };
    let (Some(scenario), Ok(count)): (_, Result<u128, _>) = (scenario, count) else {
        let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        eprintln!("usage: ringgate-exchanges {} COUNT [log]", names.join("|"));
        return ExitCode::FAILURE;
    };
    let mut exchange = match scenario.start(log) {
        Ok(exchange) => exchange,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let (mut best, mut all, mut bytes) = (Duration::MAX, Duration::ZERO, 0);
    let batches = count.div_ceil(BATCH);
    for _ in 0..batches {
        let begun = Instant::now();
        bytes += (0..BATCH).map(|_| exchange.run()).sum::<usize>();
        best = best.min(begun.elapsed());
        all += begun.elapsed();
    }
    let (best, mean) = (best.as_nanos() / BATCH, all.as_nanos() / (BATCH * batches.max(1)));
    println!(
        "{}: {bytes} bytes answered, {best} ns an exchange in the best batch of {BATCH}, {mean} ns on average",
        scenario.name
    );
    ExitCode::SUCCESS
}
