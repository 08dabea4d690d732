#!/usr/bin/env bash
# Runs a command against an emulator of AWS that is installed and started for it, and gone afterwards:
#   tests/aws/emulator.sh cargo test --package rapport-tests --features aws --test aws
# The command finds its endpoint in RAPPORT_AWS and RAPPORT_S3. Needs Python 3 with venv.
set -euo pipefail

scratch="$(mktemp -d)"
emulator=
cleanup() {
    if [[ -n "$emulator" ]]; then kill "$emulator" 2>/dev/null || true; fi
    rm -rf "$scratch"
}
trap cleanup EXIT

python3 -m venv "$scratch/python"
"$scratch/python/bin/pip" install --quiet --disable-pip-version-check ministack==1.5.33 cryptography

port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
endpoint="http://127.0.0.1:$port"
(cd "$scratch" && exec env BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" AWS_ENDPOINT_URL="$endpoint" \
    "$scratch/python/bin/ministack" >"$scratch/emulator.log" 2>&1) &
emulator=$!
for _ in $(seq 300); do
    (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    kill -0 "$emulator" 2>/dev/null || break
    sleep 0.1
done
if ! (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "the emulator did not start:"
    tail -n 20 "$scratch/emulator.log"
    exit 1
fi
RAPPORT_AWS="$endpoint" RAPPORT_S3="$endpoint" "$@"
