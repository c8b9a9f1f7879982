"""The wire between the functions and Intercom, which can be cut: a proxy that counts what reaches it.

It reads one request to its end, then decides what becomes of it. What is passed on goes to the sandbox
over a connection of its own, so that a cut on one side never shows on the other.
"""

import http.client
import socket
import socketserver
import struct
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# What becomes of a request. Of those that arrive, Intercom has done what was asked.
ARRIVES = {
    "answered": True,
    "answered, then closed": True,
    # The connection is kept, and reset as soon as the next request's first bytes have come.
    "answered, next is reset": True,
    "reset before it arrives": False,
    "reset after it arrived": True,
    "closed after it arrived": True,
    "cut in the head": True,
    "cut in the body": True,
}
CUTS = [fate for fate in ARRIVES if fate != "answered"]


@dataclass
class Seen:
    """A request that was read to its end."""

    method: str
    path: str
    body: bytes
    fate: str
    # Whether it was not the first one on its connection.
    kept: bool


@dataclass
class Wire:
    """A proxy on loop-back in front of an address."""

    target: str
    port: int = 0
    seen: list = field(default_factory=list)
    # Requests that met a reset with their first bytes.
    met_a_reset: int = 0
    # Decides the fate of a request by its method, path and body.
    fate: object = None

    def __enter__(self):
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", self.port), _Connection)
        self._server.wire = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="wire", daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self):
        """Where the functions find it."""
        return f"http://127.0.0.1:{self.port}"

    def decide(self, method, path, body, kept):
        """Notes a request; its fate."""
        with self._lock:
            fate = self.fate(method, path, body) if self.fate else "answered"
            self.seen.append(Seen(method, path, body, fate, kept))
            return fate

    def count_a_reset(self):
        """Notes a request of which only the beginning came."""
        with self._lock:
            self.met_a_reset += 1


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Connection(socketserver.BaseRequestHandler):
    def handle(self):
        stream = self.request.makefile("rb")
        kept = False
        while head := self._head(stream):
            method, path, headers = head
            body = stream.read(int(headers.get("content-length", 0)))
            fate = self.server.wire.decide(method, path, body, kept)
            kept = True
            answer = self._pass_on(method, path, headers, body) if ARRIVES[fate] else b""
            if not self._finish(fate, answer, stream):
                return

    @staticmethod
    def _head(stream):
        try:
            line = stream.readline().decode().split()
            if len(line) != 3:
                return None
            headers = {}
            while (header := stream.readline().strip()) != b"":
                name, _, value = header.decode().partition(":")
                headers[name.lower()] = value.strip()
        except OSError:
            return None
        return line[0], line[1], headers

    def _pass_on(self, method, path, headers, body):
        connection = http.client.HTTPConnection(urlsplit(self.server.wire.target).netloc, timeout=30)
        kept_here = {name: value for name, value in headers.items() if name not in ("host", "connection")}
        try:
            connection.request(method, path, body or None, kept_here)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        left_out = ("connection", "transfer-encoding", "content-length")
        lines = [f"HTTP/1.1 {response.status} {response.reason}", f"content-length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in response.getheaders() if name.lower() not in left_out]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + content

    def _finish(self, fate, answer, stream):
        """Answers or does not; whether the connection goes on."""
        if fate.startswith("answered"):
            self.request.sendall(answer)
            if fate == "answered, next is reset":
                if stream.read(1):
                    self.server.wire.count_a_reset()
                self._reset()
            return fate == "answered"
        if fate == "cut in the head":
            self.request.sendall(answer[:12])
        if fate == "cut in the body":
            self.request.sendall(answer[:-20])
        if fate.startswith("reset"):
            self._reset()
        return False

    def _reset(self):
        # Without lingering, a close is a reset.
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()
