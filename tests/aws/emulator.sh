#!/usr/bin/env bash
# Runs a command against an emulator of AWS that is installed and started for it, and gone afterwards:
#   tests/aws/emulator.sh cargo test --package rapport-tests --features aws --test aws
# It holds every role to its policies. The command finds
#   RAPPORT_AWS, RAPPORT_S3  its endpoint
#   RAPPORT_CLOCK            a file that says by how many seconds its clock is moved, with a sign: +0 at first
#   RAPPORT_GRANTS           a file that says what was asked for, by which role, and whether it was allowed
#   RAPPORT_EMULATOR_LOG     its log, and what functions log
#   RAPPORT_PYTHON           a Python with boto3
#   RAPPORT_MOVED            what to set, as `env` takes it, so that a command goes by that clock
# Needs Python 3 with venv, and libfaketime, which root on Debian gets by itself.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

case "${1:-}" in
'' | -h | --help)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"
    exit 2
    ;;
esac

scratch="$(mktemp -d)"
emulator=
cleanup() {
    if [[ -n "$emulator" ]]; then kill "$emulator" 2>/dev/null || true; fi
    rm -rf "$scratch"
}
trap cleanup EXIT

faketime="$(find /usr/lib -name libfaketimeMT.so.1 -print -quit)"
if [[ -z "$faketime" && "$(id -u)" = 0 ]] && command -v apt-get >/dev/null; then
    install=(apt-get install --quiet --quiet --yes --no-install-recommends libfaketime)
    # A machine that has no lists of packages yet gets them first.
    "${install[@]}" >/dev/null 2>&1 || { apt-get update --quiet --quiet && "${install[@]}" >/dev/null; }
    faketime="$(find /usr/lib -name libfaketimeMT.so.1 -print -quit)"
fi
if [[ -z "$faketime" ]]; then
    echo "libfaketime is not installed: apt-get install libfaketime"
    exit 1
fi
export RAPPORT_CLOCK="$scratch/clock" RAPPORT_GRANTS="$scratch/grants.jsonl" RAPPORT_EMULATOR_LOG="$scratch/emulator.log"
export RAPPORT_PYTHON="$scratch/python/bin/python"
export RAPPORT_MOVED="LD_PRELOAD=$faketime FAKETIME_TIMESTAMP_FILE=$RAPPORT_CLOCK FAKETIME_CACHE_DURATION=0 \
FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1"
echo +0 >"$RAPPORT_CLOCK"
: >"$RAPPORT_GRANTS"

python3 -m venv "$scratch/python"
"$scratch/python/bin/pip" install --quiet --disable-pip-version-check \
    ministack==1.5.33 cryptography aws-sam-translator boto3

port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
endpoint="http://127.0.0.1:$port"
mkdir "$scratch/emulator"
# shellcheck disable=SC2086 # Several settings in one.
(cd "$scratch/emulator" && exec env $RAPPORT_MOVED TMPDIR="$scratch/emulator" AUTH=true BIND_HOST=127.0.0.1 \
    GATEWAY_PORT="$port" AWS_ENDPOINT_URL="$endpoint" \
    "$RAPPORT_PYTHON" "$here/emulator.py" >"$RAPPORT_EMULATOR_LOG" 2>&1) &
emulator=$!
for _ in $(seq 300); do
    (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    kill -0 "$emulator" 2>/dev/null || break
    sleep 0.1
done
if ! (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "the emulator did not start:"
    tail -n 20 "$RAPPORT_EMULATOR_LOG"
    exit 1
fi
RAPPORT_AWS="$endpoint" RAPPORT_S3="$endpoint" "$@"
