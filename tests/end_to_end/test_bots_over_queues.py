"""A bot that speaks SQS both ways: events from its own queue, commands onto Baton's queues."""

import json
import re

from bots import command, of_type, reply, results
from people import CANARY, spoken


def _begin(baton, body, contact_name="Erik"):
    """A conversation that the bot has, and the event that told it so."""
    conversation = baton.begin(baton.two, contact_name, body)
    conversation.goes_to_the_bot()
    events = baton.until(lambda: baton.queue_bot.events(conversation), "the bot to be told")
    return conversation, events[0]


def _result(baton, conversation, command_id):
    """What the bot is told about a command, once it is."""
    found = baton.until(
        lambda: results(baton.queue_bot.events(conversation), command_id), f"the bot to be told what became of {command_id}"
    )
    return found[0]


def _bodies(entries):
    return [entry["body"] for entry in entries]


def test_a_conversation_goes_both_ways_until_the_bot_closes_it(baton):
    conversation, event = _begin(baton, "Do you ship to Norway?")
    (first,) = conversation.seen()
    assert event["occurred_at"] >= first["created_at"] * 1000
    data = event["data"]
    # An id never comes again, so the moment at which the conversation was first seen is part of it.
    assert re.fullmatch(rf"evt_sandbox2_{conversation.id}_\d+_1", event["id"])
    assert event == {
        "v": 1,
        "id": event["id"],
        "type": "message",
        "bot": "queue-bot",
        "conversation": {"intercom": {"app_id": "sandbox2", "conversationId": conversation.id}},
        "seq": 1,
        "prev_seq": 0,
        "epoch": 1,
        "occurred_at": event["occurred_at"],
        "data": data,
    }
    message, contact = data["message"], data["context"]["contact"]
    assert message["text"] == message["markdown"] == spoken("Do you ship to Norway?")
    assert message["author"] == {"kind": "customer", "id": conversation.contact_id, "name": "Erik", "avatar": None}
    assert message["part_id"] is None and message["attachments"] == []
    assert (contact["id"], contact["name"], contact["role"]) == (conversation.contact_id, "Erik", "user")
    assert (contact["email"], contact["attributes"]) == ("erik@customer2.example", {"plan": "free"})

    baton.put("Replies", conversation, reply(conversation, "answer", "Yes, within *two* days.", epoch=1), "a1")
    done = _result(baton, conversation, "answer")
    (said,) = conversation.seen_of_bot()
    assert said["body"] == spoken("Yes, within two days.") and "<i>two</i>" in said["html"].replace("em>", "i>")
    assert (done["type"], done["data"]["part_id"]) == ("command_done", said["id"])

    reason = spoken("I am closing this; write again at any time.")
    baton.put("Close", conversation, command(conversation, "bye", "close", {"reason": reason}, epoch=1), "a2")
    baton.until(lambda: of_type(baton.queue_bot.events(conversation), "closed"), "the bot to be told that it is closed")
    assert conversation.state() == "closed"
    assert _bodies(conversation.seen_of_bot()) == [spoken("Yes, within two days."), reason]

    baton.until_quiet()
    events = baton.queue_bot.events(conversation)
    assert [(event["seq"], event["type"]) for event in events] == [
        (1, "message"), (2, "command_done"), (3, "command_done"), (4, "closed"),
    ]  # fmt: skip
    assert events[2]["data"]["command_id"] == "bye"
    assert events[3]["data"] == {"by": "bot"}


def test_a_close_among_the_replies_waits_for_those_before_it(baton):
    conversation, _ = _begin(baton, "That was all.")
    for number in range(1, 4):
        baton.put("Replies", conversation, reply(conversation, f"r{number}", f"Goodbye {number}"), f"r{number}")
    closing = command(conversation, "bye", "close", {"reason": spoken("Closed.")})
    baton.put("Replies", conversation, closing, "bye")
    baton.until(lambda: conversation.state() == "closed", "the conversation to be closed")
    assert _bodies(conversation.seen_of_bot()) == [spoken(text) for text in ("Goodbye 1", "Goodbye 2", "Goodbye 3", "Closed.")]
    assert _result(baton, conversation, "bye")["type"] == "command_done"


def test_a_command_that_comes_twice_is_carried_out_once(baton):
    conversation, _ = _begin(baton, "Are you there?")
    said = reply(conversation, "once", "I am here.")
    baton.put("Replies", conversation, said, "first time")
    baton.put("Replies", conversation, said, "second time")
    assert _result(baton, conversation, "once")["type"] == "command_done"
    baton.until_quiet()
    assert _bodies(conversation.seen_of_bot()) == [spoken("I am here.")]
    assert len(results(baton.queue_bot.events(conversation), "once")) == 1


def test_a_command_id_with_another_payload_is_rejected(baton):
    conversation, _ = _begin(baton, "What does it cost?")
    baton.put("Replies", conversation, reply(conversation, "price", "It is free."), "free")
    baton.put("Replies", conversation, reply(conversation, "price", "It is 12 euros."), "not free")
    baton.until(lambda: len(results(baton.queue_bot.events(conversation), "price")) == 2, "both commands to end")
    done, rejected = results(baton.queue_bot.events(conversation), "price")
    assert done["type"] == "command_done"
    assert (rejected["type"], rejected["data"]["code"]) == ("command_rejected", "id_reused")
    baton.until_quiet()
    assert _bodies(conversation.seen_of_bot()) == [spoken("It is free.")]


def test_a_command_of_another_protocol_version_is_rejected_as_malformed(baton):
    conversation, _ = _begin(baton, "Which version do you speak?")
    baton.put("Replies", conversation, reply(conversation, "v2", "The second.", v=2), "v2")
    rejected = _result(baton, conversation, "v2")
    assert (rejected["type"], rejected["data"]["code"]) == ("command_rejected", "malformed")
    assert "version 2" in rejected["data"]["message"]
    baton.until_quiet()
    assert conversation.seen_of_bot() == []


def test_a_command_for_a_conversation_that_the_bot_does_not_have_is_rejected(baton):
    # One of its own workspace that nobody gave it, and one that another bot has in another workspace.
    unassigned = baton.begin(baton.two, "Erik", "I am waiting for a person.")
    of_the_other_bot = baton.begin(baton.one, "Carla", "What are your opening hours?")
    of_the_other_bot.goes_to_the_bot()
    baton.until(of_the_other_bot.seen_of_bot, "the other bot to answer")
    for conversation in (unassigned, of_the_other_bot):
        baton.put("Replies", conversation, reply(conversation, "intrude", "Let me in."), "intrude")
        rejected = _result(baton, conversation, "intrude")
        assert (rejected["type"], rejected["data"]["code"]) == ("command_rejected", "unknown_conversation")
        assert (rejected["bot"], rejected["seq"]) == ("queue-bot", 0)
        assert spoken("Let me in.") not in _bodies(conversation.seen())
    baton.until_quiet()
    assert results(baton.demo_bot.events(of_the_other_bot), "intrude") == []
    assert len(of_the_other_bot.seen_of_bot()) == 1


def test_a_command_that_nobody_can_read_comes_to_rest_in_the_dead_letter_queue_with_the_reason(baton):
    conversation, _ = _begin(baton, "Can you dance?")
    unreadable = {
        "no JSON": "{",
        "about no conversation": json.dumps({"id": "nowhere", "type": "note", "data": {"text": spoken("Where?")}}),
        "without an id": json.dumps({**command(conversation, "x", "dance", {}), "id": None}),
    }
    for name, body in unreadable.items():
        baton.put("Replies", conversation, body, name)
    baton.until(lambda: baton.depth("RepliesDeadLetter") == len(unreadable), "all of them to be given up")
    baton.until_quiet()
    given_up = baton.take_dead_letters("Replies")
    assert list(given_up) == list(unreadable.values())
    assert all(reason and CANARY not in reason for reason in given_up.values()), given_up.values()
    assert conversation.seen_of_bot() == []
    assert [event["type"] for event in baton.queue_bot.events(conversation)] == ["message"]


def test_a_command_whose_form_is_wrong_is_reported_to_its_bot(baton):
    conversation, _ = _begin(baton, "Can you read?")
    malformed = {
        "dance": json.dumps(command(conversation, "dance", "dance", {})),
        "words": json.dumps(command(conversation, "words", "reply", {"content": spoken("I can.")})),
    }
    for name, body in malformed.items():
        baton.put("Replies", conversation, body, name)
        result = _result(baton, conversation, name)
        assert (result["type"], result["data"]["code"]) == ("command_rejected", "malformed")
    baton.until_quiet()
    assert conversation.seen_of_bot() == []


def test_a_command_that_nobody_can_read_does_not_take_those_behind_it_along(baton):
    conversation, _ = _begin(baton, "Can you sing?")
    with baton.resting("bot-reply"):  # so that both are handed out together
        baton.put("Replies", conversation, "{", "unreadable")
        baton.put("Replies", conversation, reply(conversation, "song", "La la la."), "readable")
    assert _result(baton, conversation, "song")["type"] == "command_done"
    baton.until_quiet()
    assert _bodies(conversation.seen_of_bot()) == [spoken("La la la.")]
    assert list(baton.take_dead_letters("Replies")) == ["{"]
