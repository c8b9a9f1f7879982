"""The connections to Intercom are cut: every attempt of the functions is one request, and every reply is read once."""

import json
import re

from bots import of_type, reply
from wire import ARRIVES, CUTS

CONVERSATIONS = 6
REPLIES = 8
# How many cuts a reply meets at most.
MOST_CUTS = 2
PATIENCE_SECONDS = 180


def _attempts(baton, conversation):
    """How many requests the functions say they have made for a conversation's replies."""
    lines = [json.loads(line) for line in baton.log("bot-reply").splitlines() if line.startswith("{")]
    fields = [line.get("fields", line) | line for line in lines]
    ours = [line for line in fields if (line.get("app_id"), line.get("conversation_id")) == (conversation.app_id, conversation.id)]
    return sum(line["sent"] for line in ours if line["outcome"] in ("command", "wake") and "sent" in line)


def test_every_attempt_is_one_request_and_every_reply_is_read_once_whatever_is_cut(baton):
    tries = {}

    def fate(method, path, body):
        if method != "POST" or not path.endswith("/reply"):
            return "answered"
        number, conversation_id = re.search(rb"number (\d+) of (\d+)", body).groups()
        place = [one.id for one in begun].index(conversation_id.decode()) * REPLIES + int(number)
        attempt = tries[place] = tries.get(place, -1) + 1
        # None, one or two cuts for each reply in turn, and each kind of cut in turn.
        return CUTS[(place + attempt) % len(CUTS)] if attempt < place % (MOST_CUTS + 1) else "answered"

    begun = [baton.begin(baton.two, "Erik", "Tell me everything.") for _ in range(CONVERSATIONS)]
    for conversation in begun:
        conversation.goes_to_the_bot()
    baton.until(lambda: all(baton.queue_bot.events(one) for one in begun), "the bot to be told")
    baton.until_quiet()
    before = len(baton.wire.seen)
    resets_before = baton.wire.met_a_reset
    baton.wire.fate = fate
    try:
        for number in range(REPLIES):
            for conversation in begun:
                baton.put("Replies", conversation, reply(conversation, f"w{number}", f"number {number} of {conversation.id}"), f"{conversation.id}w{number}")

        def all_done():
            return all(len(of_type(baton.queue_bot.events(one), "command_done")) == REPLIES for one in begun)

        baton.until(all_done, "every reply to be done", seconds=PATIENCE_SECONDS)
        baton.until_quiet()
    finally:
        baton.wire.fate = None

    seen = baton.wire.seen[before:]
    for conversation in begun:
        said = [re.search(r"number (\d+)", entry["body"]).group(1) for entry in conversation.seen_of_bot()]
        assert said == [str(number) for number in range(REPLIES)], "each once, in order"
        path = f"/conversations/{conversation.id}/reply"
        passed = [request for request in seen if (request.method, request.path) == ("POST", path)]
        at_intercom = baton.requests_about(conversation, "POST", "/reply")
        assert len(at_intercom) == sum(ARRIVES[request.fate] for request in passed)
        broken_at_once = _attempts(baton, conversation) - len(passed)
        # An attempt that met a reset with its first bytes was never read to its end; no other may be missing.
        assert 0 <= broken_at_once <= baton.wire.met_a_reset - resets_before

    replies = [request for request in seen if request.path.endswith("/reply")]
    attempts = sum(_attempts(baton, conversation) for conversation in begun)
    resets = baton.wire.met_a_reset - resets_before
    assert len(replies) <= attempts <= len(replies) + resets
    assert {request.fate for request in replies} == set(ARRIVES), "every kind of cut was met"
    assert any(request.kept for request in seen), "connections were used again"
    assert len(replies) > CONVERSATIONS * REPLIES
