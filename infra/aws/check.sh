#!/usr/bin/env bash
# Looks the deployment template through, without an account.
#
#     infra/aws/check.sh [OPENAPI_DOCUMENT]
#
# Without a document it is made by `cargo run -- openapi`. Needs Python 3.11; the tools are installed beside each other,
# for they want different versions of the same packages.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

document="${1:-}"
if [ -z "$document" ]; then
    document="$scratch/openapi.json"
    (cd "$here/../.." && cargo run --locked --quiet -- openapi) >"$document"
fi

installed() {
    python3 -m venv "$scratch/$1"
    "$scratch/$1/bin/pip" install --quiet "$2"
}

# With the reader of YAML that the checks use.
installed cfn-lint 'cfn-lint==1.58.0'
"$scratch/cfn-lint/bin/cfn-lint" "$here/template.yaml"
"$scratch/cfn-lint/bin/python" "$here/check_template.py" "$document"
"$scratch/cfn-lint/bin/python" "$here/check_template_test.py" "$document"

# Unrolled, so that nothing in a loop is passed over.
"$scratch/cfn-lint/bin/python" "$here/unroll.py" >"$scratch/unrolled.json"
installed checkov 'checkov==3.3.30'
"$scratch/checkov/bin/checkov" --config-file "$here/checkov.yaml" --file "$scratch/unrolled.json"

installed sam 'aws-sam-cli==1.170.0'
SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 \
    "$scratch/sam/bin/sam" validate --lint --language-extensions --template "$here/template.yaml"
echo "the template holds"
