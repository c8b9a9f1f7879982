"""Holds every request that the tests sent to Intercom against Intercom's official descriptions.

The sandbox keeps the requests that it gets (`baton sandbox --record`); the tests put them into
`.local/**/requests/*.jsonl` and `.local/**/intercom-requests.jsonl`. Each is held against the descriptions of
2.10, 2.15 and 2.16, which lie beside the project and not in it: where they are missing, this says so and ends.
"""

import json
import re
import sys
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTIONS = ROOT.parent / "shared" / "intercom" / "openapi"
VERSIONS = ("2.10", "2.15", "2.16")
# A conversation's custom attributes can be set from 2.11; Baton refuses to before.
SINCE = {"custom_attributes": "2.11"}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Description:
    """One version of Intercom's API."""

    def __init__(self, version):
        self.version = version
        text = (DESCRIPTIONS / f"openapi-{version}.yaml").read_text()
        self.document = yaml.load(text, Loader=LOADER)
        self.operations = []
        for path, item in self.document["paths"].items():
            pattern = re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) + "$")
            for method, operation in item.items():
                if method in ("get", "post", "put", "delete", "patch"):
                    self.operations.append((method.upper(), path, pattern, operation))

    def resolve(self, node, seen=()):
        """The schema with references put in place, in JSON Schema's words for OpenAPI 3.0's."""
        if isinstance(node, list):
            return [self.resolve(element, seen) for element in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            name = node["$ref"]
            if name in seen:
                return {}
            target = self.document
            for step in name.removeprefix("#/").split("/"):
                target = target[step]
            return self.resolve(target, (*seen, name))
        schema = {key: self.resolve(value, seen) for key, value in node.items() if key not in ("example", "examples")}
        if schema.pop("nullable", False) is True and isinstance(schema.get("type"), str):
            schema["type"] = [schema["type"], "null"]
        return schema

    def find(self, method, path):
        """The operation of a request; an exact path before one with parameters."""
        fits = [entry for entry in self.operations if entry[0] == method and entry[2].match(path)]
        return min(fits, key=lambda entry: entry[1].count("{"), default=None)

    def problems(self, request):
        """What the description says against a request."""
        found = self.find(request["method"], request["path"])
        if found is None:
            return [f"there is no {request['method']} {request['path']}"]
        operation = found[3]
        content = operation.get("requestBody", {}).get("content", {})
        if not content:
            return ["a body where there is none"] if request.get("body") is not None else []
        schema = self.resolve(content["application/json"]["schema"])
        errors = Draft202012Validator(schema).iter_errors(request.get("body"))
        return [f"{'/'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:200]}" for error in errors]


def applies(request, version):
    """Whether Baton would send this request to a workspace of that version."""
    number = [int(part) for part in version.split(".")]
    body = request.get("body")
    needed = [since for field, since in SINCE.items() if isinstance(body, dict) and field in body]
    return all(number >= [int(part) for part in since.split(".")] for since in needed)


def recorded():
    files = [*ROOT.glob(".local/**/requests/*.jsonl"), *ROOT.glob(".local/**/intercom-requests*.jsonl")]
    for file in sorted(files):
        for line in file.read_text().splitlines():
            yield file, json.loads(line)


def main():
    if not DESCRIPTIONS.is_dir():
        print("Intercom's descriptions are not beside the project (../shared/intercom/openapi): requests are NOT checked.")
        return 0
    requests = list(recorded())
    if not requests:
        print("no requests were recorded; run the tests first")
        return 1
    descriptions = [Description(version) for version in VERSIONS]
    passed, failed, operations = 0, 0, set()
    for file, request in requests:
        for description in descriptions:
            if not applies(request, description.version):
                continue
            problems = description.problems(request)
            if problems:
                failed += 1
                print(f"{file.name}: {request['method']} {request['path']} against {description.version}:")
                print("\n".join(f"  {problem}" for problem in problems))
            else:
                passed += 1
                operations.add((request["method"], description.find(request["method"], request["path"])[1]))
    print(f"{len(requests)} requests of {len(operations)} operations against {', '.join(VERSIONS)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
