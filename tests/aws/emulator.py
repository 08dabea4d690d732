"""Starts the emulator of AWS, with what it lacks for a deployment to be proven on it.

- Permissions by key: `dynamodb:LeadingKeys`, `dynamodb:Attributes` of a change and `dynamodb:ReturnValues`, one item of a
  transaction at a time, `ses:FromAddress` and `iam:PassedToService`. Without them a condition on a key is met by every request.
- A record of what was allowed and refused, one JSON line for each new kind of request, in the file that RAPPORT_GRANTS names.
- A clock that may be moved by libfaketime, and schedules that are looked at more often than every ten seconds.

It hangs on functions of the one version of the emulator that `emulator.sh` installs, and does not start without them.
"""

import moved  # noqa: F401
import json
import os
import re
import threading

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import scheduler

# Seconds. AWS looks once a minute; nobody wants to wait for it here.
scheduler._SCHEDULE_TICK_INTERVAL = 0.5


class ItemArn(str):
    """A table's ARN as one item of a request asks for it: with the condition keys of that item."""

    keys: dict

    @classmethod
    def of(cls, arn, keys):
        asked = cls(arn)
        asked.keys = keys
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
        return [(action, ItemArn.of(arn, item_keys(member(item)[1]))) for (action, arn), item in zip(found, items)]

    return checks


def with_keys(plain):
    """Adds the keys of a request that is about one partition, or names several."""
    return lambda body: {**plain(body), **request_keys(body)}


class Record:
    """What roles asked for, each kind of request once."""

    def __init__(self, path):
        self.seen = set()
        self.lock = threading.Lock()
        self.file = open(path, "a", buffering=1)

    def add(self, action, resource, keys, allowed):
        caller = iam_evaluator.caller_arn()
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
        def enforce(access_key, action, service, region, resource_arn="*", service_context=None):
            keys = {**(service_context or {}), **getattr(resource_arn, "keys", {})}
            resource = str(resource_arn)
            denied = plain(access_key, action, service, region, resource_arn=resource, service_context=keys)
            record.add(action, resource, keys, denied is None)
            return denied

        return enforce

    return plug


def plugged(module, name, plug):
    setattr(module, name, plug(getattr(module, name)))


# What is loopback here is TLS there: queues and the bucket refuse all else.
plugged(app, "pin_request_origin", lambda plain: lambda source, secure: plain(source, True))
plugged(iam_actions, "dynamodb_transaction_checks", with_items)
plugged(iam_actions, "dynamodb_service_context", with_keys)
plugged(iam_evaluator, "enforce", held(Record(os.environ["RAPPORT_GRANTS"])))

app.main()
