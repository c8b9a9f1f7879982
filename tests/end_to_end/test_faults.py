"""Intercom fails in the middle of a send: what the bot says appears once, soon, and is reported once."""

import time

import pytest
from bots import command, of_type, reply
from people import spoken

# Intercom deals out its rate limit in windows of this length.
WINDOW_SECONDS = 10
# The queue itself would hide a message for three minutes, and a sweep comes each minute; whoever waited for
# either comes too late. A second is to be waited in any case; the rest is for a slow machine.
SOON_SECONDS = 40
# Time enough for a customer's message to reach the bot.
CLOSE_TAKES_MS = 4_000

UNKNOWN = [("fail_after", [503]), ("disconnect_after", [None])]


def _ask(baton, fault, **expected):
    """A customer asks, and the bot's answer meets a fault; what the requests for it were answered."""
    conversation = baton.begin(baton.one, "Carla", "What are your opening hours?")
    baton.fail_request(fault, "POST", f"/conversations/{conversation.id}/reply")
    conversation.goes_to_the_bot()
    baton.until(lambda: of_type(baton.demo_bot.events(conversation), "command_done"), "the answer to be done", **expected)
    baton.until_quiet()
    (said,) = conversation.seen_of_bot()
    assert "9:00" in said["body"]
    (done,) = of_type(baton.demo_bot.events(conversation), "command_done")
    assert done["data"]["part_id"] == said["id"]
    assert len(of_type(baton.demo_bot.events(conversation), "command_rejected", "command_superseded")) == 0
    sends = baton.requests_about(conversation, "POST", "/reply")
    read_back = [entry for entry in baton.requests_about(conversation, "GET") if entry["n"] > sends[0]["n"]]
    return said, [entry["status"] for entry in sends], len(read_back)


@pytest.mark.parametrize(("fault", "statuses"), UNKNOWN)
def test_a_send_that_arrived_without_an_answer_is_not_repeated(baton, fault, statuses):
    _, answered, _ = _ask(baton, fault, seconds=SOON_SECONDS)
    assert answered == statuses


@pytest.mark.parametrize(("fault", "statuses"), UNKNOWN)
def test_a_send_that_arrived_without_an_answer_and_without_an_echo_is_read_back(baton, fault, statuses):
    baton.fail_webhook("drop", "conversation.admin.replied")
    _, answered, read_back = _ask(baton, fault, seconds=SOON_SECONDS)
    assert answered == statuses
    assert read_back > 0


def test_a_send_that_did_not_arrive_is_sent_again_after_a_look(baton):
    _, answered, read_back = _ask(baton, "fail_before", seconds=SOON_SECONDS)
    assert answered == [503, 200]
    assert read_back > 0


def test_a_send_over_the_rate_limit_is_sent_when_the_window_ends(baton):
    window_ends = (int(time.time()) // WINDOW_SECONDS + 1) * WINDOW_SECONDS
    said, answered, _ = _ask(baton, "rate_limit", seconds=WINDOW_SECONDS + SOON_SECONDS)
    assert answered == [429, 200]
    assert said["created_at"] >= window_ends


def test_a_close_on_its_own_queue_waits_for_a_reply_in_doubt(baton):
    conversation = baton.begin(baton.two, "Erik", "That was all.")
    conversation.goes_to_the_bot()
    baton.until(lambda: baton.queue_bot.events(conversation), "the bot to be told")
    baton.fail_request("fail_before", "POST", f"/conversations/{conversation.id}/reply")
    baton.put("Replies", conversation, reply(conversation, "last", "Goodbye."), "last")
    baton.until(lambda: baton.requests_about(conversation, "POST", "/reply"), "the reply to fail")
    baton.put("Close", conversation, command(conversation, "bye", "close", {"reason": spoken("Closed.")}), "bye")
    baton.until(lambda: conversation.state() == "closed", "the conversation to be closed", seconds=SOON_SECONDS)
    assert [entry["body"] for entry in conversation.seen_of_bot()] == [spoken("Goodbye."), spoken("Closed.")]
    baton.until_quiet()
    done = of_type(baton.queue_bot.events(conversation), "command_done")
    assert [event["data"]["command_id"] for event in done] == ["last", "bye"]


def test_a_customer_who_writes_while_the_close_is_under_way_is_answered(baton):
    conversation = baton.begin(baton.one, "Carla", "Hello.")
    conversation.goes_to_the_bot()
    baton.until(conversation.seen_of_bot, "the bot's own answer")
    baton.until_quiet()
    baton.fail_request("delay", "POST", f"/conversations/{conversation.id}/parts", delay_ms=CLOSE_TAKES_MS)
    looked = len(baton.requests_about(conversation, "GET"))
    conversation.customer_writes("Thanks")
    baton.until(lambda: len(baton.requests_about(conversation, "GET")) > looked, "the close to begin with a look")
    conversation.customer_writes("One thing more: what are your prices?")
    baton.until(lambda: len(of_type(baton.demo_bot.events(conversation), "message")) == 3, "the bot to be told of it")
    assert conversation.state() == "open", "the close was to be still under way"
    baton.until_quiet()
    assert ["closing" in entry["body"] for entry in conversation.seen_of_bot()] == [False, True, False]
    assert "Plans" in conversation.seen()[-1]["body"]
    assert conversation.state() == "open"
    events = baton.demo_bot.events(conversation)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len(of_type(events, "command_done")) == 3
    assert of_type(events, "closed", "command_superseded", "command_rejected") == []
