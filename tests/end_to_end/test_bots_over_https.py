"""Commands that come in over HTTPS, signed by the rules of Standard Webhooks."""

import time

import settings
from bots import command, reply, results, sign, told_texts
from people import spoken


def _begin(baton, body):
    """A conversation that the demo bot has and has answered."""
    conversation = baton.begin(baton.one, "Carla", body)
    conversation.goes_to_the_bot()
    baton.until(lambda: len(conversation.seen_of_bot()) == 1, "the bot's own answer")
    return conversation


def _said(conversation):
    return [entry["body"] for entry in conversation.seen_of_bot()]


def test_a_signed_command_is_accepted_and_carried_out(baton):
    conversation = _begin(baton, "Hello.")
    answer = baton.post_commands(reply(conversation, "p1", "By the way: we have a sale.", epoch=1))
    assert answer == (202, {"accepted": 1})
    several = [reply(conversation, f"p{number}", f"Offer {number}", epoch=1) for number in range(2, 5)]
    assert baton.post_commands({"commands": several}) == (202, {"accepted": 3})
    baton.until(lambda: len(conversation.seen_of_bot()) == 5, "all four to be said")
    assert _said(conversation)[1:] == [spoken(text) for text in ("By the way: we have a sale.", "Offer 2", "Offer 3", "Offer 4")]
    # The same body again: a caller that did not get the answer.
    assert baton.post_commands({"commands": several}) == (202, {"accepted": 3})
    baton.until_quiet()
    assert len(_said(conversation)) == 5
    for number in range(1, 5):
        (result,) = results(baton.demo_bot.events(conversation), f"p{number}")
        assert result["type"] == "command_done"


def test_what_is_not_accepted_is_not_enqueued(baton):
    conversation = _begin(baton, "Hello again.")
    good = reply(conversation, "good", "This is genuine.", epoch=1)
    stale = sign(baton.bot_secret, "msg_1", int(time.time()) - 3600, b"{}")
    unspoken = command(conversation, "c1", "dance", {})
    nowhere = {"id": "c2", "type": "note", "data": {"text": "x"}}
    other_version = reply(conversation, "c3", "x", v=2)
    refusals = [
        (401, "does not fit", baton.post_commands(reply(conversation, "f1", "Forged."), secret=settings.new_bot_secret())),
        (401, "webhook-id is missing", baton.post_commands(reply(conversation, "f2", "Unsigned."), headers={})),
        (401, "300 s away", baton.post_commands({}, headers=stale)),
        (404, "no such bot", baton.post_commands(reply(conversation, "f3", "Unknown."), bot="nobody")),
        (404, "does not speak https", baton.post_commands(reply(conversation, "f4", "Foreign."), bot="queue-bot")),
        (400, "not JSON", baton.post_commands(b"{")),
        (400, "1 to 20 commands", baton.post_commands({"commands": []})),
        (400, "dance", baton.post_commands(unspoken)),
        (400, "commands[1]: a command needs its `conversation`", baton.post_commands({"commands": [good, nowhere]})),
        (400, "commands[1]: version 2", baton.post_commands({"commands": [good, other_version]})),
    ]
    for status, words, (answered, body) in refusals:
        assert (answered, words in body["error"]) == (status, True), f"{answered} {body}, not {status} with {words}"
    # Had any of them been enqueued, it would come before this one, in the same group.
    assert baton.post_commands(reply(conversation, "last", "This is the last word.", epoch=1))[0] == 202
    baton.until(lambda: results(baton.demo_bot.events(conversation), "last"), "the last command to be done")
    baton.until_quiet()
    assert _said(conversation)[1:] == [spoken("This is the last word.")]
    for command_id in ("good", "c1", "c2", "c3", "f1", "f2", "f3", "f4"):
        assert results(baton.demo_bot.events(conversation) + baton.queue_bot.events(conversation), command_id) == []
    about_it = [line for line in baton.log("bot-reply").splitlines() if f'"conversation_id":"{conversation.id}"' in line]
    assert len([line for line in about_it if '"outcome":"command"' in line]) == 2


def test_a_late_command_is_superseded_after_a_teammate_spoke_and_after_the_bot_is_back(baton):
    conversation = _begin(baton, "Where is my parcel?")
    baton.until_quiet()
    conversation.teammate_writes("This is Alice. I am looking for it.")
    baton.until(lambda: [e for e in baton.demo_bot.events(conversation) if e["type"] == "agent_joined"], "the bot to be told of Alice")

    assert baton.post_commands(reply(conversation, "late", "Parcels take two days.", epoch=1))[0] == 202
    _superseded(baton, conversation, "late")

    conversation.goes_back_to_the_bot()
    resumed = baton.until(lambda: [e for e in baton.demo_bot.events(conversation) if e["type"] == "resumed"], "the bot to resume")
    epoch = resumed[0]["epoch"]
    assert epoch > 1
    assert baton.post_commands(reply(conversation, "later", "Parcels take three days.", epoch=1))[0] == 202
    _superseded(baton, conversation, "later")
    assert baton.post_commands(reply(conversation, "fresh", "Alice has found it.", epoch=epoch))[0] == 202
    baton.until(lambda: spoken("Alice has found it.") in _said(conversation), "what the bot says in the new epoch")

    baton.until_quiet()
    said = " ".join(_said(conversation))
    assert "two days" not in said and "three days" not in said
    assert told_texts(baton.demo_bot.events(conversation)) == [spoken("Where is my parcel?")]


def _superseded(baton, conversation, command_id):
    (result,) = baton.until(lambda: results(baton.demo_bot.events(conversation), command_id), f"{command_id} to end")
    assert result["type"] == "command_superseded"
