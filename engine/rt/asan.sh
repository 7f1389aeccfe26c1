#!/usr/bin/env bash
# The runtime's tests under AddressSanitizer: everything unsafe in the project lies in this crate. Needs a nightly
# toolchain. Leaks count as faults, but for those in asan.suppressions. Arguments go to `cargo test`, as in
# `engine/rt/asan.sh --test shard cancel`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! cargo +nightly --version >/dev/null 2>&1; then
    echo 'asan.sh needs the nightly toolchain, which alone has sanitizers: rustup toolchain install nightly' >&2
    exit 1
fi
target=$(rustc +nightly -vV | sed -n 's/^host: //p')
case $target in
x86_64-unknown-linux-gnu | aarch64-unknown-linux-gnu) ;;
*)
    echo "asan.sh: AddressSanitizer is not there for $target" >&2
    exit 1
    ;;
esac

export RUSTFLAGS="-Zsanitizer=address -Cforce-frame-pointers=yes"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/asan"
export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export LSAN_OPTIONS="suppressions=$PWD/engine/rt/asan.suppressions:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
[ "$#" -gt 0 ] || set -- --lib --tests --no-fail-fast
# With --target the flags are not for build scripts and macros.
exec cargo +nightly test --locked -p ringgate-rt --target "$target" "$@"
