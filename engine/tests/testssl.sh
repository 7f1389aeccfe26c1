#!/bin/sh
# What testssl.sh (Debian's package of this name) finds in protocols, ciphers, forward secrecy and vulnerabilities: nothing
# above LOW.
#
#   engine/tests/testssl.sh [ecdsa] [rsa] [both]
#
# Each names the certificates that the gateway has. BINARY names the gateway; without it the release build is made. TESTSSL
# names the script; without it `testssl`. TESTSSL_INSTALL_DIR is where its data is, if that is not where it was installed.
# Needs openssl, hexdump, host or dig, python3 (no modules).
set -eu
cd "$(dirname "$0")/../.."
TESTSSL="${TESTSSL:-testssl}"
if ! command -v "$TESTSSL" >/dev/null; then
    echo "SKIPPED: there is no $TESTSSL here (apt-get install testssl.sh)"
    exit 0
fi
if [ -z "${BINARY:-}" ]; then
    cargo build --release -p ringgate
    BINARY="${CARGO_TARGET_DIR:-target}/release/ringgate"
fi
[ $# -gt 0 ] || set -- both
work="$(mktemp -d)"
gateway=
stop() {
    [ -z "$gateway" ] || kill "$gateway" 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/ecdsa.key" -out "$work/ecdsa.pem" 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/rsa.key" -out "$work/rsa.pem" 2>/dev/null
chmod 600 "$work"/*.key

pair() { echo "{ cert: $work/$1.pem, key: $work/$1.key }"; }
failed=0
for which in "$@"; do
    case "$which" in
    both) certificates="$(pair ecdsa), $(pair rsa)" ;;
    ecdsa | rsa) certificates="$(pair "$which")" ;;
    *) echo "ecdsa, rsa or both, not $which" >&2 && exit 2 ;;
    esac
    cat >"$work/gateway.yaml" <<YAML
limits: { connections: 1000 }
listeners: [{ name: secure, address: "127.0.0.1:0", tls: { certificates: [$certificates], hsts: on } }]
routes: [{ name: all, match: { path: "/*" }, respond: { status: 200, body: "good" } }]
YAML
    "$BINARY" run "$work/gateway.yaml" >/dev/null 2>"$work/said" &
    gateway=$!
    port=
    for _ in $(seq 100); do
        port="$(sed -n 's/.*"127\.0\.0\.1:\([0-9]*\)".*/\1/p' "$work/said" | head -n 1)"
        [ -z "$port" ] || break
        kill -0 "$gateway" || { cat "$work/said" >&2 && exit 1; }
        sleep 0.1
    done
    echo "== $which =="
    # -p protocols, -s categories of ciphers, -f forward secrecy, -P the server's preference, -U vulnerabilities.
    "$TESTSSL" --quiet --color 0 --warnings off --nodns none --jsonfile "$work/$which.json" -p -s -f -P -U "127.0.0.1:$port" \
        >"$work/$which.txt" 2>&1 || true
    python3 - "$work/$which.json" <<'PYTHON' || { cat "$work/$which.txt"; failed=1; }
import json, sys
found = json.load(open(sys.argv[1]))
# What testssl.sh says of the openssl that it uses.
OF_THE_TOOL = {"engine_problem", "old_fart", "scanTime"}
order = {"OK": 0, "INFO": 0, "LOW": 1, "MEDIUM": 2, "HIGH": 3, "CRITICAL": 4, "FATAL": 5, "WARN": 2}
wanted = ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3", "heartbleed", "ROBOT", "secure_client_renego",
          "CRIME_TLS", "POODLE_SSL", "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4"]
ids = {one["id"] for one in found}
missing = [one for one in wanted if one not in ids]
bad = [one for one in found if one["id"] not in OF_THE_TOOL and order.get(one["severity"], 5) > 1]
low = [one for one in found if one["severity"] == "LOW"]
for one in bad + low:
    print(one["severity"], one["id"], one["finding"])
if missing:
    print("not looked at:", ", ".join(missing))
print(f"{len(found)} findings, {len(bad)} above LOW, {len(low)} LOW")
sys.exit(bool(bad or missing))
PYTHON
    kill "$gateway"
    wait "$gateway" || true
    gateway=
done
exit "$failed"
