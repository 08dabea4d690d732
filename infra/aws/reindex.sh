#!/usr/bin/env bash
# Has the shards of cells rebuilt, or of every cell that has one: a due row is put beside each cell's pointer, and the
# index builder does the rest.
#
#     infra/aws/reindex.sh TABLE [CELL ...]
#
# Needs the AWS command line, and the right to query and write the table.
set -euo pipefail
table="${1:?the name of the table}"
shift
cells=("$@")
if [ "${#cells[@]}" -eq 0 ]; then
    mapfile -t cells < <(aws dynamodb query --table-name "$table" --index-name staff \
        --key-condition-expression 'staff_pk = :shards' \
        --expression-attribute-values '{":shards": {"S": "SHARDS"}}' \
        --query 'Items[].[pk.S]' --output text | sed 's/^SHARD#//')
fi

now="$(date -u +%Y-%m-%dT%H:%M:%S.000Z)"
# A change of nobody's: the cells are all that counts.
nobody='wrk_00000000000070008000000000000000'
for cell in "${cells[@]}"; do
    pk="SHARD#$cell" sk="DUE#reindex#$now"
    aws dynamodb put-item --table-name "$table" --item "{
        \"pk\": {\"S\": \"$pk\"}, \"sk\": {\"S\": \"$sk\"}, \"schema\": {\"N\": \"1\"}, \"version\": {\"N\": \"1\"},
        \"tries\": {\"N\": \"0\"}, \"next_try\": {\"S\": \"$now\"},
        \"due_pk\": {\"S\": \"DUE#0\"}, \"due_sk\": {\"S\": \"$now#$pk/$sk\"},
        \"body\": {\"M\": {
            \"due\": {\"M\": {
                \"kind\": {\"S\": \"reindex\"}, \"worker\": {\"S\": \"$nobody\"}, \"cells\": {\"L\": [{\"S\": \"$cell\"}]}
            }},
            \"at\": {\"S\": \"$now\"}, \"generation\": {\"N\": \"0\"}
        }}
    }"
    echo "$cell"
done
