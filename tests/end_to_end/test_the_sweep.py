"""What is lost between a save and a queue is found by `reconcile`, which a schedule rings."""

from bots import told_texts
from people import spoken


def test_the_sweep_has_a_schedule(baton):
    events = baton.aws.client("events")
    (rule,) = events.list_rules()["Rules"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"].endswith(":baton-reconcile")


def test_a_sweep_with_nothing_to_do_does_nothing(baton):
    baton.until_quiet()
    assert baton.invoke("reconcile", {}) == (False, None)


def test_what_intercom_never_told_is_found_by_searching_it(baton):
    assert baton.invoke("reconcile", {}) == (False, None)  # from here on, what changes is searched
    conversation = baton.begin(baton.one, "Carla", "Does anybody hear me?")
    baton.fail_webhook("drop", "conversation.admin.assigned")
    baton.fail_webhook("drop", "conversation.admin.open.assigned")
    conversation.goes_to_the_bot()
    baton.until_quiet()
    assert not conversation.seen_of_bot()
    assert baton.invoke("reconcile", {}) == (False, None)
    baton.until(conversation.seen_of_bot, "the bot's answer, though no webhook told of the assignment")
    baton.until_quiet()
    assert told_texts(baton.demo_bot.events(conversation)) == [spoken("Does anybody hear me?")]
    assert baton.invoke("reconcile", {}) == (False, None)
    baton.until_quiet()
    assert len(conversation.seen_of_bot()) == 1
    assert '"outcome":"customers_waiting"' in baton.log("reconcile")


def test_an_event_that_was_lost_in_its_queue_reaches_the_bot_after_a_sweep(baton):
    conversation = baton.begin(baton.two, "Erik", "Is anybody there?")
    baton.until_quiet()
    with baton.resting("bot-dispatch"):
        conversation.goes_to_the_bot()
        baton.until(lambda: baton.depth("BotEvents"), "the event to wait in its queue")
        baton.sqs.purge_queue(QueueUrl=baton.outputs["BotEventsQueueUrl"])
    assert baton.invoke("reconcile", {}) == (False, None)
    baton.until(lambda: baton.queue_bot.events(conversation), "the bot to be told after all")
    baton.until_quiet()
    assert told_texts(baton.queue_bot.events(conversation)) == [spoken("Is anybody there?")]
