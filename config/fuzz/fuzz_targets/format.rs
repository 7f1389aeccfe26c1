//! The canonical form of any text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringgate_config::format;
use saphyr_parser::{Event, Parser};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    match format::text("t.yaml", &text) {
        Err(errors) => assert!(errors.iter().count() > 0),
        Ok(once) => {
            assert_eq!(meaning(&once), meaning(&text), "{text}\n---\n{once}");
            let twice = format::text("t.yaml", &once).unwrap_or_else(|errors| panic!("{errors}\n{text}\n---\n{once}"));
            assert_eq!(twice, once, "not stable:\n{text}");
        }
    }
});

/// What a text means: its events without their places.
fn meaning(text: &str) -> Vec<String> {
    let mut events = Vec::new();
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        match event.unwrap_or_else(|error| panic!("{error}\n{text}")).0 {
            Event::Scalar(value, style, ..) => events.push(format!("{style:?} {value:?}")),
            Event::DocumentStart(_) => {}
            event => events.push(format!("{event:?}")),
        }
    }
    events
}
