#!/bin/sh
# The long versions of engine/tests/cost, with the release binary:
#
#   engine/tests/soak.sh [readers] [idle] [burst]
#
# readers: CLIENTS (100) clients each read an answer of SIZE (1 GiB) at RATE (1,000,000 bytes per second) for SECONDS
# (60): memory grows by at most 320 KiB for each.
# idle: IDLE (20000, or as many as the limit on descriptors allows) connections, one request each: at most 1 KiB each
# once they are idle; then one request more each.
# burst: the same, but all connect before the first sends its request.
#
# BINARY names the binary; without it the release build is made. DRIVER is auto or epoll. Needs python3, no modules.
set -eu
cd "$(dirname "$0")/../.."
if [ -z "${BINARY:-}" ]; then
    cargo build --release -p ringgate
    BINARY="${CARGO_TARGET_DIR:-target}/release/ringgate"
fi
export BINARY
[ $# -gt 0 ] || set -- readers idle
exec python3 engine/tests/soak.py "$@"
