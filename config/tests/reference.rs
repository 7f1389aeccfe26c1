//! `docs/configuration.md` is what the field tables say.
#![allow(clippy::unwrap_used)]

#[test]
fn the_committed_reference_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let generated = ringgate_config::reference::markdown();
    if std::env::var_os("RINGGATE_WRITE").is_some() {
        std::fs::write(path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let differs = committed.lines().zip(generated.lines()).position(|(a, b)| a != b);
    let hint = "run `RINGGATE_WRITE=1 cargo test -p ringgate-config --test reference`";
    assert!(committed == generated, "docs/configuration.md differs from line {:?} on: {hint}", differs.map(|i| i + 1));
}
