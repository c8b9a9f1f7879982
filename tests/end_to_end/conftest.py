"""One deployment for the whole session; the tests of how it ends come last."""

import pytest

import installation
from console import Failure, failure
from run import part_from_the_caller

SCENARIOS = "test_scenarios.py"
LAST = "test_the_end.py"


@pytest.fixture(scope="session")
def baton():
    """A running deployment. Without one there is nothing to test, so the session ends."""
    part_from_the_caller()
    running = installation.Installation()
    try:
        running.start()
    except Failure as error:
        failure(error)
        pytest.exit(f"there is no deployment to test: {error}", returncode=1)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def what_a_failed_test_left_is_cleared(request, baton):
    """So that one failure is one failure: every test waits at its end until nothing is on its way.

    Scenarios are played beside each other; what they leave is cleared after the last of them.
    """
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before and request.path.name != SCENARIOS:
        baton.clear()


def pytest_collection_modifyitems(items):
    """What is true at the end is looked at when everything else is over. Scenarios move the clock, so they come late."""
    items.sort(key=lambda item: (item.path.name == LAST, item.path.name == SCENARIOS))
