"""Deploys infra/template.yaml to the local AWS, as `sam deploy` would to the real one."""

import json
import platform

from console import Failure

import packages

STACK = "baton"
SECRETS_PREFIX = "baton"
BUCKET = "baton-artifacts"


def create_secrets(aws, secrets):
    """The two secrets that the template reads; each a JSON object, name to value."""
    client = aws.client("secretsmanager")
    for name, values in secrets.items():
        client.create_secret(Name=f"{SECRETS_PREFIX}/{name}", SecretString=json.dumps(values))


def deploy(aws, processes, template_file, binaries, settings, cache, operator_senders, bot_queue_arns=""):
    """Packs, uploads and creates the stack; returns its outputs and how many zips had to be made."""
    template = template_file.read_text()
    names = packages.functions(template)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    locations, made = {}, 0
    for name in names:
        archive, fresh = packages.pack(binaries / name, settings, cache)
        made += fresh
        s3.put_object(Bucket=BUCKET, Key=archive.name, Body=archive.read_bytes())
        locations[name] = f"s3://{BUCKET}/{archive.name}"
    packages.forget_old(cache)

    parameters = {
        "Architecture": "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
        "BotQueueArns": bot_queue_arns,
        "OperatorSenderIds": operator_senders,
        "SecretsPrefix": SECRETS_PREFIX,
    }
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=packages.with_code_at(template, locations.__getitem__),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    stack = processes.wait_until(lambda: _settled(cloudformation), "the stack to be created", 120, log_of=["aws"])
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise Failure(f"the stack ended as {stack['StackStatus']}", log=_reasons(cloudformation))
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}, made


def _settled(cloudformation):
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack


def _reasons(cloudformation):
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    return "\n".join(
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"
        for event in events
        if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason")
    )
