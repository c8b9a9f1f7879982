"""The two bots: what each was told, and commands in the form of the bot protocol."""

import base64
import hashlib
import hmac
import json

from aws import get_json

from people import spoken

# SQS hands out at most 10 messages at once.
BATCH = 10


class DemoBot:
    """The demo bot of the repository, which answers a few words by itself."""

    def __init__(self, url):
        self.url = url

    def events(self, conversation=None):
        """What it was told, of one conversation or of all, in the order of arrival."""
        return _about(conversation, get_json(f"{self.url}/log"))


class QueueBot:
    """A bot with a queue of its own. It says nothing by itself: the tests speak for it."""

    def __init__(self, sqs, url):
        self.url = url
        self._sqs = sqs
        self._events = []

    def events(self, conversation=None):
        """What it was told, of one conversation or of all, in the order of arrival."""
        while messages := self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=BATCH).get("Messages"):
            for message in messages:
                self._events.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return _about(conversation, self._events)


def _about(conversation, events):
    return [event for event in events if conversation is None or event["conversation"] == conversation.address]


def of_type(events, *types):
    """The events of some types."""
    return [event for event in events if event["type"] in types]


def told_texts(events):
    """The texts of the customer's messages among events."""
    return [event["data"]["message"]["text"] for event in of_type(events, "message")]


def results(events, command_id):
    """What a bot was told about one of its commands."""
    found = of_type(events, "command_done", "command_rejected", "command_superseded")
    return [event for event in found if event["data"]["command_id"] == command_id]


def command(conversation, command_id, kind, data, epoch=None, v=1):
    """A command."""
    message = {"v": v, "id": command_id, "conversation": conversation.address, "type": kind, "data": data}
    return message if epoch is None else message | {"epoch": epoch}


def reply(conversation, command_id, text, epoch=None, v=1):
    """A command that says something to the customer."""
    return command(conversation, command_id, "reply", {"content": [{"type": "text", "text": spoken(text)}]}, epoch, v)


def sign(secret, message_id, timestamp, body):
    """The headers of Standard Webhooks for a body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    code = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(code).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}
