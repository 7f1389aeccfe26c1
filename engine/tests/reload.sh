#!/bin/sh
# Reloads under load, with the release binary:
#
#   engine/tests/reload.sh [load] [memory]
#
# load: wrk with CONNECTIONS (64) connections, TUNNELS (20) WebSockets, a slow upload and a slow download for SECONDS
# (20), meanwhile RELOADS (50) reloads, each of which adds or removes a route, a listener and an endpoint; every fifth
# file is bad. No request fails, no connection is closed, p99 is at most twice the quiet one.
# memory: MANY (500) reloads of ROUTES (10,000) routes: memory is flat.
#
# BINARY names the binary; without it the release build is made. Needs wrk, taskset, python3 (no modules), two cores.
set -eu
cd "$(dirname "$0")/../.."
if [ -z "${BINARY:-}" ]; then
    cargo build --release -p ringgate
    BINARY="${CARGO_TARGET_DIR:-target}/release/ringgate"
fi
export BINARY
[ $# -gt 0 ] || set -- load memory
exec python3 engine/tests/reload.py "$@"
