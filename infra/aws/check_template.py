"""Holds the deployment template against the code, and against what must never be lost from it.

    check_template.py OPENAPI_DOCUMENT

An emulator, and CloudFormation itself, accept a template that lacks a route, an authorizer or a backup. This
fails instead: it unrolls the template and compares it with the API's own document, the
function binaries, the table's keys and OPERATING.md. It prints every fault and exits with 1 if there is any.
"""

import json
import re
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

from unroll import TEMPLATE, unrolled

HERE = TEMPLATE.parent
ROOT = HERE.parent.parent

# What changes or removes an item that is there. `AUDIT#` items may only be put.
CHANGES = ["UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete"]


class Checked:
    """The template unrolled, and what it is compared with."""

    def __init__(self, text, document):
        self.lines = text.splitlines()
        self.template = unrolled(text)
        self.document = document
        self.resources = self.template["Resources"]

    def of_type(self, kind):
        return {name: one["Properties"] for name, one in self.resources.items() if one["Type"] == kind}

    def functions(self):
        return self.of_type("AWS::Serverless::Function")

    def operations(self):
        """Every operation: its route key, its name, whether it needs no token."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                public = "public" in operation["tags"]
                yield f"{method.upper()} {path}", operation["operationId"], public

    def statements(self):
        """Every statement of every role: the role's name, and the statement."""
        for name, role in self.of_type("AWS::IAM::Role").items():
            for policy in role.get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement
        for policy in self.of_type("AWS::IAM::Policy").values():
            for role in policy["Roles"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield referred(role), statement


def referred(node):
    """The name of the resource that a node refers to."""
    if isinstance(node, dict) and "Ref" in node:
        return node["Ref"]
    if isinstance(node, dict) and "Fn::GetAtt" in node:
        return node["Fn::GetAtt"][0]
    return None


def listed(node):
    return node if isinstance(node, list) else [node]


def camel(name):
    return "".join(part.capitalize() for part in name.split("-"))


def families():
    """Which family each operation belongs to: the module of `functions/src` that its handler stands in."""
    handler = re.compile(r"#\[utoipa::path\(.*?\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([a-z]+\))? )?async fn (\w+)", re.S)
    source = ROOT / "functions/src"
    found = {}
    for file in source.rglob("*.rs"):
        module = file.relative_to(source).parts[0].removesuffix(".rs")
        for operation in handler.findall(file.read_text()):
            found[operation] = module.replace("_", "-")
    return found


def binaries():
    """The names of all function binaries."""
    bins = []
    for manifest in ("functions/Cargo.toml", "index-builder/Cargo.toml"):
        bins += tomllib.loads((ROOT / manifest).read_text())["bin"]
    return [one["name"] for one in bins if "lambda" in one.get("required-features", [])]


def constants(file):
    """The text constants of a Rust file."""
    return dict(re.findall(r'const (\w+): &str = "([^"]*)"', (ROOT / file).read_text()))


# The checks. Each gives its faults in words.


def every_operation_has_one_route(checked):
    """And no route leads where no operation is."""
    routes = [route["RouteKey"] for route in checked.of_type("AWS::ApiGatewayV2::Route").values()]
    described = [key for key, _, _ in checked.operations()]
    for key in sorted(set(routes) | set(described)):
        if routes.count(key) != described.count(key):
            yield f"{key}: described {described.count(key)} times, routed {routes.count(key)} times"


def routes_lead_to_their_family(checked):
    family_of = families()
    operation_of = {key: operation for key, operation, _ in checked.operations()}
    integrations = checked.of_type("AWS::ApiGatewayV2::Integration")
    functions = checked.functions()
    allowed = {
        referred(resource)
        for role, statement in checked.statements()
        if role == "ApiRole"
        for resource in listed(statement["Resource"])
    }
    for route in checked.of_type("AWS::ApiGatewayV2::Route").values():
        key = route["RouteKey"]
        integration = referred(route["Target"]["Fn::Join"][1][1])
        function = referred(integrations[integration]["IntegrationUri"])
        # The emulator on which the deployment is proven passes over it.
        if referred(integrations[integration].get("CredentialsArn")) != "ApiRole":
            yield f"{integration} does not call its function as ApiRole"
        serves = Path(functions[function]["CodeUri"]).name
        if function not in allowed:
            yield f"{key}: ApiRole may not call {function}"
        family = family_of.get(operation_of.get(key))
        if serves != family:
            yield f"{key} belongs to {family} and leads to {serves}"


def public_operations_and_only_they_lack_the_authorizer(checked):
    public = {key: is_public for key, _, is_public in checked.operations()}
    for route in checked.of_type("AWS::ApiGatewayV2::Route").values():
        guarded = (
            route.get("AuthorizationType") == "JWT"
            and referred(route.get("AuthorizerId")) == "Tokens"
            and bool(route.get("AuthorizationScopes"))
        )
        if guarded == public.get(route["RouteKey"]):
            yield f"{route['RouteKey']}: public is {not guarded} here and {guarded} in the document"


def stage_names_routes_that_are_there(checked):
    keys = {route["RouteKey"]: name for name, route in checked.of_type("AWS::ApiGatewayV2::Route").items()}
    stage = checked.resources["Stage"]
    for key in stage["Properties"]["RouteSettings"]:
        if keys.get(key) not in stage["DependsOn"]:
            yield f"the stage throttles {key} without waiting for its route"
    for route, settings in [("default", stage["Properties"]["DefaultRouteSettings"]), *stage["Properties"]["RouteSettings"].items()]:
        if not settings.get("ThrottlingRateLimit") or not settings.get("ThrottlingBurstLimit"):
            yield f"{route} is not throttled"


def every_binary_is_one_function(checked):
    deployed = [Path(function["CodeUri"]).name for function in checked.functions().values()]
    for name in sorted(set(deployed) | set(binaries())):
        if deployed.count(name) != binaries().count(name):
            yield f"{name}: {binaries().count(name)} binaries, {deployed.count(name)} functions"
    for name, function in checked.functions().items():
        if (function["Runtime"], function["Architectures"], function["Handler"]) != ("provided.al2023", ["arm64"], "bootstrap"):
            yield f"{name} is not built as it is run"


def every_function_has_a_role_of_its_own(checked):
    roles = [referred(function["Role"]) for function in checked.functions().values()]
    for name, function in checked.functions().items():
        role = referred(function["Role"])
        if role not in checked.resources or roles.count(role) != 1 or role != name.removesuffix("Function") + "Role":
            yield f"{name} has no role of its own"


def functions_are_given_their_settings(checked):
    required = {name for name in constants("functions/src/lambda/settings.rs").values() if name.startswith("RAPPORT_")}
    aside = {"IndexBuilderFunction", "DispatchFunction", "SweeperFunction"}
    for name, function in checked.functions().items():
        given = function["Environment"]["Variables"]
        for setting in sorted(required - set(given)):
            if name not in aside:
                yield f"{name} is not given {setting}"
        key = given.get("RAPPORT_DEPLOYMENT_KEY")
        if key is not None and (name in aside or key != {"Fn::Sub": "{{resolve:secretsmanager:${DeploymentKey}}}"}):
            yield f"{name} is given a deployment key that it has no use for, or in plain text"
        if function.get("LoggingConfig", {}).get("LogGroup") != {"Ref": "Log"}:
            yield f"{name} logs elsewhere"


def functions_may_read_what_warms_them(checked):
    """At their start they read an item that is not there, of a kind that all of them may read."""
    kind = constants("functions/src/lambda.rs")["READ_BY_ALL"] + "#*"
    for function in checked.functions():
        name = function.removesuffix("Function")
        reads = checked.template["Mappings"]["Functions"].get(name, {}).get("Reads", [])
        if name not in ("Docs", "IndexBuilder", "Dispatch") and kind not in reads:
            yield f"{name} may not read {kind}, which its start asks for"


def the_night_begins(checked):
    """The clock's message is the one that the index builder knows."""
    schedule = checked.resources["NightlyRebuild"]["Properties"]
    message = json.loads(schedule["Target"]["Input"])
    source = (ROOT / "crates/store/src/key.rs").read_text()
    known = [re.search(pattern, source).group(1) for pattern in (r'"(NIGHT#\w+)"', r'Self::night\(\)\.pk, "(\w+)"')]
    if [message["pk"], message["sk"], message["kind"]] != [*known, "index-builder"] or referred(schedule["Target"]["Arn"]) != "IndexBuilderQueue":
        yield f"nobody knows {message}"
    if schedule["State"] != {"Fn::If": ["RowsAreReleased", "ENABLED", "DISABLED"]}:
        yield "it does not begin, or not only while rows are released"


def functions_can_be_followed(checked):
    """Their traces are kept, with no more right than that takes, and what they count is counted for this stage."""
    sends = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    for name, function in checked.functions().items():
        rights = [one["Action"] for role, one in checked.statements() if role == referred(function["Role"])]
        traced = [action for action in sum(map(listed, rights), []) if action.startswith("xray:")]
        if function.get("Tracing") != "Active" or traced != sends:
            yield f"{name} is not traced, or may do more than send traces: {traced}"
        if function["Environment"]["Variables"].get("RAPPORT_STAGE") != {"Ref": "AWS::StackName"}:
            yield f"{name} does not say what happens in this stage"


def alarms_are_about_what_is_measured(checked):
    """An alarm on a metric that nothing writes never goes off."""
    source = (ROOT / "crates/platform/src/metrics.rs").read_text()
    written = set(re.findall(r'=> \("(\w+)", "\w+"\)', source))
    namespace = constants("crates/platform/src/metrics.rs")["NAMESPACE"]
    filtered = {
        (one["MetricNamespace"]["Fn::Sub"], one["MetricName"])
        for properties in checked.of_type("AWS::Logs::MetricFilter").values()
        for one in properties["MetricTransformations"]
    }
    for name, alarm in checked.of_type("AWS::CloudWatch::Alarm").items():
        if alarm["Namespace"] == namespace:
            stage = [{"Name": "Stage", "Value": {"Ref": "AWS::StackName"}}]
            if alarm["MetricName"] not in written or alarm.get("Dimensions") != stage:
                yield f"{name} is about {alarm['MetricName']}, which no function counts so"
        elif isinstance(alarm["Namespace"], dict) and (alarm["Namespace"]["Fn::Sub"], alarm["MetricName"]) not in filtered:
            yield f"{name} is about {alarm['MetricName']}, which no filter counts"


def every_queue_has_a_dead_letter_queue(checked):
    queues = checked.of_type("AWS::SQS::Queue")
    policed = {referred(queue) for queue in checked.resources["QueuePolicy"]["Properties"]["Queues"]}
    for name, queue in queues.items():
        is_last = name.endswith("DeadLetters")
        redrive = queue.get("RedrivePolicy", {})
        if not is_last and referred(redrive.get("deadLetterTargetArn")) not in queues:
            yield f"{name} has no dead-letter queue"
        if is_last and queue.get("MessageRetentionPeriod") != 1209600:
            yield f"{name} forgets before 14 days"
        if queue.get("SqsManagedSseEnabled") is not True or name not in policed:
            yield f"{name} is not encrypted, or is reached without TLS"


def consumers_take_from_their_queues(checked):
    queues = checked.of_type("AWS::SQS::Queue")
    taken = set()
    for name, function in checked.functions().items():
        for event in function.get("Events", {}).values():
            source = event["Properties"]
            if source.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
                yield f"{name} fails for whole batches"
            if event["Type"] == "DynamoDB":
                if not source.get("DestinationConfig") or not source.get("MaximumRecordAgeInSeconds"):
                    yield f"{name} forgets what it could not deal with, or is held up by it"
                continue
            queue = referred(source["Queue"])
            taken.add(queue)
            hidden = queues[queue]["VisibilityTimeout"]
            if hidden < 6 * function["Timeout"]:
                yield f"{queue} hides a message for {hidden} s, and {name} may take {function['Timeout']} s"
    for queue in queues:
        if not queue.endswith("DeadLetters") and queue not in taken:
            yield f"nobody takes from {queue}"


def rows_find_the_queue_of_their_kind(checked):
    kinds = sorted(
        Path(function["CodeUri"]).name.removesuffix("-function")
        for function in checked.functions().values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    )
    for name in ("DispatchFunction", "SweeperFunction"):
        given = checked.functions()[name]["Environment"]["Variables"]
        for setting, attribute in (("RAPPORT_QUEUES", ""), ("RAPPORT_QUEUE_ARNS", ".Arn")):
            queues = json.loads(given.get(setting, {"Fn::Sub": "{}"})["Fn::Sub"])
            expected = {kind: "${" + camel(kind) + "Queue" + attribute + "}" for kind in kinds}
            if queues != expected:
                yield f"{name} has {setting} {queues}"
        for setting in ("RAPPORT_SCHEDULE_GROUP", "RAPPORT_SCHEDULE_ROLE_ARN"):
            if referred(given.get(setting)) not in checked.resources:
                yield f"{name} is not given {setting}"


def table_is_what_the_store_needs(checked):
    table = checked.resources["Table"]["Properties"]
    names = {**constants("crates/store/src/item.rs"), **constants("crates/store/src/due.rs"), **constants("crates/store/src/table.rs")}
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    schema = lambda of: [(key["AttributeName"], key["KeyType"]) for key in of["KeySchema"]]
    keys = lambda pk, sk: [(names[pk], "HASH"), (names[sk], "RANGE")]
    if schema(table) != keys("PK", "SK"):
        yield "the table has other keys than the store"
    for index, pk, sk in (("STAFF_INDEX", "STAFF_PK", "STAFF_SK"), ("DUE_INDEX", "DUE_PK", "DUE_SK")):
        there = indexes.get(names[index], {"KeySchema": [], "Projection": {}})
        if schema(there) != keys(pk, sk) or there["Projection"].get("ProjectionType") != "KEYS_ONLY":
            yield f"the index {names[index]} is not the store's"
    if table.get("TimeToLiveSpecification") != {"AttributeName": names["TTL"], "Enabled": True}:
        yield "the table does not tidy up"
    if table.get("StreamSpecification", {}).get("StreamViewType") != "NEW_IMAGE":
        yield "the table's stream does not show new rows"


def nothing_is_lost(checked):
    table = checked.resources["Table"]
    if table["Properties"].get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is not True:
        yield "the table cannot be restored to a point in time"
    if "DeletionProtectionEnabled" not in table["Properties"]:
        yield "the table can be deleted by mistake"
    for name in ("Table", "Bucket", "DeploymentKey"):
        kept = checked.resources[name]
        if kept.get("DeletionPolicy") != "RetainExceptOnCreate" or kept.get("UpdateReplacePolicy") != "Retain":
            yield f"{name} goes with the stack"


def everything_is_encrypted_and_private(checked):
    table = checked.resources["Table"]["Properties"]
    bucket = checked.resources["Bucket"]["Properties"]
    if table.get("SSESpecification", {}).get("SSEEnabled") is not True:
        yield "the table is not encrypted under a key that can be audited"
    if "BucketEncryption" not in bucket or "VersioningConfiguration" in bucket:
        yield "the bucket is not encrypted, or keeps what was erased"
    walls = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    if not all(bucket.get("PublicAccessBlockConfiguration", {}).get(wall) is True for wall in walls):
        yield "the bucket can become public"
    for policy in ("BucketPolicy", "QueuePolicy"):
        statements = checked.resources.get(policy, {"Properties": {"PolicyDocument": {"Statement": []}}})
        open_ = [one["Effect"] == "Deny" and one.get("Condition") == {"Bool": {"aws:SecureTransport": False}}
                 for one in statements["Properties"]["PolicyDocument"]["Statement"]]
        if not any(open_):
            yield f"{policy} lets requests in without TLS"


def logs_end(checked):
    for name, log in checked.of_type("AWS::Logs::LogGroup").items():
        if "RetentionInDays" not in log:
            yield f"{name} is kept for ever"


def alarms_say_what_to_do(checked):
    """Each names a heading of OPERATING.md, and tells somebody."""
    guide = (HERE / "OPERATING.md").read_text()
    headings = set(re.findall(r"^#+ (.+)$", guide, re.M))
    alarms = checked.of_type("AWS::CloudWatch::Alarm")
    named = set()
    for name, alarm in alarms.items():
        text = alarm.get("AlarmDescription", "")
        text = text["Fn::Sub"] if isinstance(text, dict) else text
        found = re.search(r'OPERATING\.md, "([^"]+)"\.$', text)
        named.add(found.group(1) if found else None)
        if not found or found.group(1) not in headings:
            yield f"{name} does not say what to do"
        if [referred(action) for action in alarm.get("AlarmActions", [])] != ["Alarms"]:
            yield f"{name} tells nobody"
    for function in checked.functions():
        if function.removesuffix("Function") + "Fails" not in alarms:
            yield f"nobody hears when {function} fails"
    for queue in checked.of_type("AWS::SQS::Queue"):
        if queue.endswith("DeadLetters") and queue + "Kept" not in alarms:
            yield f"nobody hears of what lies in {queue}"


def wildcards_are_explained(checked):
    """A statement with a star has a comment beside it; no action has one at all."""
    for role, statement in checked.statements():
        if statement["Effect"] != "Allow":
            continue
        if any("*" in action for action in listed(statement["Action"])):
            yield f"{role} may do whatever {statement['Action']} means"
        if not any("*" in json.dumps(resource) for resource in listed(statement["Resource"])):
            continue
        sid = next(number for number, line in enumerate(checked.lines) if re.search(rf"Sid: {statement['Sid']}\b", line) and
                   "*" in "".join(checked.lines[number:number + 8]))
        beside = checked.lines[max(0, sid - 1):sid + 6]
        if not any(line.strip().startswith("#") for line in beside):
            yield f"{role} may reach {statement['Resource']}, and nothing says why"


def families_that_list_may_find(checked):
    """Whoever reads a list by the staff index, in the module of its family, may query that index."""
    source = ROOT / "functions/src"
    served = {name: camel(name) for name in binaries()}
    permitted = {
        role
        for role, statement in checked.statements()
        if "FindsByStaffIndex" == statement.get("Sid")
    }
    if not permitted:
        yield "nobody may find by the staff index"
    for file in sorted(source.rglob("*.rs")):
        module = file.relative_to(source).parts[0].removesuffix(".rs").replace("_", "-")
        if module in served and ".staff_list" in file.read_text():
            if f"{served[module]}Role" not in permitted:
                yield f"{served[module]} lists by the staff index and may not query it"


def audit_stays(checked):
    """Whoever may change items is refused it for audit items."""
    item = "AUDIT#CLIENT#clt_1"
    for role in checked.of_type("AWS::IAM::Role"):
        statements = [statement for owner, statement in checked.statements() if owner == role]
        for action in CHANGES:
            allowed = any(one["Effect"] == "Allow" and reaches(one, action, item) for one in statements)
            denied = any(one["Effect"] == "Deny" and reaches(one, action, item) for one in statements)
            touches = any(one["Effect"] == "Allow" and f"dynamodb:{action}" in listed(one["Action"]) for one in statements)
            if allowed or (touches and not denied):
                yield f"{role} is not refused {action} of audit items"


def reaches(statement, action, key):
    """Whether a statement is about this action on an item with this partition key."""
    if not any(fnmatchcase(f"dynamodb:{action}", pattern) for pattern in listed(statement["Action"])):
        return False
    for operator in ("ForAllValues:StringLike", "ForAnyValue:StringLike"):
        patterns = statement.get("Condition", {}).get(operator, {}).get("dynamodb:LeadingKeys")
        if patterns is not None:
            return any(fnmatchcase(key, pattern) for pattern in listed(patterns))
    return True


def items_are_reached_by_their_keys(checked):
    """Every statement on the table's items names partitions, and only such as the store writes."""
    known = set(re.findall(r'"([A-Z]+)#', (ROOT / "crates/store/src/key.rs").read_text()))
    of_items = {"dynamodb:" + action for action in ["GetItem", "BatchGetItem", "ConditionCheckItem", "PutItem", *CHANGES]}
    for role, statement in checked.statements():
        if not of_items & set(listed(statement["Action"])):
            continue
        condition = statement.get("Condition", {})
        patterns = condition.get("ForAllValues:StringLike") or condition.get("ForAnyValue:StringLike") or {}
        patterns = patterns.get("dynamodb:LeadingKeys") or ["*"]
        for pattern in listed(patterns):
            if pattern != "NOTHING" and (pattern.removesuffix("#*") not in known or not pattern.endswith("#*")):
                yield f"{role}, {statement['Sid']}: no partition's key begins as {pattern}"


CHECKS = [
    every_operation_has_one_route,
    routes_lead_to_their_family,
    public_operations_and_only_they_lack_the_authorizer,
    stage_names_routes_that_are_there,
    every_binary_is_one_function,
    every_function_has_a_role_of_its_own,
    functions_are_given_their_settings,
    functions_may_read_what_warms_them,
    the_night_begins,
    functions_can_be_followed,
    alarms_are_about_what_is_measured,
    every_queue_has_a_dead_letter_queue,
    consumers_take_from_their_queues,
    rows_find_the_queue_of_their_kind,
    table_is_what_the_store_needs,
    nothing_is_lost,
    everything_is_encrypted_and_private,
    logs_end,
    alarms_say_what_to_do,
    wildcards_are_explained,
    families_that_list_may_find,
    audit_stays,
    items_are_reached_by_their_keys,
]


def main(document):
    checked = Checked(TEMPLATE.read_text(), json.loads(Path(document).read_text()))
    faults = [f"{check.__name__}: {fault}" for check in CHECKS for fault in check(checked)]
    print("\n".join(faults) or f"template.yaml: {len(CHECKS)} checks, {len(checked.resources)} resources, no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    raise SystemExit(main(sys.argv[1]))
