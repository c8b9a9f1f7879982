"""What the functions log, brought to the sandbox, which shows it beside what it did itself.

The functions log one JSON line for each thing that they did, with the conversation in it or in the
queue's message group. Here the lines are read from CloudWatch Logs, as an operator would, and posted
as steps. Nothing in the product knows of the sandbox.
"""

import json
import threading

from botocore.exceptions import BotoCoreError, ClientError

from aws import PLATFORM_LINES, request
from stack import STACK

EVERY_SECONDS = 0.7
# What the sandbox takes in one request.
STEPS_AT_ONCE = 1_000
# Lines of the same millisecond can come later than the first look at it.
OVERLAP_MS = 5_000
# Which queue a function takes its work from.
QUEUES = {
    "conversation-router": "inbox.fifo",
    "bot-dispatch": "bot-events.fifo",
    "bot-reply": "replies.fifo",
    "close-conversation": "close.fifo",
}
# The levels that a step can have.
LEVELS = {"INFO": "info", "WARN": "warn", "ERROR": "error"}
# Outcomes of a queue message that is not done with.
WAITING = ("later", "left_to_the_sweep")
# What a line says that has a place of its own in a step.
NAMED = ("outcome", "level", "app_id", "conversation_id", "chat", "at_ms", "version", "group")
# How the rows of a bot platform's own chats begin. Lines tell which conversation was opened for one.
CHAT = "session:"
# How many steps wait until that is known.
MOST_UNOPENED = 2_000


class Trail:
    """Reads the functions' logs from where it stopped, and posts what they did as steps."""

    def __init__(self, aws, sandbox_url):
        self._logs = aws.client("logs")
        self._url = f"{sandbox_url}/_sandbox/trace"
        self._since = {}
        self._seen = {}
        # Steps that the sandbox has not taken yet, in the order in which they are posted.
        self._waiting = []
        # Of chats: their conversations, and the steps before there was one.
        self._opened = {}
        self._unopened = []
        self._stop = threading.Event()
        # Why the last look failed; None when it did not.
        self.problem = None
        self._thread = threading.Thread(target=self._run, name="trail", daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self):
        while not self._stop.wait(EVERY_SECONDS):
            try:
                self.bring()
            except (OSError, BotoCoreError, ClientError) as error:
                # AWS or the sandbox is stopping or starting; what was not brought is brought next time.
                self.problem = error
            else:
                self.problem = None

    def bring(self):
        """Brings what was logged since the last time; how many steps that were."""
        steps, marks = [], []
        for group in self._logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{STACK}-")["logGroups"]:
            name = group["logGroupName"]
            since = self._since.get(name, 0)
            seen = self._seen.get(name, set())
            events = self._logs.filter_log_events(logGroupName=name, startTime=max(0, since - OVERLAP_MS))["events"]
            fresh = [event for event in events if _identity(event) not in seen]
            function = name.removeprefix(f"/aws/lambda/{STACK}-")
            steps += [step for event in fresh for step in steps_of(function, event)]
            if events:
                latest = max(event["timestamp"] for event in events)
                marks.append((name, latest, {_identity(e) for e in events if e["timestamp"] >= latest - OVERLAP_MS}))
        for name, latest, ids in marks:
            self._since[name] = latest
            self._seen[name] = ids
        placed = self._in_intercom(steps)
        functions = sorted({step["function"] for step in placed})
        steps = [step for one in functions for step in _folded([step for step in placed if step["function"] == one])]
        self._waiting += sorted(steps, key=lambda step: step["at_ms"])
        # What cannot be posted waits for the next time.
        while self._waiting:
            status, answer = request("POST", self._url, {"steps": self._waiting[:STEPS_AT_ONCE]})
            if status != 200:
                raise OSError(f"the sandbox does not take the steps: {status} {answer[:200]}")
            del self._waiting[:STEPS_AT_ONCE]
        return len(steps)

    def _in_intercom(self, steps):
        """The steps under the conversations that Intercom has; those of a chat without one wait."""
        for step in steps:
            chat = step.pop("chat", None)
            if chat and not step["conversation_id"].startswith(CHAT):
                self._opened[step["app_id"], chat] = step["conversation_id"]
        waiting, self._unopened, placed = self._unopened + steps, [], []
        for step in waiting:
            row = step["conversation_id"]
            known = self._opened.get((step["app_id"], row)) if row.startswith(CHAT) else row
            if known:
                placed.append({**step, "conversation_id": known})
            else:
                self._unopened.append(step)
        del self._unopened[:-MOST_UNOPENED]
        return placed


def _folded(steps):
    """The steps of one function, without the lines that only end the handling of a queue message.

    Such a line repeats what was said before it; its message's id goes to the step before it that is
    about the same conversation. What failed or has to wait stays a step.
    """
    kept, last = [], {}
    for step in steps:
        ends_well = step.pop("of_the_queue", False) and step["level"] == "info" and step["outcome"] not in WAITING
        before = last.get(step["conversation_id"])
        if ends_well and before:
            before.setdefault("message_id", step.get("message_id", ""))
        else:
            kept.append(step)
            last[step["conversation_id"]] = step
    return kept


def _identity(event):
    """What tells log events apart. Not `eventId`, which the local AWS does not have."""
    return event["logStreamName"], event["timestamp"], event["message"]


def steps_of(function, event):
    """The steps that a log event tells of; lines about no conversation tell of none."""
    for text in event["message"].splitlines():
        if text.startswith(PLATFORM_LINES) or not text.startswith("{"):
            continue
        try:
            line = json.loads(text)
        except ValueError:
            continue
        app_id, conversation_id = line.get("app_id"), line.get("conversation_id")
        of_the_queue = conversation_id is None
        if of_the_queue:
            # Queue lines name the message group: `app_id#conversation_id`, and `#bot` after it for a refusal.
            app_id, conversation_id, *_ = [*line.get("group", "").split("#"), "", ""]
        if not (app_id and (conversation_id.isdecimal() or conversation_id.startswith(CHAT))):
            continue  # of no conversation, or of one that a bot made up
        step = {name: value for name, value in line.items() if name not in NAMED and value is not None}
        step |= {
            "at_ms": line.get("at_ms", event["timestamp"]),
            "app_id": app_id,
            "conversation_id": conversation_id,
            "function": function,
            "outcome": line.get("outcome", ""),
            "chat": line.get("chat"),
            "level": LEVELS.get(line.get("level"), "info"),
            "of_the_queue": of_the_queue,
        }
        if "decisions" in line:
            step["decisions"] = line["decisions"].split(", ")
        if "version" in line:
            step["row"] = {"key": f"{app_id}#{line.get('chat') or conversation_id}", "version": line["version"]}
        if function in QUEUES:
            step["queue"] = QUEUES[function]
        elif line.get("outcome") == "enqueued":
            step["queue"] = "inbox.fifo" if function == "webhook-ingress" else "replies.fifo"
        yield step
