"""Deploys the template as `sam deploy` does: the functions' code into a bucket, the template through CloudFormation.

    tests/aws/deploy.py --binaries target/debug --issuer http://127.0.0.1:9000 > deployment.json

Reaches AWS at RAPPORT_AWS and prints what the deployment test needs to know of the stack, as JSON.
"""

import moved  # noqa: F401
import argparse
import io
import json
import os
import re
import sys
import zipfile
from pathlib import Path

import boto3

TEMPLATE = Path(__file__).parents[2] / "infra/aws/template.yaml"
STACK = "rapport-proof"
CODE = "rapport-proof-code"
AUDIENCE, SCOPE = "rapport", "rapport"
CODE_URI = re.compile(r"^(\s+CodeUri: )\.\./\.\./target/lambda/([a-z-]+)/$", re.MULTILINE)


def parameters(issuer, administrator):
    return {
        "Organisation": "Northern Light Support",
        "AppUrl": "https://app.example.org",
        "Emergency": "In danger, ring 000.",
        "MailFrom": "rapport@example.org",
        "MailIdentity": "example.org",
        "FirstAdministratorSubject": administrator,
        "FirstAdministratorGivenName": "Ada",
        "FirstAdministratorFamilyName": "Moreau",
        "FirstAdministratorEmail": "ada.moreau@example.org",
        "Issuer": issuer,
        "Audience": AUDIENCE,
        "Scope": SCOPE,
        "TableName": STACK,
        "Protected": "no",
    }


def zipped(binary):
    """A function's package: the binary, by the name under which Lambda starts it, and fit to be started."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as package:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o100755 << 16
        package.writestr(entry, binary.read_bytes())
    return packed.getvalue()


def say(words):
    print(words, file=sys.stderr, flush=True)


def deploy(aws, binaries, issuer, administrator):
    bucket = aws("s3")
    bucket.create_bucket(Bucket=CODE)
    text = TEMPLATE.read_text()
    names = sorted({name for _, name in CODE_URI.findall(text)})
    say(f"uploading {len(names)} functions ...")
    for name in names:
        bucket.put_object(Bucket=CODE, Key=f"{name}.zip", Body=zipped(binaries / name))
    text = CODE_URI.sub(rf"\1s3://{CODE}/\2.zip", text)
    bucket.put_object(Bucket=CODE, Key="template.yaml", Body=text.encode())

    # What the organisation does once, before it deploys.
    given = parameters(issuer, administrator)
    aws("sesv2").create_email_identity(EmailIdentity=given["MailIdentity"])

    say(f"deploying {TEMPLATE.name} as {STACK} ...")
    stacks = aws("cloudformation")
    stacks.create_stack(
        StackName=STACK,
        TemplateURL=f"{stacks.meta.endpoint_url}/{CODE}/template.yaml",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        stacks.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    except Exception as error:
        failed = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in stacks.describe_stack_events(StackName=STACK)["StackEvents"]
            if event["ResourceStatus"].endswith("FAILED")
        ]
        raise SystemExit("\n".join([f"the stack was not created: {error}", *failed]))
    stack = stacks.describe_stacks(StackName=STACK)["Stacks"][0]
    return given, {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binaries", type=Path, required=True, help="the folder of the functions' binaries")
    arguments.add_argument("--issuer", required=True, help="the issuer of access tokens, as a URL")
    arguments.add_argument("--administrator", default="sample-administrator", help="the first administrator's subject")
    chosen = arguments.parse_args()

    endpoint = os.environ["RAPPORT_AWS"]

    def aws(service):
        return boto3.client(
            service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )

    given, outputs = deploy(aws, chosen.binaries, chosen.issuer, chosen.administrator)
    key = aws("secretsmanager").get_secret_value(SecretId=outputs["DeploymentKeyArn"])["SecretString"]
    api = outputs["ApiUrl"].split("//")[1].split(".")[0]
    print(json.dumps({
        "stack": STACK,
        "api": f"{endpoint}/_aws/execute-api/{api}/$default",
        "parameters": given,
        "outputs": outputs,
        "deployment_key": key,
    }, indent=1))


if __name__ == "__main__":
    main()
