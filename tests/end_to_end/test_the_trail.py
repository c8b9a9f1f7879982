"""What the functions did is shown beside what Intercom saw: the way from their logs to the sandbox's timeline."""

from aws import get_json
from people import CANARY
from test_transfer import Chat
from trail import Trail


def _timeline(baton, conversation):
    trail = Trail(baton.aws, baton.one.api_url)
    trail.bring()
    url = f"{baton.one.api_url}/_sandbox/{conversation.app_id}/conversations/{conversation.id}/timeline"
    return get_json(url)["entries"]


def test_a_conversations_timeline_has_webhook_decision_and_send_with_owner_row_and_reason(baton):
    conversation = baton.begin(baton.one, "Carla", "When are you open?")
    conversation.goes_to_the_bot()
    baton.until(conversation.seen_of_bot, "the bot's answer")
    conversation.teammate_writes("I am with you now.")
    conversation.customer_writes("And on Sunday?")
    baton.until_quiet()
    entries = _timeline(baton, conversation)
    assert {"webhook", "step", "request"} <= {entry["kind"] for entry in entries}
    steps = [entry for entry in entries if entry["kind"] == "step"]
    assert {"webhook-ingress", "conversation-router", "bot-dispatch", "bot-reply"} <= {step["function"] for step in steps}
    (taken,) = [step for step in steps if "bot_takes" in step.get("decisions", [])]
    assert (taken["owner"], taken["queue"]) == ("bot", "inbox.fifo")
    assert taken["row"] == {"key": f"{conversation.app_id}#{conversation.id}", "version": 1}
    assert taken["told"] == "message 1"
    sent = [step for step in steps if step.get("to_do") == "reply 1"]
    assert [step["function"] for step in sent] == ["bot-reply"]
    assert "a teammate has spoken" in {step.get("silent_because") for step in steps}
    assert steps == sorted(steps, key=lambda step: step["at_ms"])
    assert CANARY not in str(steps) and "Sunday" not in str(steps)


def test_a_chats_timeline_begins_before_there_is_a_conversation(baton):
    chat = Chat(baton, name="Erika")
    chat.is_given_to_people()
    baton.until_quiet()
    trail = Trail(baton.aws, baton.two.api_url)
    trail.bring()
    url = f"{chat.url}/timeline"
    steps = [entry for entry in get_json(url)["entries"] if entry["kind"] == "step"]
    decided = [step for step in steps if step["outcome"] == "decided"]
    assert "transfer_starts" in str(decided[0]["decisions"])
    assert decided[0]["row"]["key"].startswith(f"{chat.app_id}#session:")
    assert any("begin" in (step.get("settled") or "") for step in decided)
    assert CANARY not in str(steps)


def test_what_was_brought_is_not_brought_again(baton):
    baton.until_quiet()
    trail = Trail(baton.aws, baton.one.api_url)
    assert trail.bring() > 0
    assert trail.bring() == 0
