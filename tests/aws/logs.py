"""Prints what the functions logged as a warning or an error, the newest last.

    tests/aws/logs.py STACK    from the emulator at RAPPORT_AWS
"""

import moved  # noqa: F401
import os
import sys

import boto3


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        raise SystemExit(__doc__)
    logs = boto3.client(
        "logs",
        endpoint_url=os.environ["RAPPORT_AWS"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/rapport/{sys.argv[1]}/functions")
    for event in (event for page in pages for event in page["events"]):
        if '"level":"WARN"' in event["message"] or '"level":"ERROR"' in event["message"]:
            print(event["message"].strip())


if __name__ == "__main__":
    main()
