"""Commands on their way to Baton: signed, in order within a chat, and again until they are taken.

A command that Baton refuses as malformed is given back with the reason, and those behind it go on.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from urllib.parse import urlsplit

# As many as Baton takes at once.
MOST_AT_ONCE = 20
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.3, 10
TIMEOUT_S = 20

# Baton's address is on this machine, or the proxy is no business of a demo's.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def sign(secret, body):
    """The headers of Standard Webhooks for a body that is posted now."""
    message_id, timestamp = f"msg_{secrets.token_hex(12)}", str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    code = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(code).decode()
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


class Outbox:
    """Posts the commands of chats to one address."""

    def __init__(self, url, secret, refused):
        """`refused(chat_id, command, why)` is told of a command that is no command."""
        self._url, self._host = _reachable(url)
        self._secret = secret
        self._refused = refused
        self._lock = threading.Lock()
        self._waiting = {}

    def put(self, chat_id, command):
        """Sends a command after those of the same chat that were put before it. Returns at once."""
        with self._lock:
            waiting = self._waiting.get(chat_id)
            if waiting is not None:
                waiting.append(command)
                return
            self._waiting[chat_id] = deque([command])
        threading.Thread(target=self._empty, args=(chat_id,), daemon=True).start()

    def _empty(self, chat_id):
        at_once, pause = MOST_AT_ONCE, FIRST_PAUSE_S
        while True:
            with self._lock:
                waiting = self._waiting[chat_id]
                if not waiting:
                    del self._waiting[chat_id]
                    return
                commands = list(waiting)[:at_once]
            status, why = self._post(commands)
            if status == 400 and len(commands) > 1:
                at_once = 1  # The whole body was refused: which of them is it?
                continue
            if not (200 <= status < 300 or status in (400, 413)):
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            with self._lock:
                for _ in commands:
                    waiting.popleft()
            at_once, pause = MOST_AT_ONCE, FIRST_PAUSE_S
            if status >= 300:
                self._refused(chat_id, commands[0], why)

    def _post(self, commands):
        body = json.dumps({"commands": commands}).encode()
        headers = {"content-type": "application/json", **self._host, **sign(self._secret, body)}
        try:
            with _direct.open(urllib.request.Request(self._url, body, headers), timeout=TIMEOUT_S) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)


def _reachable(url):
    """Where to connect, and the headers for it: names below localhost are this machine, whether it knows so or not."""
    parts = urlsplit(url)
    if not (parts.hostname or "").endswith(".localhost"):
        return url, {}
    here = f"127.0.0.1:{parts.port}" if parts.port else "127.0.0.1"
    return parts._replace(netloc=here).geturl(), {"host": parts.netloc}
