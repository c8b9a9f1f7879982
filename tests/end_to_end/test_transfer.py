"""Chats of a bot's own go to people and come back, over queues: what scenarios with the demo bot do not show.

Here the bot is the test itself. `sandbox2` promises when nobody is there, leaves reopened chats with the bot,
and waits for nobody longer than a few seconds; `reconcile` is rung by hand, as a minute is long.
"""

import itertools
import json

import pytest
from aws import get_json, request
from bots import of_type, results
from people import TEAMMATE, spoken

numbers = itertools.count(1)


class Chat:
    """A chat of the bot's own, and the conversation that is opened for it."""

    def __init__(self, baton, **customer):
        self.baton = baton
        self.app_id = baton.two.app_id
        self.name = f"chat {next(numbers)}"
        self.session = {"app_id": self.app_id, "id": self.name}
        self.customer = customer
        self.asked = 0

    def ask(self, kind, data):
        """Puts a command on the queue; its id."""
        self.asked += 1
        command_id = f"{self.name}/{self.asked}".replace(" ", "-")
        message = {"v": 1, "id": command_id, "session": self.session, "type": kind, "data": data}
        self.baton.sqs.send_message(
            QueueUrl=self.baton.outputs["RepliesQueueUrl"], MessageBody=json.dumps(message),
            MessageGroupId=f"{self.app_id}#{self.name.replace(' ', '-')}", MessageDeduplicationId=command_id,
        )  # fmt: skip
        return command_id

    def start(self, words, **more):
        return self.ask("transfer_start", {"channel": "web", "customer": self.customer, "text": spoken(words), **more})

    def says(self, words):
        return self.ask("transfer_message", {"text": spoken(words)})

    def events(self, *types):
        """What the bot was told of it, of some types or of all."""
        mine = [event for event in self.baton.queue_bot.events() if (event.get("session") or {}).get("id") == self.name]
        return of_type(mine, *types) if types else mine

    def told(self, kind, times=1):
        """The newest event of a kind, once there are so many."""
        found = self.baton.until(
            lambda: (known := self.events(kind)) and len(known) >= times and known, f"the bot to be told {kind} of {self.name}", 60
        )
        return found[-1]["data"]

    def result(self, command_id):
        """What became of a command."""
        (event,) = self.baton.until(lambda: results(self.events(), command_id), f"{command_id} to end", 60)
        return event["type"], event["data"]

    def is_given_to_people(self, words="A person, please"):
        done = self.start(words)
        self.told("handover_waiting")
        assert self.result(done)[0] == "command_done"
        return self

    # ── In Intercom ─────────────────────────────────────────────────────────────────────────────

    @property
    def url(self):
        known = [event["conversation"] for event in self.events() if event["conversation"]]
        return f"{self.baton.control}/{self.app_id}/conversations/{known[-1]['intercom']['conversationId']}"

    def teammate(self, action, **details):
        status, answer = request("POST", f"{self.url}/teammate", {"admin_id": TEAMMATE, "action": action, **details})
        assert status == 200, answer

    def replies(self, words):
        self.teammate("reply", body=spoken(words))

    def seen(self):
        """What the customer reads in Intercom."""
        return [entry["body"] for entry in get_json(self.url)["seen_by_customer"]]

    def notes(self):
        parts = get_json(self.url)["conversation_parts"]["conversation_parts"]
        return " ".join(part["body"] or "" for part in parts if part["part_type"] == "note")

    def sweep_until(self, came_true, what):
        """Rings `reconcile` until something is the case."""

        def look():
            assert self.baton.invoke("reconcile", {}) == (False, None)
            return came_true()

        return self.baton.until(look, what, 90)


@pytest.fixture
def chat(baton):
    return Chat(baton, external_id=f"queue-{next(numbers)}", name="Erika")


def test_a_chat_goes_both_ways_over_queues_and_comes_back_with_all_that_was_said(baton, chat):
    chat.is_given_to_people()
    waiting = chat.events("handover_waiting")[0]
    assert waiting["session"] == {**chat.session, "channel": "web"}
    assert waiting["conversation"]["intercom"]["app_id"] == chat.app_id
    chat.replies("What is it about?")
    message = chat.told("agent_message")["message"]
    assert (message["text"], message["author"]["kind"], message["author"]["id"]) == (spoken("What is it about?"), "teammate", TEAMMATE)
    assert chat.told("agent_joined")["agent"]["id"] == TEAMMATE
    kind, done = chat.result(chat.says("My order"))
    assert kind == "command_done" and done["part_id"]
    chat.teammate("close")
    closed = chat.told("closed")
    assert closed["by"] == "people"
    assert [one["text"] for one in closed["stretch"]] == [spoken(words) for words in ("What is it about?", "My order")]
    assert chat.seen() == [spoken(words) for words in ("A person, please", "What is it about?", "My order")]
    assert [event["seq"] for event in chat.events()] == list(range(1, len(chat.events()) + 1))
    assert chat.events("message") == []


def test_a_second_start_joins_the_first(baton, chat):
    chat.is_given_to_people("Help")
    url = chat.url
    assert chat.result(chat.start("Help"))[0] == "command_done"
    assert chat.result(chat.start("Help at last!"))[0] == "command_done"
    baton.until(lambda: len(chat.seen()) == 2, "the other words to be passed on")
    assert chat.seen() == [spoken("Help"), spoken("Help at last!")]
    assert chat.url == url and len(chat.events("handover_waiting")) == 1


def test_a_command_that_comes_twice_begins_one_chat(baton, chat):
    message = {"channel": "web", "customer": chat.customer, "text": spoken("Once")}
    first = chat.ask("transfer_start", message)
    chat.asked -= 1
    group = f"{chat.app_id}#{chat.name.replace(' ', '-')}"
    body = {"v": 1, "id": first, "session": chat.session, "type": "transfer_start", "data": message}
    baton.sqs.send_message(
        QueueUrl=baton.outputs["RepliesQueueUrl"], MessageBody=json.dumps(body), MessageGroupId=group, MessageDeduplicationId=f"{first}-again"
    )
    chat.told("handover_waiting")
    assert chat.result(first)[0] == "command_done"
    baton.until_quiet()
    assert chat.seen() == [spoken("Once")]
    found = get_json(f"{baton.control}/{chat.app_id}/rows?q={chat.customer['name']}&limit=200")["rows"]
    assert sum("Once" in row["last"]["text"] or row["id"] in chat.url for row in found) == 1


def test_what_people_reopen_stays_with_the_bot_where_it_is_set_so(baton, chat):
    chat.is_given_to_people()
    chat.replies("Done.")
    chat.told("agent_message")
    chat.teammate("close")
    chat.told("closed")
    baton.until_quiet()
    chat.teammate("open")
    chat.replies("Are you still there?")
    baton.until(lambda: "not passed on" in chat.notes(), "a note that says so")
    baton.until_quiet()
    assert chat.events("reopened") == []
    assert [one["data"]["message"]["text"] for one in chat.events("agent_message")] == [spoken("Done.")]


def test_a_promise_is_told_when_nobody_is_there_and_the_chat_waits(baton, chat):
    away = f"{baton.control}/{chat.app_id}/admins/{TEAMMATE}/away"
    assert request("POST", away, {"away_mode_enabled": True})[0] == 200
    try:
        chat.start("Is anybody there?")
        nobody = chat.told("nobody_there")
        assert (nobody["availability"], nobody["message"]) == ("away", "We answer in the morning.")
        chat.told("handover_waiting")
        assert chat.seen() == [spoken("Is anybody there?")]
    finally:
        assert request("POST", away, {"away_mode_enabled": False})[0] == 200


def test_a_chat_that_nobody_takes_goes_back_to_the_bot(baton, chat):
    chat.is_given_to_people()
    out = chat.sweep_until(lambda: chat.events("timed_out"), "the wait for somebody to end")
    assert out[0]["data"] == {"what": "nobody", "message": "Nobody is free.", "then": "bot"}
    assert chat.told("closed")["by"] == "timeout"
    baton.until(lambda: get_json(chat.url)["state"] == "closed", "it to be closed in Intercom")
    kind, refused = chat.result(chat.says("Hello?"))
    assert kind in ("command_rejected", "command_superseded"), refused
    baton.until_quiet()
    assert chat.seen() == [spoken("A person, please")]


def test_a_chat_whose_teammate_is_silent_is_closed(baton, chat):
    chat.is_given_to_people()
    chat.teammate("assign", assignee={"type": "admin", "id": TEAMMATE})
    chat.told("agent_joined")
    chat.says("Hello?")
    out = chat.sweep_until(lambda: chat.events("timed_out"), "the wait for the teammate to end")
    assert (out[0]["data"]["what"], out[0]["data"]["then"]) == ("teammate", "close")
    assert chat.told("closed")["by"] == "timeout"
    baton.until(lambda: get_json(chat.url)["state"] == "closed", "it to be closed in Intercom")


def test_nobody_else_reaches_into_a_chat(baton, chat):
    """Its name is the bot's own: another bot that uses it has another chat."""
    chat.is_given_to_people()
    command = {"v": 1, "id": "stranger", "session": {"app_id": chat.app_id, "id": chat.name}, "type": "transfer_message", "data": {"text": "Boo"}}
    status, _ = baton.post_commands({"commands": [command]})
    assert status == 202
    baton.until_quiet()
    assert chat.seen() == [spoken("A person, please")]
