"""The demo bot's own chats, with a stand-in for Baton: what it asks for, and what it shows."""

import json
import time
import urllib.error
import urllib.request

import pytest

from fake_baton import ALICE, BOB, FakeBaton, call, said, until


@pytest.fixture(scope="module")
def baton():
    baton = FakeBaton()
    yield baton
    baton.end()


@pytest.fixture(autouse=True)
def anew(baton):
    baton.commands.clear()
    baton.fail.clear()


class Talk:
    """A customer in a chat."""

    def __init__(self, baton, channel="web", **customer):
        self._baton = baton
        self.id = baton.window("POST", "/sessions", {"channel": channel, "customer": customer})["id"]

    def writes(self, text="", **more):
        return self._baton.window("POST", f"/sessions/{self.id}/messages", {"text": text, **more})["n"]

    def hears(self, kind, **data):
        assert self._baton.tell(self.id, kind, data) == 200

    def shown(self):
        return self._baton.window("GET", f"/sessions/{self.id}")

    def lines(self):
        return [(one["from"], one["text"]) for one in self.shown()["messages"]]

    def is_handed_over(self, words="I want to talk to a human"):
        self.writes(words)
        start = self._baton.command(0, "transfer_start")
        self.hears("handover_waiting", team_id="500001")
        self.hears("agent_joined", agent=ALICE)
        return start


def test_the_bot_answers_by_itself_and_asks_nobody(baton):
    talk = Talk(baton, name="Ines Hall")
    talk.writes("What are your opening hours?")
    assert [line[0] for line in talk.lines()] == ["bot", "customer", "bot"]
    assert talk.lines()[0][1].startswith("Hi Ines!")
    assert "9:00" in talk.lines()[2][1]
    assert talk.shown()["state"] == "bot"
    assert baton.commands == []


def test_a_transfer_says_who_it_is_what_was_said_and_why(baton):
    talk = Talk(baton, channel="whatsapp", phone="+49301234", name="Ines")
    talk.writes("Where is order 55120?")
    talk.writes("Get me a human", files=[{"sample": "photo.png"}])
    start = baton.command(0, "transfer_start")
    assert start["session"] == {"app_id": "sandbox1", "id": talk.id}
    data = start["data"]
    assert (data["channel"], data["customer"]) == ("whatsapp", {"phone": "+49301234", "name": "Ines"})
    assert data["text"] == "Get me a human"
    assert [one["name"] for one in data["attachments"]] == ["photo.png"]
    told = [(one["author"], one["text"]) for one in data["transcript"]]
    assert told[1] == ("customer", "Where is order 55120?")
    assert {author for author, _ in told} == {"bot", "customer"}
    assert "Get me a human" not in [text for _, text in told[:-1]]
    assert data["data"] == {"Order number": "55120"}
    assert data["attributes"]["Order number"] == "55120"
    assert talk.shown()["state"] == "asked"


def test_both_directions_are_passed_on_until_the_teammate_closes(baton):
    talk = Talk(baton)
    talk.is_handed_over()
    talk.writes("Are you there?")
    message = baton.command(1, "transfer_message")
    assert message["data"]["text"] == "Are you there?"
    talk.hears("command_done", command_id=message["id"], part_id="p1")
    talk.hears("agent_message", message=said("**Yes**", "p2", files=[{"url": "http://127.0.0.1/a", "name": "a.pdf"}]))
    shown = talk.shown()
    assert (shown["state"], shown["agent"], shown["conversation_id"]) == ("human", ALICE, "4711")
    mine, theirs = shown["messages"][-2:]
    assert (mine["delivery"], mine["part_id"]) == ("sent", "p1")
    assert (theirs["from"], theirs["name"], theirs["avatar"], theirs["markdown"]) == ("teammate", "Alice", ALICE["avatar"], "**Yes**")
    assert theirs["files"][0]["name"] == "a.pdf"

    talk.hears("closed", by="people", stretch=[said("Are you there?", "p1", "customer", None), said("Yes", "p2")])
    assert talk.shown()["state"] == "bot"
    assert "Welcome back! Alice told you: “Yes”" in talk.lines()[-1][1]
    talk.writes("what was said?")
    assert "- You: Are you there?\n- Alice: Yes" in talk.lines()[-1][1]
    assert len(baton.commands) == 2


def test_a_second_transfer_tells_only_what_is_new(baton):
    talk = Talk(baton)
    talk.writes("Do you ship?")
    talk.is_handed_over()
    talk.hears("closed", by="people", stretch=[])
    talk.writes("And the prices?")
    talk.writes("A human, please")
    second = baton.command(1, "transfer_start")
    told = [one["text"] for one in second["data"]["transcript"]]
    assert "And the prices?" in told
    assert "Do you ship?" not in told


def test_teammates_come_and_go(baton):
    talk = Talk(baton)
    talk.is_handed_over()
    talk.hears("agent_changed", agent=BOB, former=ALICE)
    assert talk.shown()["agent"]["name"] == "Bob"
    talk.hears("agent_left", agent=BOB)
    assert (talk.shown()["state"], talk.shown()["agent"]) == ("waiting", None)
    talk.hears("agent_joined", agent=ALICE)
    talk.hears("rated", rating=4, remark=None)
    events = [text for author, text in talk.lines() if author == "event"]
    assert events[-3:] == [
        "Bob left the chat. Another colleague will be with you soon.", "Alice joined the chat.", "You rated the talk 4 of 5.",
    ]  # fmt: skip


@pytest.mark.parametrize(("code", "words"), [("unmapped_channel", "Kiosk"), ("unavailable", "open at 9:00"), ("contact_blocked", "open at 9:00")])
def test_a_refusal_offers_something_else(baton, code, words):
    talk = Talk(baton, channel="kiosk")
    talk.writes("human")
    start = baton.command(0, "transfer_start")
    talk.hears("command_rejected", command_id=start["id"], code=code, message="We open at 9:00.")
    shown = talk.shown()
    assert shown["state"] == "bot"
    assert words in shown["messages"][-2]["text"]
    labels = [one["label"] for one in shown["messages"][-1]["options"]]
    assert labels == ["Leave a message", "Go on with you"]
    talk.writes("Leave a message", choice={"value": "leave-a-message"})
    talk.writes("Call me back, human!")
    assert "written it down" in talk.lines()[-1][1]
    assert len(baton.commands) == 1


def test_what_came_too_late_for_people_is_answered_by_the_bot(baton):
    talk = Talk(baton)
    talk.is_handed_over()
    talk.writes("What are your hours?")
    late = baton.command(1, "transfer_message")
    talk.hears("closed", by="people", stretch=[])
    talk.hears("command_superseded", command_id=late["id"], by="turn")
    assert "9:00" in talk.lines()[-1][1]


def test_the_customer_ends_the_talk_and_then_the_chat(baton):
    talk = Talk(baton)
    talk.is_handed_over()
    baton.window("POST", f"/sessions/{talk.id}/end")
    baton.command(1, "transfer_end")
    talk.hears("closed", by="customer", stretch=[])
    assert talk.shown()["state"] == "bot"
    baton.window("POST", f"/sessions/{talk.id}/end")
    assert talk.shown()["state"] == "ended"
    talk.writes("One thing more: prices?")
    assert talk.shown()["state"] == "bot"


def test_messages_are_taken_back_on_both_sides(baton):
    talk = Talk(baton)
    talk.is_handed_over()
    early, late = talk.writes("My number is 1"), talk.writes("My number is 2")
    ids = [baton.command(1, "transfer_message")["id"], baton.command(2, "transfer_message")["id"]]
    talk.hears("command_done", command_id=ids[0], part_id="p1")
    baton.window("POST", f"/sessions/{talk.id}/remove", {"n": early})
    assert baton.command(3, "redact")["data"] == {"part_id": "p1"}
    baton.window("POST", f"/sessions/{talk.id}/remove", {"n": late})  # Not there yet.
    talk.hears("command_done", command_id=ids[1], part_id="p2")
    assert baton.command(4, "redact")["data"] == {"part_id": "p2"}
    talk.hears("agent_message", message=said("A secret", "p3"))
    talk.hears("message_redacted", part_id="p3")
    assert not any("number is" in text or "secret" in text for _, text in talk.lines())
    assert sum(bool(one.get("removed")) for one in talk.shown()["messages"]) == 3


def test_what_a_conversation_was_opened_with_is_taken_back_without_a_part(baton):
    talk = Talk(baton)
    opening = talk.writes("I want to talk to a human, my number is 1")
    start = baton.command(0, "transfer_start")
    talk.hears("command_done", command_id=start["id"], part_id=None)
    baton.window("POST", f"/sessions/{talk.id}/remove", {"n": opening})
    assert baton.command(1, "redact")["data"] == {}
    talk = Talk(baton)
    early = talk.writes("A human please, my number is 2")
    start = baton.command(2, "transfer_start")
    baton.window("POST", f"/sessions/{talk.id}/remove", {"n": early})  # Not there yet.
    talk.hears("command_done", command_id=start["id"], part_id=None)
    assert baton.command(3, "redact")["data"] == {}


def test_the_other_door_a_time_out_and_a_reopening_are_shown(baton):
    talk = Talk(baton)
    talk.is_handed_over()
    talk.hears("message", message=said("From the Messenger", "p1", "customer", "Ines"), context={})
    assert talk.shown()["messages"][-1]["through"] == "intercom"
    talk.hears("nobody_there", availability="away", opens_at=None, message="We open at 9.")
    assert talk.lines()[-1] == ("bot", "We open at 9.")
    talk.hears("timed_out", what="teammate", message="Sorry for the wait.", then="bot")
    assert talk.lines()[-1] == ("bot", "Sorry for the wait.")
    talk.hears("closed", by="timeout", stretch=[])
    talk.hears("reopened")
    talk.writes("Good, you are there")
    assert baton.command(1, "transfer_message")["data"]["text"] == "Good, you are there"


def test_what_people_begin_opens_a_chat(baton):
    assert baton.tell("cust-7", "agent_joined", {"agent": ALICE}, channel="intercom") == 200
    assert baton.tell("cust-7", "agent_message", {"message": said("Your parcel is here.", "p1")}, channel="intercom") == 200
    shown = baton.window("GET", "/sessions/cust-7")
    assert (shown["state"], shown["customer"]) == ("human", {"external_id": "cust-7"})
    baton.window("POST", "/sessions/cust-7/messages", {"text": "I am coming"})
    assert baton.command(0, "transfer_message")["session"]["id"] == "cust-7"


def test_what_becomes_of_a_command_of_nobodys_opens_no_chat(baton):
    assert baton.tell("stranger", "command_rejected", {"command_id": "x", "code": "unknown", "message": "no"}, conversation=None) == 200
    assert call("GET", f"{baton.bot_url}/chat/sessions/stranger")[0] == 404


def test_an_event_that_comes_twice_is_heard_once(baton):
    talk = Talk(baton)
    talk.is_handed_over()
    for _ in range(2):
        assert baton.tell(talk.id, "agent_message", {"message": said("Once", "p1")}, event_id=f"evt_{talk.id}_same") == 200
    assert talk.lines().count(("teammate", "Once")) == 1


def test_commands_wait_for_baton_and_keep_their_order(baton):
    talk = Talk(baton)
    baton.fail[:] = [503, 500, 429]
    talk.is_handed_over()
    for n in range(25):
        talk.writes(f"Number {n}")
    until(lambda: len(baton.commands) == 26, "all commands")
    assert [one["data"]["text"] for one in baton.commands[1:]] == [f"Number {n}" for n in range(25)]
    assert len({one["id"] for one in baton.commands}) == 26


def test_a_command_that_is_none_is_told_to_the_customer(baton):
    talk = Talk(baton)
    talk.is_handed_over()
    baton.fail[:] = [400]
    talk.writes("Strange")
    until(lambda: talk.shown()["messages"][-1]["from"] == "event" and talk.shown()["messages"][-1]["text"].startswith("Your"), "the refusal")
    talk.writes("Normal")
    assert baton.command(1, "transfer_message")["data"]["text"] == "Normal"


def test_windows_wait_for_what_is_new_and_start_anew_with_another_run(baton):
    first = baton.window("GET", "/changes")
    assert first["chats"]
    talk = Talk(baton)
    news = baton.window("GET", f"/changes?run={first['run']}&after={first['version']}&wait=20")
    assert [one["id"] for one in news["chats"]] == [talk.id]
    began = time.monotonic()
    nothing = baton.window("GET", f"/changes?run={news['run']}&after={news['version']}&wait=1")
    assert nothing["chats"] == [] and time.monotonic() - began >= 1
    assert len(baton.window("GET", "/changes?run=other&after=999999&wait=20")["chats"]) >= len(first["chats"])


def test_a_link_that_runs_out_is_for_one_file_and_asks_to_be_fetched(baton):
    talk = Talk(baton)
    talk.writes("A human, see this", files=[{"sample": "receipt.pdf"}, {"url": "https://example.com/a%20b.txt"}])
    receipt, other = baton.command(0, "transfer_start")["data"]["attachments"]
    assert receipt["fetch"] is True and "fetch" not in other and other["name"] == "a b.txt"
    assert _read(receipt["url"])[1].startswith(b"%PDF")
    assert _read(receipt["url"].replace("receipt.pdf", "photo.png"))[0] == 404
    assert _read(f"{baton.bot_url}/chat/files/receipt.pdf")[0] == 404
    assert _read(f"{baton.bot_url}/chat/files/photo.png")[1].startswith(b"\x89PNG")


def test_no_page_and_no_nonsense_gets_in(baton):
    status, _ = call("POST", f"{baton.bot_url}/chat/sessions", {"channel": "web"}, {"origin": "https://elsewhere.example"})
    assert status == 403
    for path, body in [
        ("/sessions", {"channel": "smoke"}), ("/sessions", {"channel": "web", "customer": {"name": 1}}), ("/sessions", [1]),
    ]:  # fmt: skip
        assert call("POST", f"{baton.bot_url}/chat{path}", body)[0] == 400
    talk = Talk(baton)
    for body in [{}, {"text": " "}, {"text": 1}, {"text": "x", "files": ["y"]}, {"files": [{"url": "ftp://x"}]}, {"text": "x", "choice": 1}]:
        assert call("POST", f"{baton.bot_url}/chat/sessions/{talk.id}/messages", body)[0] == 400, body
    assert call("GET", f"{baton.bot_url}/chat/sessions/none")[0] == 404
    assert call("POST", f"{baton.bot_url}/events", json.dumps({}).encode())[0] == 401


def _read(url):
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
