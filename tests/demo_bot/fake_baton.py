"""A stand-in for Baton towards the demo bot: takes its commands as Baton does, and tells it what a test says."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DEMO_BOT = Path(__file__).resolve().parents[2] / "infra" / "demo-bot"
sys.path.insert(0, str(DEMO_BOT))

from bot import is_genuine  # noqa: E402
from outbox import sign  # noqa: E402

# In two halves, so that nothing here looks like a real secret.
SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
PATIENCE_SECONDS = 10
ALICE = {"id": "900002", "name": "Alice", "avatar": "https://example.com/alice.png"}
BOB = {"id": "900003", "name": "Bob", "avatar": None}

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method, url, body=None, headers=None):
    """One HTTP call: (status, JSON)."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    try:
        with _direct.open(urllib.request.Request(url, data, headers or {}, method=method), timeout=40) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


class FakeBaton(ThreadingHTTPServer):
    """Takes commands, unless it is told to fail; and posts events."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Door)
        self.commands = []
        self.fail = []  # Statuses that the next posts are answered with.
        self._events = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()
        port = _free_port()
        self.bot_url = f"http://127.0.0.1:{port}"
        command = [sys.executable, str(DEMO_BOT / "bot.py"), "--port", str(port), "--app", "sandbox1"]
        command += ["--commands", f"http://127.0.0.1:{self.server_port}/bots/demo/commands"]
        self._bot = subprocess.Popen(command, env={**os.environ, "BOT_SECRET": SECRET}, stdout=subprocess.PIPE)
        self._bot.stdout.readline()

    def end(self):
        """Ends the bot and the stand-in."""
        self._bot.terminate()
        self._bot.wait()
        self._bot.stdout.close()
        self.shutdown()
        self.server_close()

    def window(self, method, path, body=None):
        """What a chat window asks the bot, which must answer it."""
        status, answer = call(method, f"{self.bot_url}/chat{path}", body)
        assert status == 200, answer
        return answer

    def tell(self, chat_id, kind, data, conversation="4711", event_id=None, channel="web"):
        """Tells the bot something about a chat; the status."""
        self._events += 1
        event = {
            "v": 1, "id": event_id or f"evt_{chat_id}_{self._events}", "bot": "demo", "seq": self._events,
            "prev_seq": self._events - 1, "epoch": 1, "occurred_at": int(time.time() * 1000),
            "session": {"app_id": "sandbox1", "id": chat_id, "channel": channel},
            "conversation": conversation and {"intercom": {"app_id": "sandbox1", "conversationId": conversation}},
            "type": kind, "data": data,
        }  # fmt: skip
        body = json.dumps(event).encode()
        return call("POST", f"{self.bot_url}/events", body, sign(SECRET, body))[0]

    def command(self, number, kind):
        """The command of this number, counted from 0, once it is there; it must be of this kind."""
        until(lambda: len(self.commands) > number, f"command {number}, {kind}")
        assert self.commands[number]["type"] == kind, self.commands[number]
        return self.commands[number]


class _Door(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        assert is_genuine(SECRET, self.headers, body)
        status = self.server.fail.pop(0) if self.server.fail else 202
        if status == 202:
            self.server.commands += json.loads(body)["commands"]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b'{"error": "as the test wants it"}')

    def log_message(self, *_):
        pass


def until(came_true, what):
    """Waits until it is true, and returns what it is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := came_true()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)
    return found


def said(text, part_id, kind="teammate", name="Alice", files=()):
    """A message as an event tells it."""
    return {
        "part_id": part_id, "author": {"kind": kind, "id": "900002", "name": name}, "text": text, "markdown": text,
        "full_text": None, "choice": None, "attachments": list(files), "created_at": 1_700_000_000_000,
    }  # fmt: skip


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
