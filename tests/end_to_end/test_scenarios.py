"""The sandbox's scenarios, each by its name, with the real functions and the demo bot.

The sandbox plays them and judges. Those that can be are played beside each other, as the local AWS
leaves much time in between; the others, which touch more than their own conversations, afterwards.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from aws import get_json, request
from installation import ROOT

DIRECTORY = ROOT / "infra" / "sandbox" / "scenarios"
BESIDE_EACH_OTHER = 16
# Far longer than any of them takes: the sandbox itself gives up much earlier, and says why.
GIVE_UP_SECONDS = 300


TEXTS = {path.stem: path.read_text() for path in DIRECTORY.glob("*.toml")}
ALONE = {name: "\nalone = true\n" in text for name, text in TEXTS.items()}


def _turn(name):
    """Those that have to wait for long begin first, those that play alone come last."""
    waits = [int(seconds) for seconds in re.findall(r"within = (\d+)", TEXTS[name])]
    return ALONE[name], -max(waits, default=0), name


NAMES = sorted(TEXTS, key=_turn)


class Stage:
    """Plays scenarios in the sandbox of an installation."""

    def __init__(self, baton, names):
        self._baton = baton
        self._pool = ThreadPoolExecutor(BESIDE_EACH_OTHER)
        self._under_way = {name: self._pool.submit(self._play, name) for name in names if not ALONE[name]}

    def play(self, name):
        """How the run of a scenario ended."""
        if ALONE[name]:
            self.wait()
            return self._play(name)
        return self._under_way[name].result()

    def wait(self):
        """Until nothing is played any more."""
        for playing in self._under_way.values():
            playing.exception()

    def _play(self, name):
        status, answer = request("POST", f"{self._baton.control}/{self._baton.one.app_id}/scenarios/{name}")
        assert status == 200, answer
        run = f"{self._baton.control}/scenario-runs/{json.loads(answer)['run']}"
        over = lambda: (now := get_json(run))["outcome"] != "running" and now
        return self._baton.until(over, f"the scenario {name} to end", GIVE_UP_SECONDS)


@pytest.fixture(scope="module")
def stage(request, baton):
    wanted = {item.callspec.params["name"] for item in request.session.items if item.path == request.path}
    stage = Stage(baton, [name for name in NAMES if name in wanted])
    failed_before = request.session.testsfailed
    yield stage
    stage.wait()
    if request.session.testsfailed > failed_before:
        baton.clear()


@pytest.mark.parametrize("name", NAMES)
def test_scenario(stage, name):
    run = stage.play(name)
    steps = "\n".join(f"{step['at_ms']:>7} {step['outcome']} {step['step']} {step['detail'] or ''}" for step in run["steps"])
    assert run["outcome"] == "passed", f"in conversation {run['conversation_id']}:\n{steps}"
