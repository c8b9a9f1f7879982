"""A sandbox for each test file, from the built binary, and its control API."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pytest

CLIENTS = Path(__file__).resolve().parent.parent


class Sandbox:
    """`baton sandbox` (the binary in BATON) on a free port."""

    def __init__(self):
        command = [os.environ["BATON"], "sandbox", "--listen", "127.0.0.1:0", "--seed", CLIENTS / "seed.json"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        assert "listening on http" in line, f"the sandbox ended at its start with {self._process.poll()}: {line!r}"
        self.url = line.split()[-1]

    def control(self, request, body=None):
        """A request below /_sandbox, `"POST reset"` for one."""
        method, path = request.split(" ")
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        asked = urllib.request.Request(f"{self.url}/_sandbox/{path}", data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self._process.terminate()
        assert self._process.wait(timeout=10) == 0
        self._process.stdout.close()


@pytest.fixture(scope="module")
def running():
    sandbox = Sandbox()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running):
    """The sandbox as its seed has it."""
    running.control("POST reset")
    return running
