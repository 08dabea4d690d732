"""Says what roles were refused, and what they were granted and never asked for.

    tests/aws/grants.py STACK RECORD [--json]

RECORD is what the emulator at RAPPORT_AWS wrote of every kind of request. Ends in failure if a role was refused anything, or if a
permission that AWS itself will ask for, on behalf of a queue, a schedule or the API, is not granted.
"""

import moved  # noqa: F401
import argparse
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import boto3

ON_A_QUEUE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
ON_A_STREAM = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
ON_THE_LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]


def client(service):
    return boto3.client(
        service,
        endpoint_url=os.environ["RAPPORT_AWS"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(iam, role):
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield from iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]


def grants(statement):
    """What a statement allows: each action, and each key or resource that it allows them on."""
    if statement["Effect"] != "Allow":
        return [], []
    keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
    on = [key.removesuffix("*") for key in listed(keys)] if keys else listed(statement["Resource"])
    return ([], []) if on == ["NOTHING"] else (listed(statement["Action"]), on)


def asked_by_aws(api_role):
    """What AWS asks for in a role's name: by whom, for what, on what."""
    functions = client("lambda")
    roles = {}
    for function in functions.list_functions(MaxItems=200)["Functions"]:
        roles[function["FunctionArn"]] = function["Role"]
        log = function["LoggingConfig"]["LogGroup"]
        yield function["Role"], ON_THE_LOG, f"arn:aws:logs:us-east-1:000000000000:log-group:{log}:log-stream:one"
    for source in functions.list_event_source_mappings()["EventSourceMappings"]:
        role, arn = roles[source["FunctionArn"]], source["EventSourceArn"]
        yield role, ON_A_QUEUE if ":sqs:" in arn else ON_A_STREAM, arn
        kept = (source.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
        if kept:
            yield role, ["sqs:SendMessage"], kept
    schedules = client("scheduler")
    for named in schedules.list_schedules()["Schedules"]:
        target = schedules.get_schedule(Name=named["Name"], GroupName=named["GroupName"])["Target"]
        yield target["RoleArn"], ["sqs:SendMessage" if ":sqs:" in target["Arn"] else "lambda:InvokeFunction"], target["Arn"]
        if "DeadLetterConfig" in target:
            yield target["RoleArn"], ["sqs:SendMessage"], target["DeadLetterConfig"]["Arn"]
    apis = client("apigatewayv2")
    for api in apis.get_apis()["Items"]:
        for integration in apis.get_integrations(ApiId=api["ApiId"])["Items"]:
            uri = integration["IntegrationUri"].split("functions/")[-1].removesuffix("/invocations")
            # The emulator forgets which role calls the function; `check_template.py` sees that the template names it.
            yield integration.get("CredentialsArn") or api_role, ["lambda:InvokeFunction"], uri


def decided(iam, asked):
    """Whether each of these is granted, by (role, action, resource)."""
    found = {}
    for role, actions, resource in asked:
        for action in actions:
            if (role, action, resource) not in found:
                answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource])
                result = answer["EvaluationResults"][0]
                sids = {statement.get("SourcePolicyId") for statement in result.get("MatchedStatements", [])}
                found[role, action, resource] = (result["EvalDecision"] == "allowed", sids)
    return found


def is_on(use, on):
    """Whether something was asked for on this key, or on this resource."""
    return on in use["keys"] if on.endswith("#") else use["resource"].startswith(on.removesuffix("*"))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("stack", help="whose roles, by how their names begin")
    arguments.add_argument("record", type=Path, help="what the emulator wrote")
    arguments.add_argument("--json", action="store_true", help="print for programs")
    chosen = arguments.parse_args()

    lines = chosen.record.read_text().splitlines()
    record = [use for use in map(json.loads, lines) if use["role"].startswith(f"{chosen.stack}-")]
    iam = client("iam")
    roles = [role for role in iam.list_roles(MaxItems=1000)["Roles"] if role["RoleName"].startswith(f"{chosen.stack}-")]
    api_role = next(role["Arn"] for role in roles if role["RoleName"].startswith(f"{chosen.stack}-ApiRole-"))
    # Other tests on the same emulator leave schedules with roles of their own.
    of_stack = (asked for asked in asked_by_aws(api_role) if f":role/{chosen.stack}-" in asked[0])
    by_aws = decided(iam, of_stack)
    refused = sorted({f"{use['role']}: {use['action']} {use['resource']} {' '.join(use['keys'])}"
                      for use in record if not use["allowed"]})
    lacking = sorted(f"{role}: {action} {resource}" for (role, action, resource), (allowed, _) in by_aws.items() if not allowed)

    unused, granted = defaultdict(dict), 0
    for role in roles:
        name, arn = role["RoleName"], role["Arn"]
        uses = [use for use in record if use["role"] == name]
        uses += [{"action": action, "resource": on, "keys": [], "allowed": True}
                 for (whose, action, on), (allowed, _) in by_aws.items() if whose == arn and allowed]
        for statement in statements(iam, name):
            actions, places = grants(statement)
            granted += len(actions) + len(places)
            under = [use for use in uses if use["allowed"] and use["action"] in actions]
            under = [use for use in under if any(is_on(use, on) for on in places)]
            never = [action for action in actions if action not in {use["action"] for use in under}]
            never += [on for on in places if not any(is_on(use, on) for use in under)]
            if never:
                unused[name.removeprefix(f"{chosen.stack}-").rsplit("-", 1)[0]][statement["Sid"]] = never

    if chosen.json:
        print(json.dumps({"granted": granted, "refused": refused, "lacking": lacking, "unused": unused}, indent=1))
    else:
        told(granted, refused, lacking, unused)
    sys.exit(1 if refused or lacking else 0)


def told(granted, refused, lacking, unused):
    count = sum(len(never) for role in unused.values() for never in role.values())
    print(f"Actions, keys and resources: {granted} granted, {granted - count} asked for, {count} never:")
    for role, statements in sorted(unused.items()):
        for statement, never in statements.items():
            print(f"  {role} {statement}: {' '.join(never)}")
    for title, lines in (("REFUSED", refused), ("AWS WOULD BE REFUSED", lacking)):
        for line in lines:
            print(f"{title}: {line}")


if __name__ == "__main__":
    main()
