"""More answers at once than Intercom takes: its real limits, windows of ten seconds, in the sandbox."""

import time

from aws import request
from bots import of_type, reply
from people import spoken

CALLS_A_WINDOW = 30
CONVERSATIONS = 8
REPLIES = 8
# Sixty-four answers are more than two windows; what waits comes within the first seconds of the next.
DRAINED_SECONDS = 90


def _limit(baton, calls_per_minute):
    status, answer = request("POST", f"{baton.control}/{baton.two.app_id}/limits", {"calls_per_minute": calls_per_minute})
    assert status == 200, answer


def test_a_rush_over_the_limit_waits_for_its_windows_and_is_said_once_in_order(baton):
    conversations = [baton.begin(baton.two, "Erik", f"Question {number}") for number in range(CONVERSATIONS)]
    for conversation in conversations:
        conversation.goes_to_the_bot()
    for conversation in conversations:
        baton.until(lambda it=conversation: baton.queue_bot.events(it), "the bot to be told")
    baton.until_quiet()
    before = max(entry["n"] for entry in baton.requests())
    _limit(baton, CALLS_A_WINDOW * 6)
    began = time.time()
    try:
        for number in range(REPLIES):
            for conversation in conversations:
                baton.put("Replies", conversation, reply(conversation, f"r{number}", f"Answer {number}", epoch=1), f"{began}{number}")
        expected = [spoken(f"Answer {number}") for number in range(REPLIES)]
        said = lambda it: [entry["body"] for entry in it.seen_of_bot()]
        for conversation in conversations:
            baton.until(lambda it=conversation: said(it) == expected, "every answer to be said", seconds=DRAINED_SECONDS)
    finally:
        _limit(baton, 10_000)
    assert time.time() - began > 10, "it was to need more than one window"
    baton.until_quiet()
    for conversation in conversations:
        assert said(conversation) == expected
        done = of_type(baton.queue_bot.events(conversation), "command_done")
        assert [event["data"]["command_id"] for event in done] == [f"r{number}" for number in range(REPLIES)]
        assert of_type(baton.queue_bot.events(conversation), "command_rejected", "command_superseded") == []
    calls = [entry for entry in baton.requests() if entry["n"] > before and entry["app_id"] == baton.two.app_id]
    limited = [entry for entry in calls if entry["status"] == 429]
    # A few may be under way when the first learns that half of the window is gone.
    assert len(limited) * 10 <= len(calls), f"{len(limited)} of {len(calls)} answers are 429"
    assert baton.take_dead_letters("Replies") == {}
