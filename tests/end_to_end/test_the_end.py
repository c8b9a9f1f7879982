"""What must be true when everything is over. Collected last; the last of all ends the deployment."""

import base64
import json
import os
import subprocess
from collections import Counter
from pathlib import Path

from installation import FUNCTIONS, QUEUES
from people import CANARY
from processes import port_is_free
from stack import STACK


def test_every_queue_is_empty_and_so_is_every_dead_letter_queue(baton):
    baton.until_quiet()
    depths = {name: baton.depth(name) for queue in QUEUES for name in (queue, f"{queue}DeadLetter")}
    assert depths == dict.fromkeys(depths, 0)


def test_every_webhook_was_answered_with_200(baton):
    # What befalls those of the scenarios is theirs to judge.
    ours = {None, *((conversation.app_id, conversation.id) for conversation in baton.conversations)}
    deliveries = [d for d in baton.deliveries() if (d["conversation_id"] and (d["app_id"], d["conversation_id"])) in ours]
    answers = Counter((delivery["status"], delivery["problem"]) for delivery in deliveries)
    dropped = answers.pop((None, "dropped: by a fault"), 0)
    assert dropped == baton.drops_asked
    assert list(answers) == [(200, None)]


def test_no_log_tells_a_secret_or_a_word_and_nothing_was_denied(baton):
    logs = {function: baton.log(function) for function in FUNCTIONS}
    assert all("END RequestId" in log for log in logs.values()), "a function was never invoked"
    logs["the attributes of dead letters"] = "\n".join(baton.reasons)
    assert baton.reasons, "nothing was ever parked"
    unspeakable = ["AccessDenied", "panicked", *_marks(baton)]
    found = [
        f"{function}: {line[:400]}"
        for function, log in logs.items()
        for line in log.splitlines()
        if any(word in line for word in unspeakable)
    ]
    assert not found, "\n".join(found)


def test_access_tokens_are_in_no_functions_configuration_and_sealed_in_the_table(baton):
    functions = baton.aws.client("lambda")
    for function in FUNCTIONS:
        configuration = json.dumps(functions.get_function_configuration(FunctionName=f"{STACK}-{function}"), default=str)
        assert not any(token in configuration for token in baton.tokens()), function
    pages = baton.aws.client("dynamodb").get_paginator("scan").paginate(TableName=baton.outputs["TableName"])
    rows = [row for page in pages for row in page["Items"]]
    sealed = {row["pk"]["S"]: row["sealed"]["B"] for row in rows if row["sk"]["S"] == "TOKEN"}
    assert set(sealed) == {"sandbox1", "sandbox2"} and all(len(blob) > 60 for blob in sealed.values())
    shown = repr(rows)
    assert not any(token in shown or base64.b64encode(token.encode()).decode() in shown for token in baton.tokens())


def test_baton_token_tells_who_has_one_and_refuses_anothers(baton):
    status, said, problem = baton.token("ls")
    assert (status, len(said.splitlines()), problem) == (0, 2, "")
    assert all(f"sandbox{n}: token 1, since 20" in said for n in (1, 2))
    status, said, problem = baton.token("put", "sandbox1", token=baton.two.access_token)
    assert status == 1 and "the token is workspace sandbox2's, so nothing was put" in problem
    status, _, revoked = baton.token("put", "sandbox1", token=f"{CANARY}-revoked")
    assert status == 1 and "401" in revoked
    status, _, unknown = baton.token("put", "sandbox9", token=baton.one.access_token)
    assert status == 1 and "they have sandbox1, sandbox2" in unknown
    assert "token 1, " in baton.token("ls")[1], "nothing was put"
    status, again, _ = baton.token("put", "sandbox1", token=baton.one.access_token)
    assert (status, "token 2 is put" in again) == (0, True)
    everything = said + problem + revoked + unknown + again
    assert not any(mark in everything for mark in _marks(baton))


def _marks(baton):
    """What may stand nowhere that an operator reads."""
    people = ["Carla", "Erik", "carla@customer.example", "erik@customer2.example"]
    return [CANARY, *people, *baton.secrets(), *(secret.removeprefix("whsec_") for secret in baton.secrets())]


def test_each_bot_was_told_of_its_own_workspace_only(baton):
    # A chat of the bot's own that is not opened has no conversation yet.
    app_of = lambda event: (event.get("session") or event["conversation"]["intercom"])["app_id"]
    # A bot hears of a foreign conversation, or of a chat that it has not begun, only that it may not speak there.
    strangers = [event for event in baton.demo_bot.events() if app_of(event) != "sandbox1"]
    assert all(event["type"] == "command_rejected" for event in strangers), strangers
    strangers = [event for event in baton.queue_bot.events() if app_of(event) != "sandbox2"]
    assert [event["data"]["code"] for event in strangers] == ["unknown_conversation"]


def test_nothing_is_left_running(baton):
    started = _descendants(os.getpid())
    # The guard, the local AWS, the demo bot, the sandbox, and the functions below the local AWS.
    assert len(started) >= 4 + len(FUNCTIONS)
    assert not any(map(port_is_free, baton.ports))
    baton.stop()
    assert started.isdisjoint(_processes())
    assert all(map(port_is_free, baton.ports))


def _descendants(ancestor):
    """The processes below one, as (id, start time), so that an id that is used again is not mistaken."""
    table = _processes()
    family = set()
    parents = {ancestor}
    while parents:
        children = {process for process, parent in table.items() if parent in parents} - family
        family |= children
        parents = {id for id, _ in children}
    return family


def _processes():
    """Every process that runs: (id, start time) to its parent's id."""
    table = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            table[int(stat.parent.name), fields[19]] = int(fields[1])
    if not table:  # not Linux
        shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,lstart="], capture_output=True, check=True, text=True).stdout
        for line in shown.splitlines():
            id, parent, start = line.split(maxsplit=2)
            table[int(id), start] = int(parent)
    return table
