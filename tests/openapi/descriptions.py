"""Intercom's official descriptions, as JSON Schemas that requests and answers can be held against.

They lie beside the project (`../shared/intercom/openapi`) and are no part of it. Formats are not
checked: the descriptions write `date-time` where Intercom sends Unix seconds.
"""

import re
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = ROOT.parent / "shared" / "intercom" / "openapi"
VERSIONS = ("2.10", "2.15", "2.16")
METHODS = ("get", "post", "put", "delete", "patch")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def are_there():
    return DIRECTORY.is_dir()


def shape(path):
    """A path with nameless parameters, as their names differ between versions."""
    return re.sub(r"\{[^}]*\}", "{}", path)


class Operation:
    """One operation of one version."""

    def __init__(self, description, method, path, node):
        self.description, self.method, self.path, self.node = description, method, path, node
        self.name = (method, shape(path))
        self._validators = {}

    def __str__(self):
        return f"{self.method} {shape(self.path)}"

    def takes_body(self):
        return bool(self._content(self.node.get("requestBody", {})))

    def request_problems(self, body):
        if not self.takes_body():
            return [] if body is None else [("body", "a body where there is none")]
        return self._problems("request", self._content(self.node["requestBody"]), body)

    def answer_problems(self, status, body):
        """What the description says against an answer; errors all have one shape."""
        response = self.node["responses"].get(str(status)) or self.node["responses"].get(status)
        if response is None:
            if status < 400:
                return [("status", f"{status} is not documented")]
            return self._problems("error", {"$ref": "#/components/schemas/error"}, body)
        schema = self._content(response)
        if schema:
            return self._problems(status, schema, body)
        if status >= 400:
            return self._problems("error", {"$ref": "#/components/schemas/error"}, body)
        return []

    def _content(self, node):
        node = self.description.follow(node)
        content = node.get("content", {})
        return content.get("application/json", {}).get("schema")

    def _problems(self, key, schema, body):
        if key not in self._validators:
            self._validators[key] = Draft202012Validator(self.description.resolve(schema))
        found = []
        for error in self._validators[key].iter_errors(body):
            found.extend(self._leaves(error))
        return found

    def _leaves(self, error):
        """Where an error really is: of alternatives, in the one that fits best."""
        if not error.context:
            path = "/".join(map(str, error.absolute_path))
            return [(path or "body", error.message[:160])]
        branches = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        best = min(branches.values(), key=lambda errors: (self._misses_kind(errors), len(errors)))
        return [leaf for inner in best for leaf in self._leaves(inner)]

    @staticmethod
    def _misses_kind(errors):
        """Whether a branch fails at what tells the branches apart."""
        return any(
            error.validator == "enum" or (error.validator == "type" and not error.relative_path) for error in errors
        )


class Description:
    """One version of Intercom's API."""

    def __init__(self, version):
        self.version = version
        self.document = yaml.load((DIRECTORY / f"openapi-{version}.yaml").read_text(), Loader=LOADER)
        self._resolved = {}
        self.operations = {}
        self._patterns = []
        for path, item in self.document["paths"].items():
            pattern = re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) + "$")
            for method, node in item.items():
                if method in METHODS:
                    operation = Operation(self, method.upper(), path, node)
                    self.operations[operation.name] = operation
                    self._patterns.append((pattern, operation))

    def find(self, method, path):
        """The operation of a request; an exact path before one with parameters."""
        fits = [op for pattern, op in self._patterns if op.method == method and pattern.match(path)]
        return min(fits, key=lambda op: op.path.count("{"), default=None)

    def follow(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def resolve(self, node, seen=()):
        """The schema with references put in place, in JSON Schema's words for OpenAPI 3.0's."""
        if isinstance(node, list):
            return [self.resolve(element, seen) for element in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            name = node["$ref"]
            if name in seen:
                return {}
            if name not in self._resolved or seen:
                target = self.resolve(self.follow({"$ref": name}), (*seen, name))
                if seen:
                    return self._nullable(target, node)
                self._resolved[name] = target
            return self._nullable(self._resolved[name], node)
        # An example is for people; a property may nevertheless be called that.
        schema = {key: self.resolve(value, seen) for key, value in node.items() if key != "example"}
        schema.pop("examples", None)
        if isinstance(schema.get("oneOf"), list):
            # The alternatives of the descriptions overlap, so that one which fits has to be enough.
            schema["anyOf"] = schema.pop("oneOf")
        return self._nullable(schema, schema)

    @staticmethod
    def _nullable(schema, node):
        """OpenAPI 3.0 says `nullable` where JSON Schema lists the type null, also beside a reference."""
        if node.get("nullable") is not True:
            return schema
        without = {key: value for key, value in schema.items() if key != "nullable"}
        return {"anyOf": [{"type": "null"}, without]}
