"""Baton as it is deployed: the template on a local AWS, between the Intercom sandbox and two bots.

Made of the parts of the local runner. Workspace `sandbox1` has the demo bot, which speaks HTTPS;
`sandbox2` has a bot that speaks SQS, which is the test itself, and a wire to Intercom that can be cut.
Nothing here expects anything of Baton: that is what the tests do.
"""

import hashlib
import hmac
import itertools
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra" / "local"))

import run  # noqa: E402
import settings  # noqa: E402
import stack  # noqa: E402
from aws import ACCOUNT, REGION, Aws, get_json, request  # noqa: E402
from console import Failure  # noqa: E402
from processes import Processes, port_is_free  # noqa: E402

from bots import DemoBot, QueueBot, sign  # noqa: E402
from people import Conversation  # noqa: E402
from wire import Wire  # noqa: E402

DIRECTORY = ROOT / ".local" / "test-e2e"
FIRST_PORT = 25000
# For what comes by itself: before the next sweep, which would also bring what was lost on the way.
PATIENCE_SECONDS = 45
QUEUES = ("Inbox", "BotEvents", "Replies", "Close")
FUNCTIONS = (
    "webhook-ingress", "conversation-router", "bot-dispatch", "bot-ingress", "bot-reply", "close-conversation", "reconcile",
)  # fmt: skip
BOT_QUEUE = "queue-bot.fifo"
PREVIOUS_CLIENT_SECRET = "sandbox-secret-of-last-year"
# How long a doubtful send is left alone: the least that can be set, so that no test waits for long.
SETTLE_MS = 1_000

SETTINGS = """\
local = true

[[workspace]]
app_id = "{one.app_id}"
webhook_path = "{one.webhook_path}"
region = "{one.region}"
api_url = "{one.api_url}"
client_secret = "secret:{one.app_id}"
previous_client_secret = "secret:{one.app_id}-previous"
bot_teammate = "{one.bot_teammate}"
bot_teams = ["{one.bot_teams[0]}"]
monitor = "{one.monitor}"
bot = "demo"
settle_ms = {settle_ms}
{one.rules}
{one.transfer}
[workspace.handover]
default_team = "{one.handover_team}"

[[workspace]]
app_id = "{two.app_id}"
webhook_path = "{two.webhook_path}"
region = "{two.region}"
api_url = "{wire.url}"
client_secret = "secret:{two.app_id}"
bot_teammate = "{two.bot_teammate}"
bot_teams = ["{two.bot_teams[0]}"]
bot = "queue-bot"
settle_ms = {settle_ms}
[[workspace.transfer]]
bot = "queue-bot"
availability = "promise"
promise = "We answer in the morning."
reopened = "stay"
[workspace.transfer.channels]
"*" = "team:500001"
[workspace.transfer.nobody]
after_seconds = 25
message = "Nobody is free."
then = "bot"
[workspace.transfer.teammate]
after_seconds = 25
then = "close"

[[bot]]
id = "demo"
transport = "https"
url = "{bot_url}/events"
secret = "secret:demo"

[[bot]]
id = "queue-bot"
transport = "sqs"
queue_url = "{queue_url}"
sender_id = "{account}"
"""


class Installation:
    """A deployment with all that is around it."""

    def __init__(self):
        self.ports = list(itertools.islice(filter(port_is_free, range(FIRST_PORT, FIRST_PORT + 1000)), 3))
        aws_port, sandbox_port, bot_port = self.ports
        sandbox_url, bot_url = f"http://127.0.0.1:{sandbox_port}", f"http://127.0.0.1:{bot_port}"
        self.control = f"{sandbox_url}/_sandbox"
        self.one = settings.of_sandbox(run.SEED, sandbox_url)
        self.two = settings.of_sandbox(run.SEED, sandbox_url, position=1)
        self.bot_secret = settings.new_bot_secret()
        self.wire = Wire(sandbox_url)
        self.processes = Processes()
        self.aws = Aws(self.processes, aws_port, DIRECTORY)
        self.sqs = self.aws.client("sqs")
        self.demo_bot = DemoBot(bot_url)
        self.queue_bot = QueueBot(self.sqs, f"{self.aws.url}/{ACCOUNT}/{BOT_QUEUE}")
        self.conversations = []
        self.drops_asked = 0
        self.reasons = []
        self._running = False

    def start(self):
        """Builds, deploys and starts everything; a Failure says why it could not, and leaves nothing behind."""
        self.processes.__enter__()
        self.wire.__enter__()
        self._running = True
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Ends every process that was started. May be called twice."""
        if self._running:
            self._running = False
            self.processes.__exit__(None, None, None)
            self.wire.__exit__(None, None, None)

    def clear(self):
        """Throws away all that is on its way, and all faults that did not happen yet."""
        if self._running:
            for queue in QUEUES:
                self.sqs.purge_queue(QueueUrl=self.outputs[f"{queue}QueueUrl"])
                self.take_dead_letters(queue)
            request("DELETE", f"{self.control}/faults")

    def _start(self):
        self.binaries = binaries = run.build(self.processes)
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        self.aws.start()
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "false"}
        self.sqs.create_queue(QueueName=BOT_QUEUE, Attributes=attributes)
        stack.create_secrets(self.aws, self._secrets())
        text = SETTINGS.format(
            one=self.one, two=self.two, wire=self.wire, bot_url=self.demo_bot.url, queue_url=self.queue_bot.url,
            account=ACCOUNT, settle_ms=SETTLE_MS,
        )  # fmt: skip
        (DIRECTORY / "baton.toml").write_text(text)
        self.outputs, _ = stack.deploy(
            self.aws, self.processes, run.TEMPLATE, binaries, text.encode(), DIRECTORY / "zips",
            operator_senders=ACCOUNT, bot_queue_arns=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{BOT_QUEUE}",
        )  # fmt: skip
        run.start_bot(self.processes, DIRECTORY, self.ports[2], self.bot_secret, self.one, self.outputs)
        run.start_sandbox(self.processes, DIRECTORY, binaries, self.ports[1], self.demo_bot.url)
        for workspace in (self.one, self.two):
            run.put_token(self.aws, binaries, DIRECTORY / "baton.toml", workspace)
            run.register_webhook(self.aws, workspace.api_url, workspace, self.outputs)

    def _secrets(self):
        of_one = settings.secret_values(self.one, self.bot_secret)
        of_two = settings.secret_values(self.two, self.bot_secret)
        both = {name: of_one[name] | of_two[name] for name in of_one}
        both["webhook-secrets"][f"{self.one.app_id}-previous"] = PREVIOUS_CLIENT_SECRET
        return both

    def tokens(self):
        """The workspaces' access tokens."""
        return {self.one.access_token, self.two.access_token}

    def token(self, *arguments, token=""):
        """What `baton token` does with these arguments, given a token: (status, output, complaint)."""
        command = [self.binaries / "baton", "token", *arguments, "--settings", DIRECTORY / "baton.toml", "--stack", stack.STACK]
        environment = {**os.environ, **self.aws.environment()}
        done = subprocess.run(command, input=token, env=environment, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def secrets(self):
        """Every secret text of the deployment."""
        return sorted(self.tokens() | {value for values in self._secrets().values() for value in values.values()})

    # ── Waiting ─────────────────────────────────────────────────────────────────────────────────

    def until(self, came_true, what, seconds=PATIENCE_SECONDS):
        """Waits until `came_true()` is true, and returns what it returned."""
        try:
            return self.processes.wait_until(came_true, what, seconds)
        except Failure as failure:
            depths = {name: self.depth(name) for name in QUEUES}
            logs = "\n".join(self.aws.function_logs(lines=15))
            raise AssertionError(f"{failure}\n{failure.log}\nqueues: {depths}\n{logs}") from None

    def until_quiet(self):
        """Waits until nothing is on its way: every webhook was tried, every queue ran dry.

        Twice in a row, with nothing moved in between: work goes round in circles, so one look could
        miss what went from a queue not yet looked at to one already seen empty.
        """

        def quiet():
            mark = self._calm()
            return mark is not None and mark == self._calm()

        self.until(quiet, "nothing to be on its way")

    def _calm(self):
        """A mark that moves with every step that is taken; None while a step is still to come."""
        tried = {delivery["notification_id"] for delivery in self.deliveries()}
        for conversation in self.conversations:
            if not tried.issuperset(conversation.notifications()):
                return None
        if any(self.depth(name) for name in QUEUES):
            return None
        last = [max((entry["n"] for entry in log), default=0) for log in (self.requests(), self.deliveries())]
        return (*last, len(self.demo_bot.events()), len(self.queue_bot.events()))

    # ── Queues and functions ────────────────────────────────────────────────────────────────────

    def depth(self, queue):
        """How many messages a queue of the template holds, waiting or in hand."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        url = self.outputs[f"{queue}QueueUrl"]
        counts = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    def put(self, queue, conversation, body, deduplication_id):
        """Puts a message on a queue of the template, as a bot that speaks SQS does."""
        self.sqs.send_message(
            QueueUrl=self.outputs[f"{queue}QueueUrl"],
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageGroupId=f"{conversation.app_id}#{conversation.id}",
            MessageDeduplicationId=deduplication_id,
        )

    def take_dead_letters(self, queue):
        """What was given up in a queue of the template, body to reason; it is there no more."""
        url = self.outputs[f"{queue}DeadLetterQueueUrl"]
        given_up = {}
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages"):
            for message in messages:
                given_up[message["Body"]] = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "")
                self.reasons.append(json.dumps(message.get("MessageAttributes", {})))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return given_up

    @contextmanager
    def resting(self, function):
        """A function is not given what is on its queue."""
        client = self.aws.client("lambda")
        (mapping,) = client.list_event_source_mappings(FunctionName=f"{stack.STACK}-{function}")["EventSourceMappings"]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def invoke(self, function, event):
        """Invokes a function: (whether it failed, its answer)."""
        answer = self.aws.client("lambda").invoke(FunctionName=f"{stack.STACK}-{function}", Payload=json.dumps(event))
        return "FunctionError" in answer, json.load(answer["Payload"])

    def log(self, function):
        """Everything that a function has logged so far."""
        pages = self.aws.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=f"/aws/lambda/{stack.STACK}-{function}")
        return "\n".join(event["message"] for page in found for event in page["events"])

    # ── The public address ──────────────────────────────────────────────────────────────────────

    def call(self, method, path, body=None, headers=None):
        """Calls the deployment's public address: (status, body)."""
        host = self.outputs["WebhookUrlBase"].split("/")[2]
        return request(method, self.aws.url + path, headers={"host": host, **(headers or {})}, raw=body)

    def post_commands(self, body, bot="demo", secret=None, headers=None):
        """Posts a body to a bot's address, signed with the demo bot's secret unless told: (status, JSON)."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = sign(secret or self.bot_secret, f"msg_{time.time_ns()}", int(time.time()), raw)
        status, answer = self.call("POST", f"/bots/{bot}/commands", raw, signed if headers is None else headers)
        return status, json.loads(answer)

    def post_webhook(self, notification, secret):
        """Posts a notification to the first workspace's address, signed with a secret: the status."""
        raw = json.dumps(notification).encode()
        code = hmac.new(secret.encode(), raw, hashlib.sha1).hexdigest()
        return self.call("POST", f"/intercom/{self.one.webhook_path}", raw, {"x-hub-signature": f"sha1={code}"})[0]

    # ── The sandbox ─────────────────────────────────────────────────────────────────────────────

    def begin(self, workspace, contact_name, body):
        """A customer begins a conversation; nobody has it yet."""
        conversation = Conversation(self.control, workspace, contact_name, body)
        self.conversations.append(conversation)
        return conversation

    def fail_request(self, fault, method, path, **details):
        """The next request of this kind goes wrong."""
        self._add_fault({"match": {"method": method, "path_contains": path}, "fault": fault, **details})

    def fail_webhook(self, fault, topic, **details):
        """The next webhooks of this topic go wrong."""
        self._add_fault({"webhook": {"topic": topic}, "fault": fault, **details})
        if fault == "drop":
            self.drops_asked += details.get("times", 1)

    def _add_fault(self, fault):
        status, answer = request("POST", f"{self.control}/faults", fault)
        assert status == 200, answer

    def requests(self):
        """Every request that Intercom got."""
        return get_json(f"{self.control}/requests")["requests"]

    def requests_about(self, conversation, method, action=""):
        """Those of one kind about one conversation; both workspaces have conversations of the same id."""
        kind = (conversation.app_id, method, f"/conversations/{conversation.id}{action}")
        return [entry for entry in self.requests() if (entry["app_id"], entry["method"], entry["path"]) == kind]

    def deliveries(self):
        """Every attempt at a webhook."""
        return get_json(f"{self.control}/deliveries")["deliveries"]
