#!/usr/bin/env python3
"""A bot, and the small bot platform around it, that speak Baton's bot protocol and nothing else.

In Intercom's conversations it answers events with commands (`dialog.py`). It also holds chats of its own,
on channels of its own, in which it answers by itself, and has people fetched over Baton when it knows no
further (`desk.py`). It needs Python alone: verifying the signature, reading the event and answering in the
HTTP response is all that a bot has to do; what it asks for by itself it posts, signed (`outbox.py`).
(Besides, it heeds directions in square brackets, so that accidents can be played with it; `directions.py`
has them, and it alone.)

`GET /log` shows the events that it got, for tests and for the curious; `window.py` is what a chat window asks.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dialog
import directions
from chats import Chats
from desk import Desk
from outbox import Outbox
from samples import Samples
from window import Refused, Window

TOLERANCE_S = 300
MAX_BODY_BYTES = 1_000_000


def is_genuine(secret, headers, body):
    """Checks the signature by the rules of Standard Webhooks."""
    event_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    code = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(code)
    given = headers.get("webhook-signature", "").encode().split(b" ")
    return any(hmac.compare_digest(expected, signature) for signature in given)


class Bot(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, secret, app_id, commands_url=None):
        super().__init__(address, Handler)
        self.secret = secret
        self.lock = threading.Lock()
        self.log = []
        self.answers = {}  # by event id: the same event gets the same answer
        self.attempts = Counter()  # by event id: how often it has come
        base_url = f"http://127.0.0.1:{self.server_port}"
        self.desk = Desk(app_id, Chats(), Samples(), base_url)
        self.window = Window(self.desk, base_url)
        if commands_url:
            self.desk.outbox = Outbox(commands_url, secret, self.desk.refused)

    def take(self, event):
        """The status and the body to answer an event with."""
        directed = directions.of(event)
        with self.lock:
            self.attempts[event["id"]] += 1
            attempt = self.attempts[event["id"]]
        if status := directions.failure(directed, attempt):
            return status, {"error": "as the customer's words direct"}
        if attempt == 1:
            time.sleep(directions.delay(directed))
        with self.lock:
            if event["id"] not in self.answers:
                self.log.append(event)
                self.answers[event["id"]] = {"commands": self._answer(event, directed)}
            return 200, "nonsense" if directions.speaks_nonsense(directed) else self.answers[event["id"]]

    def _answer(self, event, directed):
        if event.get("session"):
            self.desk.hear(event)
            return []  # What it has to say, it says in its own chat.
        commands = directions.commands(directed)
        return dialog.answer(event) if commands is None else commands


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = self.headers.get("content-length", "0")
        length = int(length) if length.isascii() and length.isdigit() else MAX_BODY_BYTES + 1
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            return self.respond(413, {"error": "too large"})
        body = self.rfile.read(length)
        if self.path.startswith("/chat/"):
            return self.chat("POST", body)
        if self.path != "/events":
            return self.respond(404, {"error": "post events to /events"})
        if not is_genuine(self.server.secret, self.headers, body):
            return self.respond(401, {"error": "the signature does not fit"})
        return self.respond(*self.server.take(json.loads(body)))

    def do_GET(self):
        if self.path.startswith("/chat/files/"):
            return self.file()
        if self.path.startswith("/chat/"):
            return self.chat("GET", b"")
        if self.path != "/log":
            return self.respond(404, {"error": "there are /log and /chat"})
        with self.server.lock:
            log = list(self.server.log)
        return self.respond(200, log)

    def chat(self, method, body):
        """What a chat window asks; no page may ask it from a browser (`window.py`)."""
        if self.headers.get("origin"):
            return self.respond(403, {"error": "no page may ask this"})
        try:
            asked = json.loads(body or b"{}")
            if not isinstance(asked, dict):
                raise ValueError("an object is wanted")
            return self.respond(*self.server.window.answer(method, self.path, asked))
        except Refused as refused:
            return self.respond(refused.status, {"error": str(refused)})
        except ValueError as error:
            return self.respond(400, {"error": f"the body: {error}"})

    def file(self):
        found = self.server.window.file(self.path)
        if not found:
            return self.respond(404, {"error": "there is no such file, or not any more"})
        return self.send(200, *found)

    def respond(self, status, value):
        self.send(status, "application/json", json.dumps(value).encode())

    def send(self, status, content_type, body):
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-content-type-options", "nosniff")
        try:
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # Whoever asked is gone.

    def log_message(self, *_):
        """Requests are not logged: events carry customers' words."""


def main():
    parser = argparse.ArgumentParser(description="A demo bot for Baton's bot protocol.")
    parser.add_argument("--port", type=int, default=4030)
    parser.add_argument("--app", default="sandbox1", help="the workspace whose people help in the bot's own chats")
    parser.add_argument("--commands", metavar="URL", help="where Baton takes the bot's commands: …/bots/ID/commands")
    arguments = parser.parse_args()
    secret = os.environ.get("BOT_SECRET", "")
    if not secret.startswith("whsec_"):
        parser.error("set BOT_SECRET to the bot's secret, whsec_…, as in Baton's bot secrets")
    bot = Bot(("127.0.0.1", arguments.port), secret, arguments.app, arguments.commands)
    print(f"demo bot listening on http://127.0.0.1:{bot.server_port}/events", flush=True)
    try:
        bot.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
