"""Breaks the template in one place at a time, and sees that the check for it says so.

    check_template_test.py OPENAPI_DOCUMENT
"""

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import check_template as checks
from check_template import Checked
from unroll import TEMPLATE

ROUTE = "        - GET /v1/tickets\n"

# The check that must find it, what is replaced (once, where it first stands), and by what.
BROKEN = [
    (checks.every_operation_has_one_route, ROUTE, ""),
    (checks.every_operation_has_one_route, ROUTE, ROUTE + "        - GET /v1/tickets/all\n"),
    (checks.routes_lead_to_their_family, '[!Sub "${Family}Function", Arn]', "[TicketFunction, Arn]"),
    (checks.routes_lead_to_their_family, "lambda/ticket/", "lambda/inbox/"),
    (checks.routes_lead_to_their_family, "                  - !GetAtt DueRowFunction.Arn\n", ""),
    (checks.routes_lead_to_their_family, "          CredentialsArn: !GetAtt ApiRole.Arn\n", ""),
    (checks.public_operations_and_only_they_lack_the_authorizer, "AuthorizationType: JWT", "AuthorizationType: NONE"),
    (checks.public_operations_and_only_they_lack_the_authorizer, "AuthorizationScopes: [!Ref Scope]", "AuthorizationScopes: []"),
    (checks.public_operations_and_only_they_lack_the_authorizer, "AuthorizationType: NONE", "AuthorizationType: JWT\n              AuthorizerId: !Ref Tokens\n              AuthorizationScopes: [!Ref Scope]"),
    (checks.stage_names_routes_that_are_there, "      - RoutePOSTv1activations\n", ""),
    (checks.stage_names_routes_that_are_there, "        ThrottlingBurstLimit: !Ref RequestsAtOnce\n", ""),
    (checks.every_binary_is_one_function, "lambda/ticket/", "lambda/tickets/"),
    (checks.every_binary_is_one_function, "Architectures: [arm64]", "Architectures: [x86_64]"),
    (checks.every_function_has_a_role_of_its_own, "!GetAtt TicketRole.Arn", "!GetAtt InboxRole.Arn"),
    (checks.functions_are_given_their_settings, "        RAPPORT_EMERGENCY: !Ref Emergency\n", ""),
    (checks.functions_are_given_their_settings, '"{{resolve:secretsmanager:${DeploymentKey}}}"', '"a secret"'),
    (checks.functions_are_given_their_settings, "LogGroup: !Ref Log,", ""),
    (checks.functions_may_read_what_warms_them, "Reads: [IDEM#*, LOGIN#*, PERSON#*, SYSTEM#*, TICKET#*]", "Reads: [IDEM#*, LOGIN#*, SYSTEM#*, TICKET#*]"),
    (checks.the_night_begins, '"sk": "BEGIN"', '"sk": "DUE#night"'),
    (checks.the_night_begins, "      Description: Begins the nightly rebuild of records and shards.\n      State: !If [RowsAreReleased, ENABLED, DISABLED]", "      State: DISABLED"),
    (checks.functions_can_be_followed, "    Tracing: Active\n", ""),
    (checks.functions_can_be_followed, "Action: [xray:PutTraceSegments, xray:PutTelemetryRecords]", "Action: [xray:PutTraceSegments, xray:GetTraceSummaries]"),
    (checks.functions_can_be_followed, "        RAPPORT_STAGE: !Ref AWS::StackName\n", ""),
    (checks.alarms_are_about_what_is_measured, "MetricName: Parked", "MetricName: RowsParked"),
    (checks.alarms_are_about_what_is_measured, "      Dimensions: [{Name: Stage, Value: !Ref AWS::StackName}]\n", ""),
    (checks.alarms_are_about_what_is_measured, "MetricName: ShardsDamaged,", "MetricName: DamagedShards,"),
    (checks.every_queue_has_a_dead_letter_queue, "deadLetterTargetArn: {Fn::GetAtt: [!Sub \"${Consumer}DeadLetters\", Arn]}", "deadLetterTargetArn: a-queue"),
    (checks.every_queue_has_a_dead_letter_queue, "MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 345600"),
    (checks.every_queue_has_a_dead_letter_queue, "        - !Ref ExpiryQueue\n", ""),
    (checks.consumers_take_from_their_queues, "FunctionResponseTypes: [ReportBatchItemFailures]", "FunctionResponseTypes: []"),
    (checks.consumers_take_from_their_queues, "Expiry: {Hidden: 180", "Expiry: {Hidden: 173"),
    (checks.consumers_take_from_their_queues, "Queue: !GetAtt ExpiryQueue.Arn", "Queue: !GetAtt NotificationQueue.Arn"),
    (checks.consumers_take_from_their_queues, "            MaximumRecordAgeInSeconds: 900\n", ""),
    (checks.rows_find_the_queue_of_their_kind, '"expiry": "${ExpiryQueue}"', '"expiry": "${NotificationQueue}"'),
    (checks.rows_find_the_queue_of_their_kind, "          RAPPORT_SCHEDULE_GROUP: !Ref Schedules\n", ""),
    (checks.table_is_what_the_store_needs, "{AttributeName: due_sk, KeyType: RANGE}", "{AttributeName: sk, KeyType: RANGE}"),
    (checks.table_is_what_the_store_needs, "{ProjectionType: KEYS_ONLY}", "{ProjectionType: ALL}"),
    (checks.table_is_what_the_store_needs, "{AttributeName: ttl, Enabled: true}", "{AttributeName: ttl, Enabled: false}"),
    (checks.table_is_what_the_store_needs, "StreamViewType: NEW_IMAGE", "StreamViewType: KEYS_ONLY"),
    (checks.nothing_is_lost, "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"),
    (checks.nothing_is_lost, "      DeletionProtectionEnabled: !If [IsProtected, true, false]\n", ""),
    (checks.nothing_is_lost, "DeletionPolicy: RetainExceptOnCreate", "DeletionPolicy: Delete"),
    (checks.everything_is_encrypted_and_private, "SSEEnabled: true", "SSEEnabled: false"),
    (checks.everything_is_encrypted_and_private, "BlockPublicPolicy: true", "BlockPublicPolicy: false"),
    (checks.everything_is_encrypted_and_private, "      BucketEncryption:\n", "      VersioningConfiguration: {Status: Enabled}\n      BucketEncryption:\n"),
    (checks.everything_is_encrypted_and_private, "{Bool: {aws:SecureTransport: false}}", "{Bool: {aws:SecureTransport: true}}"),
    (checks.logs_end, "      RetentionInDays: !Ref LogDays\n", ""),
    (checks.alarms_say_what_to_do, 'OPERATING.md, "A function fails".', "Good luck."),
    (checks.alarms_say_what_to_do, 'OPERATING.md, "A function fails".', 'OPERATING.md, "A function sulks".'),
    (checks.alarms_say_what_to_do, "          AlarmActions: [!Ref Alarms]\n", ""),
    (checks.alarms_say_what_to_do, "Notification, Dispatch, Clock]", "Notification, Dispatch]"),
    (checks.wildcards_are_explained, "            # Objects are named by their engagement and id.\n", ""),
    (checks.wildcards_are_explained, "Action: scheduler:CreateSchedule", 'Action: "scheduler:*"'),
    (checks.families_that_list_may_find, "        - !Ref CoverRole\n        - !Ref SafetyRole\n", "        - !Ref SafetyRole\n"),
    (checks.families_that_list_may_find, "Sid: FindsByStaffIndex", "Sid: Finds"),
    (checks.audit_stays, "      Deletes: [ENG#*]", "      Deletes: [ENG#*, AUDIT#*]\n      Unused: [ENG#*]"),
    (checks.audit_stays, 'Condition: {ForAnyValue:StringLike: {dynamodb:LeadingKeys: ["AUDIT#*"]}}', 'Condition: {ForAnyValue:StringLike: {dynamodb:LeadingKeys: ["AUDITS#*"]}}'),
    (checks.audit_stays, 'Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: ["PARTNER#*"]}}', 'Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: ["*"]}}'),
    (checks.items_are_reached_by_their_keys, "      Deletes: [ENG#*]", "      Deletes: [ENGAGEMENT#*]"),
    (checks.items_are_reached_by_their_keys, 'Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: ["PARTNER#*"]}}', "Condition: {}"),
]


def missed(document, whole, number):
    """What the check for one broken template did not see, if anything."""
    check, old, new = BROKEN[number]
    text = TEMPLATE.read_text()
    if old not in text:
        return f"{old.strip()!r} is not in the template"
    broken = Checked(text.replace(old, new, 1), document)
    if not set(check(broken)) - whole[check.__name__]:
        return f"{check.__name__} did not see {old.strip()!r} become {new.strip()!r}"
    return None


def main(document):
    document = json.loads(Path(document).read_text())
    checked = Checked(TEMPLATE.read_text(), document)
    whole = {check.__name__: set(check(checked)) for check in checks.CHECKS}
    unseen = whole.keys() - {check.__name__ for check, _, _ in BROKEN}
    found = [f"{name} has not been seen to fail" for name in sorted(unseen)]
    with ProcessPoolExecutor() as pool:
        found += filter(None, pool.map(partial(missed, document, whole), range(len(BROKEN))))
    print("\n".join(found) or f"{len(BROKEN)} broken templates, each found by the check for it")
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    raise SystemExit(main(sys.argv[1]))
