"""What must be true when everything is over. Collected last; the last of all ends the deployment."""

import os
import subprocess
from collections import Counter
from pathlib import Path

from installation import FUNCTIONS, QUEUES
from people import CANARY
from processes import port_is_free


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
    people = ["Carla", "Erik", "carla@customer.example", "erik@customer2.example"]
    unspeakable = ["AccessDenied", "panicked", CANARY, *people, *baton.secrets(), *(s.removeprefix("whsec_") for s in baton.secrets())]
    found = [
        f"{function}: {line[:400]}"
        for function, log in logs.items()
        for line in log.splitlines()
        if any(word in line for word in unspeakable)
    ]
    assert not found, "\n".join(found)


def test_each_bot_was_told_of_its_own_workspace_only(baton):
    assert {event["conversation"]["intercom"]["app_id"] for event in baton.demo_bot.events()} == {"sandbox1"}
    strangers = [event for event in baton.queue_bot.events() if event["conversation"]["intercom"]["app_id"] != "sandbox2"]
    # A bot hears of a foreign conversation only that it may not speak there.
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
