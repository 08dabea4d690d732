#!/usr/bin/env bash
# Puts parked due rows back, to be tried at once. Without --do it only lists them.
#
#     infra/aws/redrive.sh TABLE [--do]
#
# Needs the AWS command line, and the right to query and update the table.
set -euo pipefail
table="${1:?the name of the table}"

parked() {
    aws dynamodb query --table-name "$table" --index-name staff \
        --key-condition-expression 'staff_pk = :parked' \
        --expression-attribute-values '{":parked": {"S": "PARKED"}}' \
        --query 'Items[].[pk.S, sk.S]' --output text
}

now="$(date -u +%Y-%m-%dT%H:%M:%S.000Z)"
while IFS=$'\t' read -r pk sk; do
    [ -n "${sk:-}" ] || continue
    echo "$pk $sk"
    [ "${2:-}" = --do ] || continue
    # As `store::due` does it. The sweeper looks into every bucket, so any will do.
    aws dynamodb update-item --table-name "$table" \
        --key "{\"pk\": {\"S\": \"$pk\"}, \"sk\": {\"S\": \"$sk\"}}" \
        --update-expression 'SET tries = :none, next_try = :now, due_pk = :bucket, due_sk = :order REMOVE staff_pk, staff_sk' \
        --condition-expression 'staff_pk = :parked' \
        --expression-attribute-values "{\":none\": {\"N\": \"0\"}, \":now\": {\"S\": \"$now\"}, \":bucket\": {\"S\": \"DUE#0\"}, \":order\": {\"S\": \"$now#$pk/$sk\"}, \":parked\": {\"S\": \"PARKED\"}}"
done < <(parked)
