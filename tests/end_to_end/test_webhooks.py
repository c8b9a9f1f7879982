"""Webhooks that come twice, late, never, or from somebody else."""

import time

from bots import told_texts
from installation import PREVIOUS_CLIENT_SECRET
from people import spoken

REPLIED = "conversation.user.replied"


def _begin(baton, body):
    """A conversation that the demo bot has and has answered, with nothing on its way."""
    conversation = baton.begin(baton.one, "Carla", body)
    conversation.goes_to_the_bot()
    baton.until(conversation.seen_of_bot, "the bot's own answer")
    baton.until_quiet()
    return conversation


def _told(baton, conversation):
    return told_texts(baton.demo_bot.events(conversation))


def _expect_told(baton, conversation, *texts):
    """The bot is told these, in this order, each once, and answers each once; its events have no gap."""
    texts = [spoken(text) for text in texts]
    baton.until(lambda: len(_told(baton, conversation)) >= len(texts), "the bot to be told everything")
    baton.until_quiet()
    assert _told(baton, conversation) == texts
    assert len(conversation.seen_of_bot()) == len(texts)
    events = baton.demo_bot.events(conversation)
    assert [(event["prev_seq"], event["seq"]) for event in events] == [(n, n + 1) for n in range(len(events))]


def _replied(baton, conversation):
    """How the webhooks about the customer's replies went."""
    of_it = [d for d in baton.deliveries() if (d["app_id"], d["conversation_id"]) == (conversation.app_id, conversation.id)]
    return [delivery for delivery in of_it if delivery["topic"] == REPLIED]


def _answers(baton, conversation):
    return [delivery["status"] for delivery in _replied(baton, conversation)]


def test_webhooks_that_come_twice_count_once(baton):
    conversation = _begin(baton, "Zero")
    baton.fail_webhook("repeat", REPLIED, times=3)
    for text in ("One", "Two", "Three"):
        conversation.customer_writes(text)
    baton.until(lambda: _answers(baton, conversation) == [200] * 6, "each webhook to be taken twice")
    _expect_told(baton, conversation, "Zero", "One", "Two", "Three")


def test_a_webhook_that_is_overtaken_changes_no_order(baton):
    conversation = _begin(baton, "Zero")
    baton.fail_webhook("delay", REPLIED, delay_ms=1_500)
    conversation.customer_writes("One")
    conversation.customer_writes("Two")
    _expect_told(baton, conversation, "Zero", "One", "Two")
    sent = [delivery["notification_id"] for delivery in _replied(baton, conversation)]
    assert sent == conversation.notifications(REPLIED)[::-1], "the first was to come last"


def test_a_webhook_that_never_comes_is_made_good_by_the_next(baton):
    conversation = _begin(baton, "Zero")
    baton.fail_webhook("drop", REPLIED, times=2)
    for text in ("One", "Two", "Three"):
        conversation.customer_writes(text)
    _expect_told(baton, conversation, "Zero", "One", "Two", "Three")
    assert _answers(baton, conversation) == [None, None, 200]


def _notification(baton, conversation_id):
    """A notification without details, as Intercom writes it."""
    now = int(time.time())
    item = {"type": "conversation", "id": conversation_id}
    return {
        "type": "notification_event", "id": f"notif_{time.time_ns()}", "topic": REPLIED, "app_id": baton.one.app_id,
        "data": {"type": "notification_event_data", "item": item}, "links": {}, "delivery_attempts": 1,
        "first_sent_at": now, "created_at": now, "delivered_at": 0, "self": None,
    }  # fmt: skip


def test_only_the_present_and_the_previous_secret_sign(baton):
    conversation = _begin(baton, "Zero")
    baton.fail_webhook("drop", REPLIED)
    conversation.customer_writes("One")
    # Not of our address, so that they would show in the router's log were they enqueued.
    forged = {"other": "990001", "second workspace's": "990002"}
    assert baton.post_webhook(_notification(baton, forged["other"]), "no-secret-of-ours") == 401
    assert baton.post_webhook(_notification(baton, forged["second workspace's"]), baton.two.client_secret) == 401
    assert baton.call("POST", f"/intercom/{baton.one.webhook_path}", b"{}")[0] == 401
    assert baton.post_webhook(_notification(baton, "990003"), baton.one.client_secret) == 200
    assert _told(baton, conversation) == [spoken("Zero")]
    assert baton.post_webhook(_notification(baton, conversation.id), PREVIOUS_CLIENT_SECRET) == 200
    _expect_told(baton, conversation, "Zero", "One")
    log = baton.log("conversation-router") + baton.log("webhook-ingress")
    assert '"990003"' in log
    assert not any(id in log for id in forged.values())


def test_a_notification_of_another_workspace_is_refused_at_this_address(baton):
    notification = _notification(baton, "990004") | {"app_id": baton.two.app_id}
    assert baton.post_webhook(notification, baton.one.client_secret) == 401
    baton.until_quiet()
    assert "990004" not in baton.log("conversation-router")


def test_the_public_address_has_nothing_else(baton):
    path = f"/intercom/{baton.one.webhook_path}"
    assert baton.call("HEAD", path)[0] == 200
    for method, elsewhere in (
        ("GET", path), ("PUT", path), ("DELETE", path), ("HEAD", "/intercom/unknown-path"), ("POST", "/intercom/unknown-path"),
        ("POST", "/intercom"), ("POST", f"{path}/more"), ("GET", "/bots/demo/commands"), ("POST", "/bots/demo"), ("GET", "/"),
    ):  # fmt: skip
        assert baton.call(method, elsewhere)[0] == 404, f"{method} {elsewhere}"
