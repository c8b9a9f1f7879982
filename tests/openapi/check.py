"""Holds requests and answers, Baton's and the sandbox's, against Intercom's official descriptions.

Four things are checked, in each of the versions 2.10, 2.15 and 2.16:

- the requests that Baton sent while the tests ran, and what the sandbox answered to them
  (`.local/**/intercom-requests*.jsonl`, `.local/**/requests/*.jsonl`);
- the requests of `drive.py`, which calls every operation of the sandbox, and the answers to them;
- that bodies which break a description, and ids and queries that mean nothing, are refused in Intercom's form
  (`hostile.py`);
- that all operations which Baton uses are among them.

Where the descriptions contradict what Intercom really does, `exceptions.py` says so. They lie
beside the project and not in it: where they are missing, this says so and ends.
"""

import collections
import json
import re
import sys
import tempfile
from pathlib import Path

import descriptions
import drive
import exceptions
import hostile
from descriptions import ROOT, VERSIONS, shape

# What Baton calls, from its adapter of Intercom's API.
USED = [
    ("GET", "/admins"),
    ("GET", "/admins/{}"),
    ("GET", "/contacts/find_by_external_id/{}"),
    ("GET", "/contacts/{}"),
    ("GET", "/conversations/{}"),
    ("GET", "/data_attributes"),
    ("GET", "/me"),
    ("GET", "/office_hours_schedules"),
    ("GET", "/office_hours_schedules/{}/office_hours_exceptions"),
    ("GET", "/tags"),
    ("GET", "/teams"),
    ("GET", "/teams/{}"),
    ("POST", "/contacts"),
    ("POST", "/contacts/search"),
    ("POST", "/contacts/{}/unarchive"),
    ("POST", "/conversations"),
    ("POST", "/conversations/redact"),
    ("POST", "/conversations/search"),
    ("POST", "/conversations/{}/parts"),
    ("POST", "/conversations/{}/reply"),
    ("POST", "/conversations/{}/tags"),
    ("POST", "/tags"),
    ("PUT", "/contacts/{}"),
    ("PUT", "/conversations/{}"),
]
# Faults that spoil an answer on purpose; what was asked is held against the descriptions all the same.
SPOILT = ("garbled", "truncated")
# A conversation's custom attributes can be set from 2.11; Baton refuses to before. Quick replies are
# offered from 2.14, and as a list of numbers before.
SINCE = {"custom_attributes": "2.11", "reply_options": "2.14"}
# What a test asks beside Baton, to prepare something, has this in its query.
BESIDE = "beside=baton"
# What is asked of later versions alone.
PATHS_SINCE = {"/contacts/find_by_external_id/": "2.13", "/office_hours_schedules": "2.16"}


class Findings:
    """What was held against the descriptions, and what did not fit."""

    def __init__(self):
        self.requests = collections.Counter()
        self.answers = collections.Counter()
        self.refusals = collections.Counter()
        self.problems = collections.Counter()
        self.broken = set()

    def problem(self, version, operation, direction, text):
        self.broken.add((version, operation.name))
        text = re.sub(r"/\d+(?=/|:)", "/*", text)
        self.problems[f"{operation} {direction}, {version}: {text}"] += 1

    def valid(self, counter, version, operation):
        return counter[(version, operation.name)]


def hold(findings, description, entry, answers):
    """One recorded call against one version."""
    operation = description.find(entry["method"], entry["path"])
    if operation is None:
        # The sandbox refused it; that it did is for the driver to see.
        return None
    status = entry["status"]
    name = f"{entry['method']} {shape(operation.path)}"
    if status is not None and status < 500:
        problems = [
            (where, message)
            for where, message in operation.request_problems(entry.get("body"))
            if not exceptions.request(name, where, message)
        ]
        # What was refused may have been wrong.
        for where, message in problems if status < 300 else ():
            findings.problem(description.version, operation, "request", f"{where}: {message}")
        if not problems:
            findings.requests[(description.version, operation.name)] += 1
    spoilt = (entry.get("fault") or {}).get("fault") in SPOILT
    answer = entry.get("answer") if answers and not spoilt else None
    if answer is None or status is None:
        return operation
    problems = [
        (where, message)
        for where, message in operation.answer_problems(status, answer["body"])
        if not exceptions.answer(name, where, message)
    ]
    for where, message in problems:
        findings.problem(description.version, operation, f"answer {status}", f"{where}: {message}")
    if not problems:
        findings.answers[(description.version, operation.name)] += 1
    return operation


def recorded():
    files = [*ROOT.glob(".local/**/requests/*.jsonl"), *ROOT.glob(".local/**/intercom-requests*.jsonl")]
    for file in sorted(files):
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            if BESIDE not in str(entry.get("query")):
                yield entry


def applies(entry, version):
    """Whether Baton would send this request to a workspace of that version."""
    body = entry.get("body")
    needed = [since for field, since in SINCE.items() if isinstance(body, dict) and field in body]
    needed += [since for path, since in PATHS_SINCE.items() if entry["path"].startswith(path)]
    return all(drive.number(version) >= drive.number(since) for since in needed)


def check_baton(findings, known):
    """What Baton sent, against every version; what it was answered, against the version it asked for."""
    count, unknown = 0, collections.Counter()
    for entry in recorded():
        count += 1
        for description in known:
            if not applies(entry, description.version) or (entry["status"] or 500) >= 300:
                continue
            operation = hold(findings, description, entry, answers=_version(entry) == description.version)
            if operation is not None and operation.name not in USED:
                unknown[f"Baton calls {operation}, which is not in the list of what it uses"] += 1
            if operation is None:
                unknown[f"{entry['method']} {entry['path']} is not in {description.version}"] += 1
    return count, unknown


def _version(entry):
    answer = entry.get("answer") or {}
    return entry.get("version") or answer.get("headers", {}).get("intercom-version")


def check_driver(findings, known, binary):
    """Every operation, called in every version. The operations that were called and that there are."""
    called, had = {}, {}
    with tempfile.TemporaryDirectory() as directory:
        record = Path(directory) / "calls.jsonl"
        with drive.sandbox(binary, record) as address:
            calls = 0
            for description in known:
                session = drive.Session(address, description.version)
                drive.drive(session)
                calls += session.calls
                called[description.version] = session.called
                had[description.version] = {name for name in session.operations if session.has(*name)}
            for entry in drive.written(record, calls):
                for description in known:
                    if entry["version"] == description.version:
                        hold(findings, description, entry, answers=True)
    return called, had


def check_hostile(findings, known, binary):
    """Bodies that break the description, before every good one; then ids and queries that mean nothing. How many."""
    sent, stopped = 0, []

    def refused(description, operation, what, kind, status, answer):
        nonlocal sent
        sent += 1
        if 200 <= status < 300:
            findings.problem(description.version, operation, "taken", f"{what}: {kind} ({status})")
        elif not 400 <= status < 500:
            findings.problem(description.version, operation, "hostile", f"{what}: {kind}: {status}")
        elif operation.answer_problems(418, answer):
            findings.problem(description.version, operation, "refusal", f"{what}: {kind}: {answer}")
        else:
            findings.refusals[(description.version, operation.name)] += 1

    with drive.sandbox(binary) as address:
        for description in known:

            def attack(session, method, path, body, description=description):
                operation = description.find(method, path.partition("?")[0])
                if operation is None or not operation.takes_body():
                    return
                for (where, kind), candidate in hostile.variants(operation, body):
                    # What is taken on purpose is not sent, as it would do something.
                    if not exceptions.taken(str(operation), where, kind):
                        refused(description, operation, where, kind, *session.send(method, path, candidate))

            session = drive.Session(address, description.version, attack)
            try:
                drive.drive(session)
            except drive.Broken as problem:
                stopped.append(f"what should have been refused did something: {problem}")
            for name in sorted(name for name in session.operations if session.has(*name)):
                operation = description.operations.get(name)
                if operation is None:
                    continue
                for path in hostile.strange_paths(name[1]):
                    body = {} if operation.takes_body() else None
                    refused(description, operation, path, "id", *session.send(name[0], path, body))
                for parameter, query in hostile.strange_queries(operation):
                    taken = exceptions.taken(str(operation), parameter, "query")
                    if "{" not in name[1] and not taken:
                        refused(description, operation, parameter, "query", *session.send(name[0], name[1] + query))
    return sent, stopped


def table(findings, known, had):
    """A line an operation: valid requests, valid answers and refusals in each version."""
    names = sorted({name for names in had.values() for name in names}, key=lambda name: (name[1], name[0]))
    lines = [f"{'operation':56} " + "  ".join(f"{d.version + ' req/ans/ref':>18}" for d in known)]
    complete, missing_used = 0, []
    for name in names:
        cells, whole = [], True
        for description in known:
            operation = description.operations.get(name)
            if name not in had[description.version] or operation is None:
                cells.append(f"{'-':>18}")
                continue
            key = (description.version, name)
            counts = findings.requests[key], findings.answers[key], findings.refusals[key]
            covered = counts[0] and counts[1] and key not in findings.broken
            whole &= bool(covered)
            cells.append(f"{'/'.join(map(str, counts)):>17}" + (" " if covered else "!"))
        complete += whole
        if name in USED and not whole:
            missing_used.append(f"{name[0]} {name[1]}")
        mark = "*" if name in USED else " "
        lines.append(f"{mark}{name[0]:6} {name[1]:48} " + "  ".join(cells))
    return lines, complete, len(names), missing_used


def main():
    if not descriptions.are_there():
        print("Intercom's descriptions are not beside the project (../shared/intercom/openapi):")
        print("neither requests nor answers are checked against them.")
        return 0
    known = [descriptions.Description(version) for version in VERSIONS]
    findings = Findings()
    binary = drive.build()
    try:
        called, had = check_driver(findings, known, binary)
    except drive.Broken as problem:
        print(f"the sandbox: {problem}")
        return 1
    sent, stopped = check_hostile(findings, known, binary)
    requests, unknown = check_baton(findings, known)
    lines, complete, total, missing = table(findings, known, had)
    print("\n".join(lines))
    print("(* used by Baton; ! not whole; - not in that version; requests, answers and refusals that fit)")
    uncalled = sorted({name for version in had for name in had[version] - called[version]})
    for name in uncalled:
        print(f"not called with success: {name[0]} {name[1]}")
    for text, count in sorted({**findings.problems, **unknown}.items()):
        print(f"{count:5} x {text}")
    for text in stopped:
        print(text)
    for name in missing:
        print(f"used by Baton and not whole: {name}")
    if not requests:
        print("no requests of Baton's were recorded; the tests that record them have not run here")
    print(
        f"{complete} of {total} operations whole in {', '.join(VERSIONS)}; {requests} requests of Baton's, "
        f"{sum(findings.requests.values())} requests, {sum(findings.answers.values())} answers, {sent} hostile requests"
    )
    return 1 if findings.problems or unknown or missing or stopped else 0


if __name__ == "__main__":
    sys.exit(main())
