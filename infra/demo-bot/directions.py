"""Stage directions: what the customer's words make the demo bot do, so that accidents can be played.

A direction stands in square brackets: `Hello [after 4 s] [say Good day]`. Scenarios of the sandbox are
written with them, and people may type them. `COUNT` in one is how many messages the customer wrote in a
row, which the bot is told of at once. A bot of your own needs nothing of this.
"""

import re

DIRECTION = re.compile(r"\[([^\[\]]+)\]")


def of(event):
    """The directions in what somebody wrote, in order."""
    if event["type"] not in ("message", "agent_message"):
        return []
    data = event["data"]
    count = len(data.get("messages", [data["message"]]))
    return [direction.replace("COUNT", str(count)) for direction in in_text(data["message"]["text"])]


def in_text(text):
    """The directions in a text, in order."""
    return DIRECTION.findall(text)


def delay(directions):
    """`after 4 s`: how long the bot thinks, in seconds."""
    return sum(float(found[1]) for found in _all(r"after ([\d.]+) s", directions))


def failure(directions, attempt):
    """`fail 503` or `fail 503 2 times`: the status that this attempt is answered with, None for a good one."""
    for found in _all(r"fail (\d+)(?: (\d+) times)?", directions):
        if attempt <= int(found[2] or attempt):
            return int(found[1])
    return None


def speaks_nonsense(directions):
    """`speak nonsense`: the answer is no JSON."""
    return "speak nonsense" in directions


def commands(directions):
    """The commands that are asked for, None when no direction asks for one."""
    found = [command for direction in directions for command in _commands(direction)]
    return found if found or "say nothing" in directions else None


def _commands(direction):
    for pattern, make in COMMANDS:
        if found := re.fullmatch(pattern, direction, re.DOTALL):
            return [make(*found.groups())]
    return []


def _all(pattern, directions):
    return filter(None, (re.fullmatch(pattern, direction) for direction in directions))


def _reply(*content, **more):
    return {"type": "reply", "data": {"content": list(content)}, **more}


def _text(text, form="plain"):
    return {"type": "text", "text": text, "format": form}


def _options(labels):
    """Each with its label as the value."""
    return {"type": "options", "options": [{"label": label, "value": label} for label in labels]}


def _slowly(texts):
    """One after the other, with 3 s between them."""
    for place, text in enumerate(texts):
        if place:
            yield {"type": "pause", "ms": 3_000}
        yield _text(text)


def _turn(node, children, confidence, words):
    """An answer by a node of the bot's dialog; several answers, parted by ` | `, are candidates."""
    answers = words.split(" | ")
    turn = {
        "nodes": [{"id": node.lower(), "name": node, "external_name": node, "has_children": bool(children)}],
        "intents": [{"name": node.lower(), "confidence": float(confidence or 0.9)}],
    }
    if len(answers) > 1:
        turn["candidates"] = [{"label": text, "text": text} for text in answers]
    return {"type": "reply", "data": {"content": [_text(answers[0])], "turn": turn}}


def _connect(node, words):
    data = {"content": [*([_text(words)] if words else []), {"type": "connect_to_agent"}]}
    if node:
        data["turn"] = {"nodes": [{"id": node.lower(), "name": node, "external_name": node}]}
    return {"type": "reply", "data": data}


def _handover(kind, target, words):
    data = {"reason": "The customer's words asked for it."}
    if target:
        data["to"] = {kind: target}
    if words:
        data["content"] = [_text(words)]
    return {"type": "handover", "data": data}


def _close(words):
    return {"type": "close", "data": {"reason": words} if words else {}}


COMMANDS = [
    (r"as (\S+) say (.+)", lambda command_id, words: _reply(_text(words), id=command_id)),
    (r"html (.+)", lambda words: _reply(_text(words, "html"))),
    (r"markdown (.+)", lambda words: _reply(_text(words, "markdown"))),
    (r"speak (\d+) words", lambda count: _reply(_text(at_length(int(count))))),
    (r"say slowly (.+)", lambda words: _reply(*_slowly(words.split(" | ")))),
    (r"say (.+)", lambda words: _reply(_text(words))),
    (r"offer (.+)", lambda labels: _reply(_options(labels.split(" | ")))),
    (r"at node (\S+)( with children)?(?: \(([\d.]+)\))? say (.+)", _turn),
    (r"connect(?: from node (\S+))?(?:, saying (.+))?", _connect),
    (r"send (\S+)", lambda url: _reply({"type": "file", "url": url})),
    (r"note (.+)", lambda words: {"type": "note", "data": {"text": words}}),
    (r"tag (.+)", lambda name: {"type": "tag", "data": {"tags": [name]}}),
    (r"tags (.+)", lambda names: {"type": "tag", "data": {"intercom_tags": names}}),
    (r"set (.+?) = (.+)", lambda name, value: {"type": "set_attributes", "data": {"attributes": {name: value}}}),
    (r"snooze until (\d+)", lambda until: {"type": "snooze", "data": {"until": int(until)}}),
    (r"hand over(?: to (team|teammate) (\S+))?(?:, saying (.+))?", _handover),
    (r"close(?:, saying (.+))?", _close),
]  # fmt: skip


def at_length(count):
    """So many numbered words; the last one shows that none is missing."""
    return " ".join(f"word{number}" for number in range(1, count + 1))
