"""infra/template.yaml really deploys, on the local AWS with IAM enforced, and does what it says.

The functions are stand-ins: a few lines of Python as each `bootstrap`, which say what they were given
and try what they are asked to. So this needs no Rust, and finds what a reader of the template misses.
"""

import hashlib
import json
import re
import socket
import sys
import tempfile
import unittest
from pathlib import Path

from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra" / "local"))

import packages  # noqa: E402
import stack  # noqa: E402
from aws import ACCOUNT, Aws, request  # noqa: E402
from processes import Processes  # noqa: E402
from rules import rights  # noqa: E402
from template_file import consumers, load, package  # noqa: E402

TEMPLATE = ROOT / "infra" / "template.yaml"
SECRETS = {"webhook-secrets": {"app1": 'quote " and \\ and $'}, "bot-secrets": {"demo": "whsec_eA=="}}
QUEUES = ("Inbox", "BotEvents", "Replies", "Close")

STAND_IN = f"""#!{sys.executable}
import base64, hashlib, json, os, urllib.request
import boto3, botocore.exceptions
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
clients = {{service: boto3.client(service) for service in ("sqs", "dynamodb", "kms", "secretsmanager")}}

def outcome(service, operation, arguments):
    try:
        getattr(clients[service], operation)(**arguments)
        return "no error"
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]

def answer(event):
    if "calls" in event:
        return [outcome(*call) for call in event["calls"]]
    if "environment" in event:
        return dict(os.environ) | {{"settings": open(os.environ["SETTINGS_FILE"]).read()}}
    if "Records" in event:
        print("RECORDS", json.dumps(event["Records"]), flush=True)
        return {{"batchItemFailures": []}}
    if "requestContext" in event:
        body = event.get("body") or ""
        body = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        said = [os.environ["AWS_LAMBDA_FUNCTION_NAME"], event["version"], event["routeKey"], event["pathParameters"], hashlib.sha256(body).hexdigest()]
        return {{"statusCode": 200, "body": json.dumps(said)}}
    print("OTHER", json.dumps(event), flush=True)

while True:
    with urllib.request.urlopen(api + "next") as given:
        id, event = given.headers["Lambda-Runtime-Aws-Request-Id"], json.load(given)
    urllib.request.urlopen(urllib.request.Request(api + id + "/response", json.dumps(answer(event)).encode(), method="POST")).read()
"""


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class TheDeployedTemplate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.directory = Path(scratch.name)
        cls.processes = Processes().__enter__()
        cls.addClassCleanup(cls.processes.__exit__, None, None, None)
        cls.aws = Aws(cls.processes, _free_port(), cls.directory)
        cls.aws.start()
        stack.create_secrets(cls.aws, SECRETS)
        for name in packages.functions(TEMPLATE.read_text()):
            (cls.directory / name).write_text(STAND_IN)
        cls.outputs, _ = stack.deploy(
            cls.aws, cls.processes, TEMPLATE, cls.directory, b"local = true\n", cls.directory / "zips", operator_senders=ACCOUNT
        )
        cls.sqs = cls.aws.client("sqs")

    def _invoke(self, function, event):
        answer = self.aws.client("lambda").invoke(FunctionName=f"{stack.STACK}-{function}", Payload=json.dumps(event))
        return json.load(answer["Payload"])

    def _call_api(self, method, path, body=b""):
        host = self.outputs["WebhookUrlBase"].split("/")[2]
        status, answer = request(method, self.aws.url + path, headers={"host": host}, raw=body)
        return status, json.loads(answer) if status == 200 and answer else None

    def _send(self, queue, body, group, id):
        self.sqs.send_message(
            QueueUrl=self.outputs[f"{queue}QueueUrl"], MessageBody=body, MessageGroupId=group, MessageDeduplicationId=id
        )

    def _records(self, function):
        """The records that a stand-in was given so far."""
        logs = self.aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{stack.STACK}-{function}")["events"]
        lines = [line for event in logs for line in event["message"].splitlines()]
        return [record for line in lines if line.startswith("RECORDS ") for record in json.loads(line[8:])]

    def test_takes_exactly_the_public_routes(self):
        for method, path, function, parameters in (
            ("POST", "/intercom/app1-hook", "webhook-ingress", {"webhook_path": "app1-hook"}),
            ("POST", "/bots/demo/commands", "bot-ingress", {"bot": "demo"}),
        ):
            body = b'{"text": "\xc3\xa4 \xf0\x9f\x98\x80",  "spaces":  1}\n'
            status, said = self._call_api(method, path, body)
            self.assertEqual(status, 200)
            self.assertEqual(said[0], f"{stack.STACK}-{function}")
            self.assertEqual(said[1], "2.0")
            self.assertEqual(said[3], parameters)
            self.assertEqual(said[4], hashlib.sha256(body).hexdigest(), "the body arrives byte for byte: it is signed")
        self.assertEqual(self._call_api("HEAD", "/intercom/app1-hook")[0], 200)
        for method, path in (
            ("GET", "/intercom/app1-hook"), ("PUT", "/intercom/app1-hook"), ("POST", "/intercom"), ("POST", "/intercom/a/b"),
            ("GET", "/bots/demo/commands"), ("POST", "/bots/demo"), ("POST", "/"), ("GET", "/"),
        ):  # fmt: skip
            self.assertEqual(self._call_api(method, path)[0], 404, f"{method} {path}")

    def test_hands_each_queue_to_its_consumer_in_order(self):
        template = load()
        for _, function, _, queue in consumers(template):
            name, queue = package(function), queue.removesuffix("Queue")
            sent = [(f"g{n % 2}", f"{queue}-{n}") for n in range(25)]
            for group, body in sent:
                self._send(queue, body, group, body)
            self.processes.wait_until(lambda: len(self._records(name)) >= len(sent), f"{queue} to reach {name}", 20, log_of=["aws"])
            records = self._records(name)
            for group in ("g0", "g1"):
                got = [record["body"] for record in records if record["attributes"]["MessageGroupId"] == group]
                self.assertEqual(got, [body for of, body in sent if of == group])
            # The stand-in attests the account for every sender; OperatorSenderIds exists for that.
            self.assertEqual({record["attributes"]["SenderId"] for record in records}, {ACCOUNT})

    def test_grants_exactly_the_rights_of_the_snapshot(self):
        granted = rights(load())
        for function in packages.functions(TEMPLATE.read_text()):
            role = "".join(word.capitalize() for word in function.split("-")) + "Role"
            table = {"TableName": self.outputs["TableName"]}
            key = {"Key": {"pk": {"S": "x"}, "sk": {"S": "x"}}}
            calls = {
                ("dynamodb:GetItem", "Table"): ("dynamodb", "get_item", table | key),
                ("dynamodb:PutItem", "Table"): ("dynamodb", "put_item", table | {"Item": key["Key"]}),
                ("dynamodb:UpdateItem", "Table"): ("dynamodb", "update_item", table | key),
                ("dynamodb:DeleteItem", "Table"): ("dynamodb", "delete_item", table | key),
                ("dynamodb:Scan", "Table"): ("dynamodb", "scan", table),
                ("dynamodb:Query", "${Table.Arn}/index/due"): (
                    "dynamodb", "query",
                    table | {"IndexName": "due", "KeyConditionExpression": "due_shard = :s", "ExpressionAttributeValues": {":s": {"S": "0"}}},
                ),
                ("secretsmanager:GetSecretValue", "Secret"): ("secretsmanager", "get_secret_value", {"SecretId": "baton/bot-secrets"}),
            }  # fmt: skip
            for queue in QUEUES:
                arguments = {"QueueUrl": self.outputs[f"{queue}QueueUrl"]}
                # An invalid message: what is allowed fails later than what is not, and nothing is sent.
                calls["sqs:SendMessage", f"{queue}Queue"] = ("sqs", "send_message", arguments | {"MessageBody": "x"})
                calls["sqs:GetQueueAttributes", f"{queue}Queue"] = ("sqs", "get_queue_attributes", arguments)
                calls["sqs:PurgeQueue", f"{queue}Queue"] = ("sqs", "purge_queue", arguments)
            outcomes = self._invoke(function, {"calls": list(calls.values())})
            for (action, resource), outcome in zip(calls, outcomes, strict=True):
                right = f"{role} allow {action} on {resource}"
                # The local AWS does not know dynamodb:LeadingKeys, so a right under that condition shows as one without.
                allowed = any(line == right or line.startswith(f"{right} when ") for line in granted)
                denied = outcome in ("AccessDenied", "AccessDeniedException")
                self.assertEqual(not denied, allowed, f"{function}: {action} on {resource}: {outcome}")

    def test_lets_only_those_who_call_intercom_open_tokens_and_nobody_of_them_seal(self):
        kms = self.aws.client("kms")
        key = kms.describe_key(KeyId=f"alias/{stack.STACK}-tokens")["KeyMetadata"]["Arn"]
        good = {"app_id": "app1", "purpose": "intercom-access-token", "version": "1"}
        # Not sealed at all: whoever may open learns that, whoever may not learns only this.
        opening = {"KeyId": key, "CiphertextBlob": "x" * 100}
        calls = [
            ("kms", "decrypt", opening | {"EncryptionContext": good}),
            ("kms", "decrypt", opening | {"EncryptionContext": good | {"purpose": "other"}}),
            ("kms", "decrypt", opening),
            ("kms", "encrypt", {"KeyId": key, "Plaintext": "x", "EncryptionContext": good}),
            ("kms", "get_key_policy", {"KeyId": key}),
        ]
        for function in packages.functions(TEMPLATE.read_text()):
            opens = function in ("conversation-router", "bot-reply", "close-conversation", "reconcile")
            first, *others = self._invoke(function, {"calls": calls})
            self.assertEqual(first, "InvalidCiphertextException" if opens else "AccessDeniedException", function)
            self.assertEqual(others, ["AccessDeniedException"] * 4, function)

    def test_gives_functions_their_settings_and_secrets(self):
        given = self._invoke("webhook-ingress", {"environment": True})
        self.assertEqual(json.loads(given["WEBHOOK_SECRETS"]), SECRETS["webhook-secrets"])
        given = self._invoke("bot-reply", {"environment": True})
        self.assertEqual(given["settings"], "local = true\n")
        self.assertNotIn("BOT_SECRETS", given)
        self.assertNotIn("WEBHOOK_SECRETS", given)
        self.assertRegex(given["TOKEN_KEY_ARN"], r"^arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/")
        senders = given["TRUSTED_SENDERS"].split(",")
        self.assertEqual(senders[-1], ACCOUNT)
        self.assertEqual(len([sender for sender in senders if re.fullmatch(r"AROA[A-Z0-9]+", sender)]), 6)

    def test_refuses_calls_without_tls(self):
        client = self.aws.client("sqs")
        client.meta.events.register("before-send.*", lambda request, **_: request.headers.__setitem__("x-forwarded-proto", "http"))
        with self.assertRaisesRegex(ClientError, "AccessDenied"):
            client.send_message(
                QueueUrl=self.outputs["RepliesQueueUrl"], MessageBody="x", MessageGroupId="x", MessageDeduplicationId="x"
            )

    def test_rings_reconcile_every_minute(self):
        events = self.aws.client("events")
        (rule,) = events.list_rules()["Rules"]
        self.assertEqual((rule["ScheduleExpression"], rule["State"]), ("rate(1 minute)", "ENABLED"))
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        self.assertTrue(target["Arn"].endswith(f":{stack.STACK}-reconcile"))


if __name__ == "__main__":
    unittest.main()
