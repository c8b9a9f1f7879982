"""Calls every operation of the sandbox, in one version after the other, with its errors.

The sandbox is started from the built `baton` with the seed of the repository, but for a rate limit
that is out of the way. What is called here is written down by the sandbox itself, for `check`.
"""

import contextlib
import http.client
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from descriptions import ROOT, shape

TOKEN = "sandbox-token"
BOT, ALICE, SUPPORT = "900001", "900002", "500001"
CARLA, DAN = "65a0c0ffee0000000000c001", "65a0c0ffee0000000000c002"
VISITOR = "3ecf64d0-9ed1-4e9f-88e1-da7d6e6782f3"
# Whatever can be written of a contact.
FULL = {
    "phone": "+4930123459",
    "avatar": "https://files.example/face.png",
    "signed_up_at": 1_768_031_000,
    "last_seen_at": 1_768_031_789,
    "unsubscribed_from_emails": False,
    "custom_attributes": {},
}
NOBODY = "65a0c0ffee000000000fffff"
YES = {"text": "Yes", "uuid": "b1a7c1de-0000-4000-8000-000000000001"}
NO = {"text": "No", "uuid": "b1a7c1de-0000-4000-8000-000000000002"}
IMAGE = "https://files.example/photo.png"
UPLOAD = {"name": "a.txt", "content_type": "text/plain", "data": "aGVsbG8="}


class Broken(Exception):
    """The sandbox did something else than it should."""


def number(version):
    return tuple(int(part) for part in version.split("."))


def build():
    """The `baton` binary, built."""
    subprocess.run(["cargo", "build", "--quiet", "--package", "baton-cli"], cwd=ROOT, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "debug" / "baton"


@contextlib.contextmanager
def sandbox(binary, record=None):
    """The address of a sandbox that ends with the block."""
    seed = json.loads((ROOT / "infra" / "sandbox" / "seed.json").read_text())
    for workspace in seed["workspaces"]:
        for token in workspace["access_tokens"]:
            token["calls_per_minute"] = 60_000_000
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "seed.json"
        file.write_text(json.dumps(seed))
        command = [str(binary), "sandbox", "--listen", "127.0.0.1:0", "--seed", str(file)]
        if record:
            command += ["--record", str(record)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            line = process.stdout.readline()
            if "listening on" not in line:
                raise Broken("the sandbox did not start")
            yield line.strip().rpartition("http://")[2]
        finally:
            process.terminate()
            process.wait(10)


class Session:
    """One version's calls. `before_body` is told each good body before it is sent."""

    def __init__(self, address, version, before_body=None):
        self.version = version
        self.calls = 0
        self._before_body = before_body
        self._connection = http.client.HTTPConnection(address, timeout=10)
        _, answer = self.send("GET", "/_sandbox/operations")
        self.operations = {
            (one["method"], shape(one["path"])): (number(one["since"]), number(one["until"]))
            for one in answer["operations"]
        }
        self.called = set()

    def send(self, method, path, body=None, raw=None, headers=None):
        headers = {
            "Authorization": f"Bearer {TOKEN}",
            "Intercom-Version": self.version,
            "Accept": "application/json",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        payload = raw if raw is not None else (None if body is None else json.dumps(body))
        self._connection.request(method, path, payload, headers)
        response = self._connection.getresponse()
        text = response.read()
        if not path.startswith("/_sandbox"):
            self.calls += 1
        return response.status, json.loads(text) if text else None

    def control(self, method, path, body=None):
        status, answer = self.send(method, f"/_sandbox{path}", body)
        if status != 200:
            raise Broken(f"control {method} {path}: {status} {answer}")
        return answer

    def has(self, method, template):
        known = self.operations.get((method, shape(template)))
        return known is not None and known[0] <= number(self.version) <= known[1]

    def since(self, version):
        return number(self.version) >= number(version)

    def ok(self, method, template, body=None, status=200, query="", **params):
        """A call that must succeed; none when this version does not have the operation."""
        path = template.format(**params) + query
        if not self.has(method, template):
            if (method, shape(template)) in self.operations:
                self.answers(400, method, template, body, **params)
            return None
        if self._before_body and body is not None:
            self._before_body(self, method, path, body)
        got, answer = self.send(method, path, body)
        if got != status:
            raise Broken(f"{self.version} {method} {path} {json.dumps(body)}: {got} {answer}")
        self.called.add((method, shape(template)))
        return answer

    def only(self, status, method, template, body=None, **params):
        """An operation that the sandbox has only in order to refuse it as Intercom would."""
        if self.has(method, template):
            if self._before_body and body is not None:
                self._before_body(self, method, template.format(**params), body)
            self.answers(status, method, template, body, **params)
            self.called.add((method, shape(template)))

    def answers(self, status, method, template, body=None, query="", **params):
        path = template.format(**params) + query
        got, answer = self.send(method, path, body)
        if got != status:
            raise Broken(f"{self.version} {method} {path} {json.dumps(body)}: {got} {answer} instead of {status}")

    def started(self, text="hello", contact=CARLA):
        return self.control("POST", "/sandbox1/conversations", {"contact_id": contact, "body": text})["conversation_id"]


def drive(session):
    """Everything, in an order in which each call finds what it needs."""
    session.control("POST", "/reset")
    layer(session)
    about_people = people, contacts, visitors, attributes, office_hours, events
    for part in (*about_people, starting, messaging, replying, managing, describing, searching, participants, ending):
        part(session)


def layer(s):
    for headers, status in (
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Intercom-Version": "1.0"}, 400),
        ({"Accept": "text/html"}, 406),
    ):
        got, answer = s.send("GET", "/me", headers=headers)
        if got != status or answer["type"] != "error.list":
            raise Broken(f"{headers}: {got} {answer}")
    for method, path in (("GET", "/nonsense"), ("PATCH", "/me")):
        if s.send(method, path)[0] != 404:
            raise Broken(f"{method} {path} is found")
    if s.send("POST", "/conversations", raw="{not json")[0] != 400:
        raise Broken("a body that is no JSON is taken")


def people(s):
    s.ok("GET", "/me")
    s.ok("GET", "/admins")
    s.ok("GET", "/admins/{id}", id=ALICE)
    s.answers(404, "GET", "/admins/{id}", id="1")
    away = {"away_mode_enabled": True, "away_mode_reassign": False}
    s.ok("PUT", "/admins/{id}/away", away, id=ALICE)
    s.ok("PUT", "/admins/{id}/away", {"away_mode_enabled": False, "away_mode_reassign": False}, id=ALICE)
    s.ok("GET", "/away_status_reasons")
    s.ok("GET", "/teams")
    s.ok("GET", "/teams/{id}", id=SUPPORT)
    s.answers(404, "GET", "/teams/{id}", id="1")
    s.ok("GET", "/teams/{id}/metrics", id=SUPPORT)
    s.ok("GET", "/tags")
    tag = s.ok("POST", "/tags", {"name": f"driven {s.version}"})
    s.ok("GET", "/tags/{id}", id=tag["id"])
    s.ok("DELETE", "/tags/{id}", id=tag["id"])
    s.ok("GET", "/segments")
    s.only(404, "GET", "/segments/{id}", id="1")
    s.ok("GET", "/subscription_types")


def contacts(s):
    s.ok("GET", "/contacts/{id}", id=CARLA)
    s.answers(404, "GET", "/contacts/{id}", id=NOBODY)
    s.ok("GET", "/contacts")
    query = {"query": {"field": "email", "operator": "=", "value": "carla@customer.example"}}
    s.ok("POST", "/contacts/search", {**query, "pagination": {"per_page": 5}})
    s.ok("GET", "/contacts/find_by_external_id/{external_id}", external_id="cust-1001")
    full = {**FULL, "owner_id": ALICE if s.since("2.16") else int(ALICE)}
    made = s.ok("POST", "/contacts", {"role": "user", "external_id": "driven", **full})
    lead = s.ok("POST", "/contacts", {"role": "lead", "name": "Driven"})
    id = made["id"]
    s.ok("PUT", "/contacts/{id}", {"name": "Driven again", "email": "driven@customer.example", **full}, id=id)
    s.answers(409, "POST", "/contacts", {"role": "user", "external_id": "driven"})
    s.answers(404, "PUT", "/contacts/{id}", {"name": "x"}, id=NOBODY)
    tag = s.ok("POST", "/tags", {"name": "of a contact"})
    s.ok("POST", "/contacts/{id}/tags", {"id": tag["id"]}, id=id)
    s.ok("GET", "/contacts/{id}/tags", id=id)
    s.ok("DELETE", "/contacts/{id}/tags/{tag_id}", id=id, tag_id=tag["id"])
    note = s.ok("POST", "/contacts/{id}/notes", {"body": "a note", "admin_id": BOT}, id=id)
    s.ok("GET", "/contacts/{id}/notes", id=id)
    s.ok("GET", "/notes/{id}", id=note["id"])
    for kind in ("segments", "subscriptions", "companies"):
        s.ok("GET", "/contacts/{id}/" + kind, id=id)
    consent = {"id": "37846", "consent_type": "opt_in"}
    s.only(404, "POST", "/contacts/{id}/subscriptions", consent, id=id)
    s.only(404, "DELETE", "/contacts/{id}/subscriptions/{subscription_id}", id=id, subscription_id="37846")
    s.only(404, "POST", "/contacts/{id}/companies", {"id": "58a430d35458202d41b1e65b"}, id=id)
    s.only(404, "DELETE", "/contacts/{id}/companies/{company_id}", id=id, company_id="58a430d35458202d41b1e65b")
    s.ok("POST", "/contacts/{id}/archive", id=id)
    s.ok("POST", "/contacts/{id}/unarchive", id=id)
    merge = {"from": lead["id"], "into": id}
    if s.since("2.16"):
        merge["skip_duplicate_validation"] = True
    s.ok("POST", "/contacts/merge", merge)
    s.answers(410 if s.since("2.16") else 404, "GET", "/contacts/{id}", id=lead["id"])
    s.ok("GET", "/contacts/{id}/merge_history", id=id)
    s.ok("POST", "/contacts/{id}/block", id=id)
    s.ok("DELETE", "/contacts/{id}", id=id)


def visitors(s):
    s.ok("GET", "/visitors", query=f"?user_id={VISITOR}")
    s.answers(404, "GET", "/visitors", query="?user_id=nobody")
    s.ok("PUT", "/visitors", {"user_id": VISITOR, "name": "Gareth", "custom_attributes": {}})
    s.answers(404, "PUT", "/visitors", {"user_id": "nobody", "name": "x"})
    convert = {"type": "user", "user": {"user_id": "was-a-visitor"}, "visitor": {"user_id": VISITOR}}
    s.ok("POST", "/visitors/convert", convert)


def attributes(s):
    s.ok("GET", "/data_attributes")
    s.ok("GET", "/data_attributes", query="?model=contact&include_archived=true")
    s.answers(422 if s.since("2.16") else 200, "GET", "/data_attributes", query="?model=conversation")
    new = {"name": "Shoe size", "model": "contact", "data_type": "integer", "description": "EU"}
    made = s.ok("POST", "/data_attributes", {**new, "messenger_writable": True})
    choices = {"options": [{"value": "a"}, {"value": "b"}]}
    choices = choices if s.since("2.16") else {"options": ["a", "b"], "data_type": "string"}
    s.answers(200, "POST", "/data_attributes", {**new, "name": "Choice", "data_type": "options", **choices})
    s.answers(400, "POST", "/data_attributes", new)
    change = {"archived": False, "description": "UK", "messenger_writable": False}
    s.ok("PUT", "/data_attributes/{id}", change, id=made["id"])
    s.answers(404, "PUT", "/data_attributes/{id}", change, id="1")
    of = "/conversations/attributes"
    s.ok("GET", of)
    s.ok("POST", of, {"name": "Words", "data_type": "string", "description": "x", "required": False})
    options = [{"label": "one"}, {"label": "two"}]
    chosen = s.ok("POST", of, {"name": "One of them", "data_type": "list", "options": options})
    if chosen is None:
        return
    id = chosen["id"]
    s.ok("GET", of + "/{id}", id=id)
    s.answers(404, "GET", of + "/{id}", id="999999")
    s.ok("PUT", of + "/{id}", {"name": "One of those", "description": "x", "required": True}, id=id)
    whole = s.ok("POST", of + "/{id}/options", {"label": "three"}, id=id)
    option = whole["options"][-1]["id"]
    s.ok("PUT", of + "/{id}/options/{option_id}", {"label": "four"}, id=id, option_id=option)
    s.ok("DELETE", of + "/{id}/options/{option_id}", id=id, option_id=option)
    s.ok("DELETE", of + "/{id}", id=id)


def office_hours(s):
    of = "/office_hours_schedules"
    hours = {"name": "Weekdays", "time_zone_name": "Europe/Berlin"}
    made = s.ok("POST", of, {**hours, "time_intervals": [{"start_minute": 540, "end_minute": 1020}]}, status=201)
    s.ok("GET", of)
    if made is None:
        return
    id = made["id"]
    s.ok("GET", of + "/{id}", id=id)
    s.answers(404, "GET", of + "/{id}", id="1")
    s.ok("PUT", of + "/{id}", {**hours, "time_intervals": [{"start_minute": 0, "end_minute": 10_080}]}, id=id)
    for wrong in ({"start_minute": 541, "end_minute": 600}, {"start_minute": 600, "end_minute": 540}):
        s.answers(400, "PUT", of + "/{id}", {"time_intervals": [wrong]}, id=id)
    days = of + "/{schedule_id}/office_hours_exceptions"
    closed = {"exception_date": "2026-12-25", "exception_type": "closed", "name": "Christmas", "recurring_annually": True}
    day = s.ok("POST", days, closed, status=201, schedule_id=id)["id"]
    s.ok("GET", days, schedule_id=id)
    s.ok("GET", days + "/{id}", schedule_id=id, id=day)
    short = {"exception_type": "custom_hours", "time_intervals": [{"start_minute": 540, "end_minute": 780}]}
    s.ok("PUT", days + "/{id}", short, schedule_id=id, id=day)
    s.answers(400, "POST", days, {**closed, "exception_type": "custom_hours"}, schedule_id=id)
    s.ok("DELETE", days + "/{id}", schedule_id=id, id=day)
    s.ok("DELETE", of + "/{id}", id=id)


def events(s):
    event = {"event_name": "bought-shoes", "created_at": 1_768_031_789, "metadata": {"order": "A-7"}}
    s.ok("POST", "/events", {**event, "user_id": "cust-1001"}, status=202)
    s.ok("POST", "/events", {**event, "id": DAN}, status=202)
    s.answers(404, "POST", "/events", {**event, "user_id": "nobody"})
    s.ok("GET", "/events", query="?type=user&user_id=cust-1001")
    counted = {"event_name": "bought-shoes", "count": 3, "first": 1_768_031_000, "last": 1_768_031_789}
    s.ok("POST", "/events/summaries", {"user_id": "cust-1001", "event_summaries": counted})


def starting(s):
    body = {"from": {"type": "user", "id": CARLA}, "body": "Hello there", "attachment_urls": [IMAGE], "subject": "x"}
    if s.since("2.11"):
        body["created_at"] = 1_768_031_789
    if s.since("2.16"):
        body["brand_id"] = "1"
    message = s.ok("POST", "/conversations", body)
    s.ok("POST", "/conversations", {"from": {"type": "lead", "id": DAN}, "body": "hi"})
    s.answers(404, "POST", "/conversations", {"from": {"type": "user", "id": "123_doesnt_exist"}, "body": "hi"})
    s.answers(400, "POST", "/conversations", {"from": {"type": "admin", "id": BOT}, "body": "hi"})
    s.ok("GET", "/conversations/{id}", id=message["conversation_id"])
    s.ok("GET", "/conversations/{id}", id=message["conversation_id"], query="?display_as=plaintext")
    s.answers(404, "GET", "/conversations/{id}", id="1")


def messaging(s):
    body = {"message_type": "in_app", "body": "hey", "from": {"type": "admin", "id": int(ALICE)}}
    s.ok("POST", "/messages", {**body, "to": {"type": "user", "id": CARLA}})


def replying(s):
    id = s.started()
    reply = "/conversations/{id}/reply"
    user = {"message_type": "comment", "type": "user", "body": "more", "attachment_urls": [IMAGE]}
    admin = {"message_type": "comment", "type": "admin", "admin_id": BOT, "body": "<p>answer</p>"}
    s.ok("POST", reply, {**user, "intercom_user_id": CARLA, "attachment_files": [UPLOAD]}, id=id)
    s.ok("POST", reply, {**user, "user_id": "cust-1001"}, id=id)
    s.ok("POST", reply, {**user, "email": "carla@customer.example"}, id=id)
    s.ok("POST", reply, {**user, "intercom_user_id": CARLA}, id="last")
    extra = {"created_at": 1_768_031_799, "attachment_urls": [IMAGE], "attachment_files": [UPLOAD]}
    if s.since("2.15"):
        extra["skip_notifications"] = True
    s.ok("POST", reply, {**admin, **extra}, id=id)
    s.ok("POST", reply, {**admin, "message_type": "note"}, id=id)
    offer = {"message_type": "quick_reply", "type": "admin", "admin_id": BOT, "reply_options": [YES, NO]}
    if s.since("2.14"):
        s.ok("POST", reply, offer, id=id)
        chosen = {"type": "user", "intercom_user_id": CARLA, "reply_options": [YES]}
        s.ok("POST", reply, {**chosen, "message_type": "comment", "body": "Yes"}, id=id)
        s.answers(200, "POST", reply, {**chosen, "message_type": "quick_reply"}, id=id)
    else:
        s.answers(400, "POST", reply, offer, id=id)
    s.answers(400, "POST", reply, {"message_type": "comment", "type": "admin", "admin_id": BOT}, id=id)
    s.answers(400, "POST", reply, {**admin, "attachment_urls": [IMAGE] * 11}, id=id)
    s.answers(400, "POST", reply, {**admin, "attachment_files": [UPLOAD] * 11}, id=id)
    s.answers(404, "POST", reply, {**admin, "admin_id": "12"}, id=id)
    s.answers(404, "POST", reply, {**user, "intercom_user_id": NOBODY}, id=id)
    s.answers(404, "POST", reply, admin, id="1")


def managing(s):
    id = s.started()
    parts = "/conversations/{id}/parts"
    base = {"admin_id": BOT}
    assign = {**base, "message_type": "assignment"}
    s.ok("POST", parts, {**assign, "type": "admin", "assignee_id": ALICE, "body": "yours"}, id=id)
    s.ok("POST", parts, {**assign, "type": "team", "assignee_id": SUPPORT}, id=id)
    s.ok("POST", parts, {**assign, "type": "admin", "assignee_id": "0"}, id=id)
    s.ok("POST", parts, {**base, "message_type": "snoozed", "snoozed_until": 4_000_000_000}, id=id)
    s.ok("POST", parts, {**base, "message_type": "open"}, id=id)
    s.ok("POST", parts, {**base, "message_type": "close", "type": "admin", "body": "bye"}, id=id)
    s.answers(404, "POST", parts, {**assign, "type": "team", "assignee_id": "77"}, id=id)
    s.answers(404, "POST", parts, {**base, "message_type": "open"}, id="1")
    s.ok("POST", "/conversations/{id}/run_assignment_rules", id=id)
    s.ok("GET", "/conversations/{id}/handling_events", id=id)
    s.ok("GET", "/conversations/{id}/side_conversations", id=id)
    s.control("POST", f"/sandbox1/conversations/{id}/rating", {"rating": 5, "remark": "good"})
    s.control("POST", f"/sandbox1/conversations/{id}/operator", {"body": "I am Fin", "from_ai_agent": True})
    s.ok("GET", "/conversations/{id}", id=id)
    over = {"action": "hand_over", "assignee": {"type": "team", "id": SUPPORT}, "body": "A person will help"}
    s.control("POST", f"/sandbox1/conversations/{id}/operator", over)
    s.ok("GET", "/conversations/{id}", id=id)
    by_email(s)
    unassigned = s.started()
    s.control("POST", f"/sandbox1/conversations/{unassigned}/rating", {"rating": 1})
    s.ok("GET", "/conversations/{id}", id=unassigned)


def by_email(s):
    begin = {"contact_id": CARLA, "body": "hello", "email": {"subject": "Help"}, "url": "https://shop.example/"}
    id = s.control("POST", "/sandbox1/conversations", begin)["conversation_id"]
    s.control("POST", f"/sandbox1/conversations/{id}/customer", {"body": "thanks", "quoted": "what you wrote"})
    s.control("POST", f"/sandbox1/conversations/{id}/teammate", {"admin_id": ALICE, "action": "priority"})
    s.ok("GET", "/conversations/{id}", id=id)
    s.ok("GET", "/conversations/{id}", id=id, query="?display_as=plaintext")


def describing(s):
    id = s.started()
    path = "/conversations/{id}"
    body = {"read": True}
    if s.since("2.11"):
        body["custom_attributes"] = {"Order number": "A-7"}
    if s.since("2.13"):
        body["title"] = "A title"
    s.ok("PUT", path, body, id=id)
    if s.since("2.11"):
        s.answers(400, "PUT", path, {"custom_attributes": {"Nonsense": 1}}, id=id)
    if s.since("2.14"):
        s.answers(404, "PUT", path, {"company_id": "nobody"}, id=id)
    s.answers(404, "PUT", path, {"read": True}, id="1")
    tag = s.ok("POST", "/tags", {"name": "of a conversation"})
    tags = "/conversations/{id}/tags"
    s.ok("POST", tags, {"id": tag["id"], "admin_id": BOT}, id=id)
    s.ok("GET", path, id=id)
    s.answers(404, "POST", tags, {"id": tag["id"], "admin_id": BOT}, id="1")
    s.ok("DELETE", tags + "/{tag_id}", {"admin_id": BOT}, id=id, tag_id=tag["id"])
    s.answers(404, "DELETE", tags + "/{tag_id}", {"admin_id": BOT}, id=id, tag_id=tag["id"])
    answer = {"message_type": "comment", "type": "admin", "admin_id": BOT, "body": "secret"}
    whole = s.ok("POST", "/conversations/{id}/reply", answer, id=id)
    part, source = whole["conversation_parts"]["conversation_parts"][-1]["id"], whole["source"]["id"]
    of_part = {"type": "conversation_part", "conversation_id": id, "conversation_part_id": part}
    s.ok("POST", "/conversations/redact", of_part)
    s.ok("POST", "/conversations/redact", {"type": "source", "conversation_id": id, "source_id": source})
    s.answers(404, "POST", "/conversations/redact", {**of_part, "conversation_part_id": "nope"})


def searching(s):
    s.ok("GET", "/conversations")
    s.ok("GET", "/conversations", query="?per_page=2")
    one = {"field": "updated_at", "operator": ">", "value": 0}
    search = "/conversations/search"
    first = s.ok("POST", search, {"query": one, "pagination": {"per_page": 1}})
    cursor = first["pages"]["next"]["starting_after"]
    s.ok("POST", search, {"query": one, "pagination": {"per_page": 1, "starting_after": cursor}})
    state = {"field": "state", "operator": "=", "value": "open"}
    ids = {"field": "contact_ids", "operator": "IN", "value": [CARLA]}
    s.ok("POST", search, {"query": {"operator": "AND", "value": [one, state, ids]}})
    s.ok("POST", search, {"query": {"operator": "AND", "value": [{"operator": "OR", "value": [one, state]}]}})
    for query in (
        {"field": "nonsense", "operator": "=", "value": "x"},
        {"field": "state", "operator": ">", "value": "x"},
        {"field": "created_at", "operator": "=", "value": "foobar"},
        {"operator": "AND", "value": [one] * 16},
    ):
        s.answers(400, "POST", search, {"query": query})
    s.answers(400, "GET", "/conversations", query="?per_page=151")


def participants(s):
    id = s.started()
    customers = "/conversations/{id}/customers"
    s.ok("POST", customers, {"admin_id": BOT, "customer": {"intercom_user_id": DAN}}, id=id)
    s.ok("POST", customers, {"admin_id": BOT, "customer": {"email": "new@customer.example"}}, id=id)
    invited = {"user_id": "cust-1001", "customer": {"intercom_user_id": DAN}}
    s.ok("POST", customers, {"customer": invited}, id=id)
    s.answers(404, "POST", customers, {"admin_id": BOT, "customer": {"intercom_user_id": NOBODY}}, id=id)
    s.ok("DELETE", customers + "/{contact_id}", {"admin_id": BOT}, id=id, contact_id=DAN)
    s.answers(404, "DELETE", customers + "/{contact_id}", {"admin_id": BOT}, id=id, contact_id=DAN)
    alone = s.started()
    s.answers(422, "DELETE", customers + "/{contact_id}", {"admin_id": BOT}, id=alone, contact_id=CARLA)


def ending(s):
    one, other = s.started(), s.started()
    s.only(400, "POST", "/conversations/{id}/convert", {"ticket_type_id": "53"}, id=one)
    merge = "/conversations/{id}/merge"
    s.ok("POST", merge, {"merge_into_conversation_id": int(other)}, id=one)
    if s.has("POST", merge):
        s.answers(422, "POST", merge, {"merge_into_conversation_id": int(other)}, id=one)
        s.answers(422, "POST", merge, {"merge_into_conversation_id": int(other)}, id=other)
        s.answers(422, "POST", merge, {"merge_into_conversation_id": 1}, id=other)
    s.ok("DELETE", "/conversations/{id}", id=other)
    if s.since("2.13"):
        s.answers(404, "GET", "/conversations/{id}", id=other)
    s.ok("GET", "/conversations/deleted")


def written(record, calls):
    """The entries of a record, as soon as all calls are in it."""
    deadline = time.monotonic() + 10
    while True:
        lines = record.read_text().splitlines() if record.exists() else []
        if len(lines) >= calls:
            return [json.loads(line) for line in lines]
        if time.monotonic() > deadline:
            raise Broken(f"{len(lines)} of {calls} calls are in the record")
        time.sleep(0.05)
