#!/usr/bin/env bash
# Proves the deployment: builds the functions, deploys infra/aws/template.yaml on an emulator of AWS, and plays the whole
# tour over the deployed API, with every role held to what it is granted.
#   tests/aws/deployment.sh            installs and starts the emulator, too
#   tests/aws/deployment.sh --built    takes the functions that were built before
# Needs the Rust toolchain and what tests/aws/emulator.sh needs.
set -euo pipefail
cd "$(dirname "$0")/../.."

case "${1:-}" in
'' | --built) ;;
*)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"
    exit 2
    ;;
esac
[[ -n "${RAPPORT_AWS:-}" ]] || exec tests/aws/emulator.sh tests/aws/deployment.sh "$@"

target="${CARGO_TARGET_DIR:-target}"
# Everything at once, tests and binaries: one build serves both. What ships is built as infra/aws/README.md says.
everything=(--locked --workspace --features lambda,rapport-tests/aws)
[[ "${1:-}" = --built ]] || cargo build "${everything[@]}" --profile test --tests --bins

# When the tour begins.
begins="$(sed -n 's/^pub const BEGINS: &str = "\(.*\)";$/\1/p' infra/local/src/tour/place.rs)"
printf '%+d\n' $(($(date --date "$begins" +%s) - $(date +%s))) >"$RAPPORT_CLOCK"
# The emulator looks at it once in each second.
sleep 1.1

issuer="http://127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
export RAPPORT_DEPLOYMENT="${RAPPORT_CLOCK%/*}/deployment.json"
# By the emulator's clock.
script() {
    # shellcheck disable=SC2086 # Several settings in one.
    env $RAPPORT_MOVED "$RAPPORT_PYTHON" "tests/aws/$@"
}

script keys_test.py
script deploy.py --binaries "$target/debug" --issuer "$issuer" >"$RAPPORT_DEPLOYMENT"
if ! cargo test "${everything[@]}" --test deployment -- --nocapture; then
    echo "what the functions logged:"
    script logs.py rapport-proof | tail -n 40
    echo "what the emulator logged:"
    grep -E ' (WARN|WARNING|ERROR) ' "$RAPPORT_EMULATOR_LOG" | tail -n 20
    echo "what roles were refused:"
    grep '"allowed": false' "$RAPPORT_GRANTS" | grep rapport-proof
    exit 1
fi
script grants.py rapport-proof "$RAPPORT_GRANTS"
