"""Reads infra/template.yaml into plain dictionaries, and the environment variables that the code reads."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra" / "template.yaml"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: !Ref x becomes {"Ref": "x"}, !Sub x {"Fn::Sub": "x"}."""


def _short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


def _without_duplicates(loader, node):
    names = [key.value for key, _ in node.value]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} stands twice at {node.start_mark}")
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _short_form)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _without_duplicates)


def load(path=TEMPLATE):
    """The template."""
    return yaml.load(path.read_text(), Loader=_Loader)


def resources(template, kind):
    """The resources of a type: logical id to properties."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def functions(template):
    """The functions, with the globals merged in as SAM does."""
    shared = template["Globals"]["Function"]
    merged = {}
    for name, own in resources(template, "AWS::Serverless::Function").items():
        variables = {
            **shared.get("Environment", {}).get("Variables", {}),
            **own.get("Environment", {}).get("Variables", {}),
        }
        merged[name] = {**shared, **own, "Environment": {"Variables": variables}}
    return merged


def package(function):
    """The package (directory, binary) that a function's code comes from."""
    return function["CodeUri"].removeprefix("build/").rstrip("/")


def queues(template):
    """The queues that are consumed, without the dead-letter queues."""
    return {name: queue for name, queue in all_queues(template).items() if not name.endswith("DeadLetterQueue")}


def all_queues(template):
    """Every queue."""
    return resources(template, "AWS::SQS::Queue")


def target(reference):
    """The logical id that a !Ref or !GetAtt points to; for anything else its text."""
    if isinstance(reference, dict):
        if "Ref" in reference:
            return reference["Ref"]
        if "Fn::GetAtt" in reference:
            return reference["Fn::GetAtt"][0]
        if "Fn::Sub" in reference:
            return reference["Fn::Sub"]
    return str(reference)


def many(value):
    """A value that may stand alone, as a list."""
    return value if isinstance(value, list) else [value]


def consumers(template):
    """(function's id, its properties, the SQS event's properties, the queue's id) for each event source mapping."""
    found = []
    for name, function in functions(template).items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                found.append((name, function, event["Properties"], target(event["Properties"]["Queue"])))
    return found


def statements(document):
    """The statements of a policy: (statement, the condition's name or None)."""
    found = []
    for statement in many(document["Statement"]):
        if "Fn::If" in statement:
            condition, then, otherwise = statement["Fn::If"]
            assert otherwise == {"Ref": "AWS::NoValue"}, "a conditional statement is there or not there"
            found.append((then, condition))
        else:
            found.append((statement, None))
    return found


# ── What the code reads ─────────────────────────────────────────────────────────────────────────────

# A variable's name in a Rust string literal. Names that Lambda sets itself are not the template's.
_LITERAL = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"')
_OF_LAMBDA = re.compile(r"^(AWS|LAMBDA|RUST)_")
_FUNCTION = re.compile(r"^ *(?:pub(?:\([a-z]+\))? )?(?:async )?fn ([a-z_0-9]+)", re.MULTILINE)
_CALL = re.compile(r"\b([a-z_][a-z_0-9]*)\(")


def variables_of_the_code(root=ROOT):
    """The environment variables that each function's code reads: its package to a set of names.

    A name counts where it stands as a literal: in the function's own code, or in a function of the
    shared configuration and wiring that is called from there, over however many calls.

    Raises FileNotFoundError, naming it, when code that must be there is not: a comparison with nothing
    would find nothing.
    """
    shared = root / "shared" / "src"
    common = _functions_of(_rust_under(shared / "config.rs", shared / "lambda"))
    read = {}
    for function in functions(load(root / "infra" / "template.yaml")).values():
        code = _rust_under(root / "functions" / package(function) / "src")
        read[package(function)] = _literals(code).union(*(_literals(common[name]) for name in _reached(code, common)))
    return read


def _rust_under(*places):
    """The Rust code in files and directories, without comments and without unit tests."""
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*.rs")))]
    if not files or not places[0].exists():
        raise FileNotFoundError(f"THE CODE TO COMPARE THE TEMPLATE WITH IS MISSING: no Rust file at {places[0]}")
    texts = [file.read_text().split("#[cfg(test)]")[0] for file in files]
    return re.sub(r"^\s*//.*$", "", "\n".join(texts), flags=re.MULTILINE)


def _literals(code):
    return {name for name in _LITERAL.findall(code) if not _OF_LAMBDA.match(name)}


def _functions_of(code):
    """The functions in some code, by name, each with its text up to the next; same names are one."""
    found = {}
    starts = [*_FUNCTION.finditer(code)]
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        text = code[start.end() : following.start() if following else len(code)]
        found[start.group(1)] = found.get(start.group(1), "") + text
    return found


def _reached(code, common):
    """The names of the common functions that some code calls, also through each other."""
    reached, todo = set(), {name for name in _CALL.findall(code) if name in common}
    while todo:
        name = todo.pop()
        reached.add(name)
        todo |= {called for called in _CALL.findall(common[name]) if called in common} - reached
    return reached
