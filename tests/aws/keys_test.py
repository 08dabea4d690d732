"""Sees that the emulator holds a role to keys as AWS does: what is not granted is refused, one item of a transaction at a
time. Without this, a deployment that is proven on it would prove nothing of keys.

    tests/aws/keys_test.py    against the emulator at RAPPORT_AWS
"""

import moved  # noqa: F401
import json
import os

import boto3
from botocore.exceptions import ClientError

TABLE = "keys-test"
ARN = f"arn:aws:dynamodb:us-east-1:000000000000:table/{TABLE}"
AS_ROOT = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def allow(action, keys, **more):
    like = {"dynamodb:LeadingKeys": keys}
    return {"Effect": "Allow", "Action": action, "Resource": ARN, "Condition": {"ForAllValues:StringLike": like, **more}}


POLICY = [
    allow(["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"], ["READ#*", "BOTH#*"]),
    allow("dynamodb:PutItem", ["BOTH#*", "WRITE#*"]),
    allow("dynamodb:UpdateItem", ["BOTH#*"], **{"ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk", "tries"]}}),
]


def client(service, **credentials):
    return boto3.client(service, endpoint_url=os.environ["RAPPORT_AWS"], region_name="us-east-1", **(credentials or AS_ROOT))


def key(pk):
    return {"pk": {"S": pk}, "sk": {"S": "META"}}


def put(pk):
    return {"Put": {"TableName": TABLE, "Item": key(pk)}}


def check(pk):
    return {"ConditionCheck": {"TableName": TABLE, "Key": key(pk), "ConditionExpression": "attribute_not_exists(gone)"}}


def query(pk):
    return {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}}


def update(pk, attribute):
    change = {"UpdateExpression": "SET #a = :a", "ExpressionAttributeNames": {"#a": attribute}}
    return {"Key": key(pk), **change, "ExpressionAttributeValues": {":a": {"S": "1"}}}


# What is asked for, and whether it is allowed.
CASES = [
    ("get_item", {"Key": key("READ#1")}, True),
    ("get_item", {"Key": key("WRITE#1")}, False),
    ("get_item", {"Key": key("OTHER#1")}, False),
    ("query", query("READ#1"), True),
    ("query", query("OTHER#1"), False),
    ("batch_get_item", {"RequestItems": {TABLE: {"Keys": [key("READ#1"), key("BOTH#1")]}}}, True),
    ("batch_get_item", {"RequestItems": {TABLE: {"Keys": [key("READ#1"), key("WRITE#1")]}}}, False),
    ("put_item", {"Item": key("WRITE#1")}, True),
    ("put_item", {"Item": key("READ#1")}, False),
    ("delete_item", {"Key": key("WRITE#1")}, False),
    ("update_item", update("BOTH#1", "tries"), True),
    ("update_item", update("BOTH#1", "body"), False),
    ("update_item", update("WRITE#1", "tries"), False),
    ("transact_write_items", {"TransactItems": [put("WRITE#2"), check("READ#1")]}, True),
    ("transact_write_items", {"TransactItems": [put("WRITE#2"), put("READ#1")]}, False),
    ("transact_write_items", {"TransactItems": [put("WRITE#2"), check("WRITE#1")]}, False),
]


def main():
    root = client("dynamodb")
    names = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    root.create_table(TableName=TABLE, AttributeDefinitions=names, KeySchema=keys, BillingMode="PAY_PER_REQUEST")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    iam = client("iam")
    role = iam.create_role(RoleName=TABLE, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))["Role"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": POLICY})
    iam.put_role_policy(RoleName=TABLE, PolicyName=TABLE, PolicyDocument=policy)
    given = client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    asking = client(
        "dynamodb",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    wrong = []
    for operation, request, expected in CASES:
        table = {} if "RequestItems" in request or "TransactItems" in request else {"TableName": TABLE}
        try:
            getattr(asking, operation)(**table, **request)
            allowed = True
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            allowed = False
        if allowed != expected:
            wrong.append(f"{operation} {json.dumps(request)} is {'allowed' if allowed else 'refused'}")
    if wrong:
        raise SystemExit("\n".join(["the emulator does not hold a role to keys:", *wrong]))
    print(f"The emulator holds a role to keys: {len(CASES)} requests allowed or refused as AWS would.")


if __name__ == "__main__":
    main()
