"""Starts the emulator of AWS, with what it lacks for a deployment to be proven on it.

- Permissions by key: `dynamodb:LeadingKeys`, `dynamodb:Attributes` of a change and `dynamodb:ReturnValues`, one item of a
  transaction at a time. Without them a condition on a key is met by every request.
- What a mail and a schedule ask for beside themselves: sender and configuration set, the group, the role that is passed.
- The time that a schedule's message says it was due.
- A record of what was allowed and refused, one JSON line for each new kind of request, in the file that RAPPORT_GRANTS names.
- Schedules that are looked at more often than every ten seconds, and functions' environments less often.

It hangs on functions of the one version of the emulator that `emulator.sh` installs, and does not start without them.
"""

import moved  # noqa: F401
import json
import os
import queue
import re
import socketserver
import threading
from datetime import datetime, timezone
from types import SimpleNamespace

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id
from ministack.services import eventbridge, scheduler

# Seconds. AWS looks once a minute; nobody wants to wait for it here.
scheduler._SCHEDULE_TICK_INTERVAL = 0.5


class Asked(str):
    """The ARN that a request is about, with what the emulator does not see of it: the condition keys, and what else is
    asked for by the same request, each as action, ARN and keys."""

    keys = {}
    also = ()

    @classmethod
    def of(cls, arn, keys, also=()):
        asked = cls(arn)
        asked.keys, asked.also = keys, also
        return asked


def member(detail):
    """The member of a transaction's item, and what it says."""
    return next((pair for pair in detail.items() if pair[0] in iam_actions._DYNAMODB_TRANSACT_ITEM_ACTIONS), None)


def leading_key(item):
    value = (item or {}).get("pk") or {}
    return [value["S"]] if "S" in value else []


def item_keys(request):
    """The condition keys of a request for one item, or for the items below one partition key."""
    leading = leading_key(request.get("Key") or request.get("Item"))
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    condition = request.get("KeyConditionExpression")
    if condition:
        for name, value in re.findall(r"(#?\w+)\s*=\s*(:\w+)", condition):
            if names.get(name, name) in ("pk", "staff_pk", "due_pk"):
                leading.append(values[value]["S"])
    keys = {"dynamodb:LeadingKeys": leading}
    if "UpdateExpression" in request:
        keys["dynamodb:Attributes"] = sorted({*request["Key"], *names.values()})
        keys["dynamodb:ReturnValues"] = request.get("ReturnValues", "NONE")
    return keys


def request_keys(body):
    request = json.loads(body or b"{}")
    if "RequestItems" not in request:
        return item_keys(request)
    asked = [leading_key(key) for table in request["RequestItems"].values() for key in table.get("Keys", [])]
    return {"dynamodb:LeadingKeys": sorted({key for leading in asked for key in leading})}


def with_items(plain):
    """Lets each item of a transaction be asked for with its own keys."""

    def checks(action, body, region, account):
        found = plain(action, body, region, account)
        items = json.loads(body)["TransactItems"] if found else []
        if len(items) != len(found):
            raise RuntimeError("an item of a transaction would go unseen")
        return [(action, Asked.of(arn, item_keys(member(item)[1]))) for (action, arn), item in zip(found, items)]

    return checks


def with_keys(plain):
    """Adds the keys of a request that is about one partition, or names several."""
    return lambda body: {**plain(body), **request_keys(body)}


def mail_asked(region, account, said):
    """A mail asks for the sender's identity and the configuration set, by both actions where it comes as it will be sent."""
    ses = f"arn:aws:ses:{region}:{account}:"
    arns = [f"{ses}identity/{said['FromEmailAddress'].split('@')[1]}"]
    if "ConfigurationSetName" in said:
        arns.append(f"{ses}configuration-set/{said['ConfigurationSetName']}")
    keys = {"ses:FromAddress": said["FromEmailAddress"]}
    actions = ["ses:SendEmail", *(["ses:SendRawEmail"] if "Raw" in said["Content"] else [])]
    return Asked.of(arns[0], keys, [(action, arn, keys) for action in actions for arn in arns])


def schedule_asked(region, account, said, name):
    """A schedule is asked for in its group, and hands a role to the scheduler."""
    arn = f"arn:aws:scheduler:{region}:{account}:schedule/{said.get('GroupName', 'default')}/{name}"
    passing = {"iam:PassedToService": "scheduler.amazonaws.com"}
    return Asked.of(arn, {}, [("iam:PassRole", said["Target"]["RoleArn"], passing)])


def with_more(plain):
    """Names what a mail or a schedule asks for as AWS does."""

    def extract(service, method, path, headers, body, query, region, account):
        if service == "ses" and path.endswith("/outbound-emails"):
            return mail_asked(region, account, json.loads(body))
        if service == "scheduler" and method == "POST" and path.startswith("/schedules/"):
            return schedule_asked(region, account, json.loads(body), path.split("/")[2])
        return plain(service, method, path, headers, body, query, region, account)

    return extract


def with_time(plain):
    """Fills in when a schedule was due."""

    def invoke(target, event, rule, *more):
        if event.get("Source") == "aws.scheduler" and "Input" in target:
            due = datetime.fromtimestamp(event["Time"], timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            target = {**target, "Input": target["Input"].replace("<aws.scheduler.scheduled-time>", due)}
        return plain(target, event, rule, *more)

    return invoke


class Record:
    """What roles asked for, each kind of request once."""

    def __init__(self, path):
        self.seen = set()
        self.lock = threading.Lock()
        self.file = open(path, "a", buffering=1)

    def add(self, access_key, action, resource, keys, allowed):
        caller = getattr(iam_evaluator.resolve_principal(access_key or "", get_account_id()), "arn", "")
        if ":assumed-role/" not in caller:
            return
        kinds = sorted({key.split("#")[0] + "#" for key in keys.get("dynamodb:LeadingKeys", [])})
        asked = {"role": caller.split("/")[1], "action": action, "resource": resource, "keys": kinds, "allowed": allowed}
        line = json.dumps(asked)
        with self.lock:
            if line not in self.seen:
                self.seen.add(line)
                self.file.write(line + "\n")


def held(record):
    """Holds each request, or each item of a transaction, to its keys, and notes what became of it."""

    def plug(plain):
        def one(access_key, action, service, region, arn, keys):
            # Of a batch, the permission is the single message's.
            action = action.removesuffix("Batch") if service == "sqs" else action
            denied = plain(access_key, action, service, region, resource_arn=str(arn), service_context=keys)
            # Who asks with a signature of before the clock was moved has not said who asks, and asks again.
            if not isinstance(denied, iam_evaluator.AuthError):
                record.add(access_key, action, str(arn), keys, denied is None)
            return denied

        def enforce(access_key, action, service, region, resource_arn="*", service_context=None):
            keys = {**(service_context or {}), **getattr(resource_arn, "keys", {})}
            denied = one(access_key, action, service, region, resource_arn, keys)
            for action, arn, keys in getattr(resource_arn, "also", ()):
                denied = denied or one(access_key, action, service, region, arn, keys)
            return denied

        return enforce

    return plug


def plugged(module, name, plug):
    setattr(module, name, plug(getattr(module, name)))


class PatientQueue(queue.Queue):
    """Where a function's environment waits for its next event."""

    def get(self, block=True, timeout=None):
        return super().get(block, timeout and max(timeout, PATIENCE))


def patient(serve):
    return lambda server, poll_interval=PATIENCE: serve(server, PATIENCE)


# Seconds. Each of some fifty environments looks ten times a second otherwise, whether it is still wanted: half of all
# that the emulator does.
PATIENCE = 2.0
lambda_runtime.queue = SimpleNamespace(Queue=PatientQueue, Empty=queue.Empty, Full=queue.Full)
plugged(socketserver.BaseServer, "serve_forever", patient)

# What is loopback here is TLS there: queues and the bucket refuse all else.
plugged(app, "pin_request_origin", lambda plain: lambda source, secure: plain(source, True))
plugged(eventbridge, "_invoke_target", with_time)
plugged(iam_actions, "extract_resource_arn", with_more)
plugged(iam_actions, "dynamodb_transaction_checks", with_items)
plugged(iam_actions, "dynamodb_service_context", with_keys)
plugged(iam_evaluator, "enforce", held(Record(os.environ["RAPPORT_GRANTS"])))

app.main()
