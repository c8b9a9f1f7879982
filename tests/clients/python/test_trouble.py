"""What Intercom's client for Python makes of trouble: limits, faults, cut lines, slowness.

It repeats nothing unless `max_retries` says so, and counts from two there: 3 means one more try.
Repeating may send a message twice; these tests hold on to that, so that nobody relies on it.
"""

import asyncio
import itertools
import time

import httpx
import pytest
from intercom import AsyncIntercom, Intercom
from intercom.core import ApiError

CARLA = "65b0c0ffee0000000000c001"
ONE_MORE_TRY = {"max_retries": 3}


@pytest.fixture
def client(sandbox):
    return Intercom(token="clients-token", base_url=sandbox.url)


@pytest.fixture
def conversation(client):
    return client.conversations.create(from_={"type": "user", "id": CARLA}, body="Hello").conversation_id


def comment(body):
    return {"message_type": "comment", "type": "admin", "admin_id": "101", "body": body}


def said_in(client, conversation):
    found = client.conversations.find(conversation, display_as="plaintext")
    return [part.body for part in found.conversation_parts.conversation_parts]


def statuses(sandbox, path):
    """What the sandbox answered to requests for this path. None is a cut line."""
    return [one["status"] for one in sandbox.control("GET requests")["requests"] if path in one["path"]]


def test_without_a_version_the_app_decides_and_a_header_overrides_it(sandbox, client):
    def version_of(options):
        answer = client.teams.with_raw_response.list(request_options=options)
        return answer.headers["intercom-version"]

    assert version_of({}) == "2.15"
    for version in ["2.10", "2.11", "2.12", "2.13", "2.14", "2.16"]:
        assert version_of({"additional_headers": {"Intercom-Version": version}}) == version


def test_limits_are_told_with_every_answer(client):
    answer = client.teams.with_raw_response.find("201")
    assert answer.data.name == "Support"
    assert answer.headers["x-ratelimit-limit"] == "1666"
    assert answer.headers["x-ratelimit-remaining"] == "1665"
    assert int(answer.headers["x-ratelimit-reset"]) % 10 == 0


def test_over_the_limit_it_waits_until_the_window_ends_when_told_to_try_again(sandbox):
    small = Intercom(token="small-token", base_url=sandbox.url)
    # Six requests are to fit into one window, on a slow machine too.
    while time.time() % 10 > 3:
        time.sleep(0.1)
    for left in ["4", "3", "2", "1", "0"]:
        answer = small.admins.with_raw_response.list()
        assert answer.headers["x-ratelimit-remaining"] == left
    reset = int(answer.headers["x-ratelimit-reset"])
    with pytest.raises(ApiError) as failure:
        small.admins.list()
    assert failure.value.status_code == 429
    assert failure.value.body["errors"][0]["code"] == "rate_limit_exceeded"
    assert failure.value.headers["x-ratelimit-remaining"] == "0"
    assert len(small.admins.list(request_options=ONE_MORE_TRY).admins) == 1
    assert time.time() >= reset
    assert statuses(sandbox, "/admins") == [200] * 5 + [429, 429, 200]


def test_a_failure_is_the_callers_to_judge(sandbox, client, conversation):
    sandbox.control("POST faults", {"match": {"path_contains": "/reply"}, "fault": "fail_before", "status": 502})
    with pytest.raises(ApiError) as failure:
        client.conversations.reply(conversation, request=comment("Never"))
    assert failure.value.status_code == 502
    assert said_in(client, conversation) == []
    assert statuses(sandbox, "/reply") == [502]


def test_trap_a_stored_reply_that_is_tried_again_is_read_twice(sandbox, client, conversation):
    sandbox.control("POST faults", {"match": {"path_contains": "/reply"}, "fault": "fail_after", "status": 503})
    client.conversations.reply(conversation, request=comment("Twice"), request_options=ONE_MORE_TRY)
    assert said_in(client, conversation) == ["Twice", "Twice"]
    assert statuses(sandbox, "/reply") == [503, 200]


def test_trap_a_cut_line_is_an_error_though_the_reply_is_stored(sandbox, client, conversation):
    sandbox.control("POST faults", {"match": {"path_contains": "/reply"}, "fault": "disconnect_after"})
    with pytest.raises(httpx.RemoteProtocolError):
        client.conversations.reply(conversation, request=comment("Once"), request_options=ONE_MORE_TRY)
    assert said_in(client, conversation) == ["Once"]
    assert statuses(sandbox, "/reply") == [None]


def test_a_late_answer_is_a_timeout(sandbox, client, conversation):
    sandbox.control("POST faults", {"match": {"path_contains": "/conversations/"}, "fault": "delay", "delay_ms": 5000})
    asked = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        client.conversations.find(conversation, request_options={"timeout_in_seconds": 1})
    assert time.monotonic() - asked < 4
    assert client.conversations.find(conversation).id == conversation


@pytest.mark.parametrize("fault", ["delay", "delay_after"])
def test_trap_a_reply_that_is_answered_too_late_is_stored_all_the_same(sandbox, client, conversation, fault):
    sandbox.control("POST faults", {"match": {"path_contains": "/reply"}, "fault": fault, "delay_ms": 1500})
    with pytest.raises(httpx.ReadTimeout):
        client.conversations.reply(conversation, request=comment("Once"), request_options={"timeout_in_seconds": 1})
    until = time.monotonic() + 10
    while not statuses(sandbox, "/reply"):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert said_in(client, conversation) == ["Once"]


def test_trap_the_iterator_of_a_search_has_the_first_page_again_and_again(sandbox, client):
    for n in range(3):
        client.conversations.create(from_={"type": "user", "id": CARLA}, body=f"Number {n}")
    query = {"field": "open", "operator": "=", "value": "true"}
    found = client.conversations.search(query=query, pagination={"per_page": 1})
    first = [one.id for one in itertools.islice(found, 5)]
    assert found.response.total_count == 3
    assert first == [first[0]] * 5
    second = {"per_page": 1, "starting_after": found.response.pages.next.starting_after}
    assert client.conversations.search(query=query, pagination=second).items[0].id != first[0]


def test_the_asynchronous_client_reads_all_pages_as_well(sandbox):
    async def everything():
        client = AsyncIntercom(token="clients-token", base_url=sandbox.url)
        bodies = [f"Number {n}" for n in range(5)]
        await asyncio.gather(
            *(client.conversations.create(from_={"type": "user", "id": CARLA}, body=body) for body in bodies)
        )
        pages = await client.conversations.list(per_page=2)
        return bodies, [one.source.body async for one in pages]

    bodies, found = asyncio.run(everything())
    assert sorted(found) == [f"<p>{body}</p>" for body in bodies]
