"""What was given up is listed, shown and put back with `baton dlq`, and is answered once."""

import json
import os
import subprocess
from contextlib import contextmanager

from aws import REGION, ROOT_KEY, ROOT_SECRET, request
from bots import of_type, reply, results, told_texts
from people import CANARY, spoken


def _dlq(baton, *arguments):
    """Runs `baton dlq` as an operator does: (whether it succeeded, what it said)."""
    environment = {
        "AWS_ACCESS_KEY_ID": ROOT_KEY, "AWS_SECRET_ACCESS_KEY": ROOT_SECRET, "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": baton.aws.url, "PATH": os.environ["PATH"],
    }  # fmt: skip
    command = [str(baton.binaries / "baton"), "dlq", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode == 0, done.stdout + done.stderr


def _ids(shown):
    """The ids of the letters in what `show` says."""
    return [line.split()[0] for line in shown.splitlines() if line and not line.startswith(" ")]


@contextmanager
def _given_up_after(baton, queue, tries):
    """Messages of a queue are given up after so many tries, where the template's number takes hours."""
    url = baton.outputs[f"{queue}QueueUrl"]
    policy = baton.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    hasty = json.dumps({**json.loads(policy), "maxReceiveCount": tries})
    baton.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": hasty})
    try:
        yield
    finally:
        baton.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})


def test_what_failed_while_intercom_was_down_is_put_back_and_answered_once(baton):
    conversation = baton.begin(baton.one, "Carla", "What are your opening hours?")
    path = f"/conversations/{conversation.id}"
    with _given_up_after(baton, "Inbox", 1):
        baton.fail_request("fail_before", "GET", path, times="always")
        conversation.goes_to_the_bot()
        baton.until(lambda: baton.depth("InboxDeadLetter") > 0, "its message to be given up", seconds=40)
        baton.until_quiet()
    assert baton.demo_bot.events(conversation) == []
    request("DELETE", f"{baton.control}/faults")

    fine, listed = _dlq(baton, "ls")
    assert fine and "failed each time it was tried" in listed, listed
    fine, shown = _dlq(baton, "show", "--queue", "inbox")
    ids = _ids(shown)
    assert fine and len(ids) == baton.depth("InboxDeadLetter"), shown
    assert f"{conversation.app_id}#{conversation.id}" in shown and "conversation-router" in shown
    assert CANARY not in listed + shown
    fine, said = _dlq(baton, "replay", "--dry-run", *ids)
    assert fine and baton.depth("InboxDeadLetter") == len(ids), said

    fine, said = _dlq(baton, "replay", *ids)
    assert fine, said
    baton.until(lambda: of_type(baton.demo_bot.events(conversation), "command_done"), "the answer to be done")
    baton.until_quiet()
    assert baton.depth("InboxDeadLetter") == 0
    (answer,) = conversation.seen_of_bot()
    assert "9:00" in answer["body"]
    assert told_texts(baton.demo_bot.events(conversation)) == [spoken("What are your opening hours?")]
    assert len(baton.requests_about(conversation, "POST", "/reply")) == 1


def test_a_poison_message_comes_back_and_a_command_beside_it_is_carried_out_once(baton):
    conversation = baton.begin(baton.two, "Erik", "Can you dance?")
    conversation.goes_to_the_bot()
    baton.until(lambda: baton.queue_bot.events(conversation), "the bot to be told")
    poison = json.dumps({"words": spoken("I am not a command.")})
    baton.put("Replies", conversation, poison, "poison")
    baton.until(lambda: baton.depth("RepliesDeadLetter") == 1, "it to be given up")
    # As if it had been given up too, together with one that comes a second time.
    for number in range(2):
        baton.put("RepliesDeadLetter", conversation, reply(conversation, "dance", "I can."), f"dance {number}")

    fine, shown = _dlq(baton, "show", "--queue", "replies")
    assert fine and "reason" in shown and "bot-reply" in shown and CANARY not in shown, shown
    fine, shown = _dlq(baton, "show", "--body", _ids(shown)[0])
    assert fine and spoken("I am not a command.") in shown and "a customer's words may be in it" in shown

    fine, said = _dlq(baton, "replay", "--all")
    assert fine and "replies: 3 put back" in said, said
    baton.until(lambda: results(baton.queue_bot.events(conversation), "dance"), "the command to be done")
    baton.until_quiet()
    assert [entry["body"] for entry in conversation.seen_of_bot()] == [spoken("I can.")]
    assert [event["type"] for event in results(baton.queue_bot.events(conversation), "dance")] == ["command_done"]
    fine, shown = _dlq(baton, "show")
    assert fine and len(_ids(shown)) == 1 and "and given up again" in shown, shown
    assert list(baton.take_dead_letters("Replies")) == [poison]


def test_what_is_not_there_is_said(baton):
    fine, said = _dlq(baton, "replay", "no-such-id")
    assert not fine and "no-such-id" in said
    fine, said = _dlq(baton, "ls", "--stack", "batton")
    assert not fine and "batton-inbox-dead-letter.fifo" in said
