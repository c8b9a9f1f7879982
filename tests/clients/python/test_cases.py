"""Plays ../cases/*.json with Intercom's own client for Python. README.md there tells their form.

Requests are built with the client's own types. Answers are looked into through the client's objects, and
the client's type for each is checked against what the sandbox sent, strictly, which the client itself omits.
"""

import json
import re
import typing

import httpx
import pydantic
import pytest
from intercom import Intercom, errors
from intercom.core import ApiError
from intercom.core.pagination import SyncPager
from intercom.core.serialization import convert_and_respect_annotation_metadata
from intercom.core.unchecked_base_model import construct_type

from conftest import CLIENTS

# Where the client for Python calls something otherwise than the one for JavaScript.
ARGUMENTS = {
    "conversations.create": {"from": "from_"},
    "contacts.merge_lead_in_user": {"from": "lead_id", "into": "contact_id"},
    "tags.tag_contact": {"id": "tag_id"},
    "tags.tag_conversation": {"id": "tag_id"},
}
# Where the client's types contradict Intercom's descriptions, which have an integer.
MISTYPED = {"team_assignee_id"}


def cases():
    for file in sorted((CLIENTS / "cases").glob("*.json")):
        for case in json.loads(file.read_text()):
            yield pytest.param(case, id=f"{file.stem}: {case['name']}")


@pytest.fixture(scope="module")
def lines():
    """One HTTP client for all, as making one takes long, with the answers as they came."""
    answers = []
    with httpx.Client(event_hooks={"response": [answers.append]}) as client:
        client.answers = answers
        yield client


@pytest.mark.parametrize("case", list(cases()))
def test_case(case, sandbox, lines):
    kept = {}
    for n, step in enumerate(case["steps"], start=1):
        what = f"step {n}, {step.get('call') or step.get('each') or step.get('control')}"
        try:
            take({**case, **step}, sandbox, lines, kept)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from error
        except ApiError as error:
            raise AssertionError(f"{what}: {error.status_code} {error.body}") from error


def take(step, sandbox, lines, kept):
    given = filled(step.get("with"), kept)
    if "control" in step:
        return check(step, sandbox.control(filled(step["control"], kept), given), kept)
    headers = {"Intercom-Version": step["version"]} if "version" in step else None
    token = step.get("token", "clients-token")
    client = Intercom(token=token, base_url=sandbox.url, headers=headers, httpx_client=lines)
    if "each" in step:
        return turn_pages(client, step, given, kept)
    if "fails" not in step:
        answer = call(client, step["call"], given)
        has_its_type(client, step["call"], lines.answers[-1])
        return check(step, answer, kept)
    expected = step["fails"]
    with pytest.raises(ApiError) as failure:
        call(client, step["call"], given)
    error = failure.value
    assert type(error) is getattr(errors, expected["error"], ApiError)
    assert error.status_code == expected["status"], error.body
    assert at(error.body, "type") == "error.list"
    assert at(error.body, "errors.0.code") == expected["code"]
    if "message" in expected:
        assert at(error.body, "errors.0.message") == expected["message"]


def turn_pages(client, step, given, kept):
    """Reads a list to its end twice: by hand, page by page, and with the client's iterator."""
    if step["each"].endswith(".search"):
        pages = list(searched(client, step["each"], given))
        items = [item for page in pages for item in page.items]
    else:
        pages = list(call(client, step["each"], given).iter_pages())
        items = list(call(client, step["each"], given))
    assert [len(page.items) for page in pages] == step["pages"]
    for field, values in filled(step["items"], kept).items():
        assert [at(item, field) for item in items] == values, field


def searched(client, name, given):
    """The pages of a search by hand only: the client's iterator has the first again and again."""
    paging = given.get("pagination", {})
    while True:
        page = call(client, name, {**given, "pagination": paging})
        yield page
        if not page.has_next:
            return
        paging = {**paging, "starting_after": page.response.pages.next.starting_after}


def method(client, name):
    resource, function = name.split(".")
    return getattr(getattr(client, resource), function)


def call(client, name, given):
    function = method(client, name)
    hints = typing.get_type_hints(function, include_extras=True)
    names = ARGUMENTS.get(name, {})
    arguments = {names.get(key, key): value for key, value in (given or {}).items()}
    if "request" in hints:
        body = {key: arguments.pop(key) for key in list(arguments) if key not in hints}
        arguments["request"] = body["body"] if isinstance(body.get("body"), dict) else body
    return function(**{key: construct_type(type_=hints[key], object_=value) for key, value in arguments.items()})


def has_its_type(client, name, response):
    """Checks what was sent against the client's type for it. Pages are checked by what is read from them."""
    kind = typing.get_type_hints(method(client, name), include_extras=True)["return"]
    if kind is type(None) or typing.get_origin(kind) is SyncPager:
        return
    answer = convert_and_respect_annotation_metadata(object_=response.json(), annotation=kind, direction="read")
    try:
        pydantic.TypeAdapter(kind).validate_python(answer)
    except pydantic.ValidationError as error:
        mistakes = [one for one in error.errors() if one["loc"][-1] not in MISTYPED]
        assert not mistakes, f"not the client's type: {mistakes}"


def check(step, answer, kept):
    for path, expected in filled(step.get("gives", {}), kept).items():
        value = at(answer, path)
        if isinstance(expected, dict) and "like" in expected:
            assert re.search(expected["like"], str(value)), f"{path}: {value!r}"
        elif isinstance(expected, dict) and "count" in expected:
            assert len(value) == expected["count"], path
        else:
            assert plain(value) == expected, path
    for name, path in step.get("keep", {}).items():
        kept[name] = at(answer, path)
        assert kept[name] is not None, f"nothing at {path}"


def at(value, path):
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step)
        elif value is not None:
            value = getattr(value, step, None)
    return value


def plain(value):
    """A client's object as the JSON it was made from."""
    if isinstance(value, pydantic.BaseModel):
        return {name: plain(one) for name, one in value if name in value.model_fields_set}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


def filled(value, kept):
    """Puts what was kept where `$name` stands, inside of texts as well."""
    if isinstance(value, str):
        if whole := re.fullmatch(r"\$(\w+)", value):
            return kept[whole[1]]
        return re.sub(r"\$\{(\w+)\}", lambda found: str(kept[found[1]]), value)
    if isinstance(value, list):
        return [filled(one, kept) for one in value]
    if isinstance(value, dict):
        return {name: filled(one, kept) for name, one in value.items()}
    return value
