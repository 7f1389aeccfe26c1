#!/usr/bin/env bash
# Instructions of one exchange, counted by valgrind while the gateway's tasks run: parsing to sending, and the copies of
# the transport in memory, but not client and service. The difference of two runs, so that the warm-up does not count.
# With `top`, also the functions in which they are spent. Steady where times are not: use it to compare two versions.
#
#   bench/callgrind.sh [top]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v valgrind >/dev/null || { echo 'valgrind is not installed' >&2; exit 1; }

# As many exchanges as every run begins with are in bench/src/scenario.rs.
few=1000 many=3000 warm_up=100
target=$(cargo metadata --format-version 1 --no-deps | grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cargo build -q --release -p ringgate-bench
program=$target/release/ringgate-exchanges

# Instructions of a whole run; the profile is left in the file named last.
instructions() {
    valgrind --tool=callgrind --toggle-collect='ringgate_rt::by_hand::poll*' --callgrind-out-file="${*: -1}" "$program" "${@:1:$#-1}" >/dev/null 2>"$out/log" ||
        { cat "$out/log" >&2; exit 1; }
    awk '/^(summary|totals):/ { print $2; exit }' "${*: -1}"
}

for scenario in get_1k browser_1k post_16k; do
    for log in '' log; do
        # shellcheck disable=SC2086  # an empty $log is no argument
        a=$(instructions "$scenario" "$few" $log "$out/few")
        # shellcheck disable=SC2086
        b=$(instructions "$scenario" "$many" $log "$out/many")
        printf '%-12s %-4s %6d instructions\n' "$scenario" "$log" "$(((b - a) / (many - few)))"
        if [ "${1:-}" = top ]; then
            # Lines are `COUNT (SHARE) FILE:FUNCTION [OBJECT]`, one for each file that a function's code was inlined from.
            callgrind_annotate --auto=no --threshold=100 "$out/many" |
                sed -nE 's/^ *([0-9,]+) \([ 0-9.]+%\)  [^:]*:(.*)$/\1 \2/p' | sed -E 's/ \[[^]]*\]$//' | tr -d , |
                awk -v runs="$((many + warm_up))" '{ n = $1; $1 = ""; sum[$0] += n }
                    END { for (name in sum) printf "%10d %s\n", sum[name] / runs, name }' |
                sort -rn | sed -n '1,25p'
        fi
    done
done
