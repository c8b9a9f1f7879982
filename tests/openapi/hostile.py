"""Bodies that break a description, made from one that keeps to it.

Each member of a good body is left out, and replaced by something of another type or by a word that
is in no enumeration. The description decides which of these break it; only those are sent.
"""

import copy

# null is not among them: clients send null for what they leave out, and Intercom takes it for that.
OTHERS = {"object": {"x": 1}, "list": [1], "flag": True, "word": "nonsense", "number": 12.5}
# What can stand for a whole body.
WHOLE = {"list": [], "word": "nonsense", "number": 1}


# What no operation knows as an id.
STRANGE_IDS = ("0", "-1", "99999999999999999999999", "nonsense", "%00", "a%2Fb", "%C3%BC", "{id}", "1.5")


def strange_paths(template):
    """The path of an operation with each of the strange ids in the place of its first parameter."""
    head, brace, tail = template.partition("{")
    if brace:
        tail = tail.partition("}")[2]
        for strange in STRANGE_IDS:
            yield head + strange + tail.replace("{}", "0")


def strange_queries(operation):
    """Query strings with a parameter of the wrong type, by the parameter's name."""
    for parameter in operation.node.get("parameters", []):
        parameter = operation.description.follow(parameter)
        kind = parameter.get("schema", {}).get("type")
        if parameter.get("in") == "query" and kind in ("integer", "boolean"):
            yield parameter["name"], f"?{parameter['name']}=nonsense"


def _places(body, here=()):
    if isinstance(body, dict):
        for key, value in body.items():
            yield (*here, key)
            yield from _places(value, (*here, key))
    elif isinstance(body, list):
        for index, value in enumerate(body):
            yield (*here, index)
            yield from _places(value, (*here, index))


def _changed(body, place, change):
    copied = copy.deepcopy(body)
    holder = copied
    for step in place[:-1]:
        holder = holder[step]
    change(holder, place[-1])
    return copied


def variants(operation, body):
    """Pairs of what is wrong, as (place, kind), and the body."""
    for kind, other in WHOLE.items():
        yield ("body", kind), other
    for place in _places(body):
        where = "/".join(map(str, place))
        candidates = []
        if isinstance(place[-1], str):
            candidates.append(("left out", _changed(body, place, lambda holder, key: holder.pop(key))))
        for kind, other in OTHERS.items():
            value = copy.deepcopy(other)
            candidates.append((kind, _changed(body, place, lambda holder, key: holder.__setitem__(key, value))))
        for kind, candidate in candidates:
            if operation.request_problems(candidate):
                yield (where, kind), candidate
