"""Small files that a customer of the demo can send: a picture, a document, and one behind a link that runs out."""

import secrets
import struct
import threading
import time
import zlib

# How long a link that runs out can be followed.
EXPIRES_AFTER_S = 20
# Larger than Baton fetches.
HUGE_BYTES = 64 * 1024 * 1024


def _picture(width=240, height=150):
    """A green hill under a light sky, as PNG."""
    rows = b""
    for y in range(height):
        row = b""
        for x in range(width):
            hill = height * 0.55 + (x - width / 2) ** 2 / 260
            row += bytes((60, 140 - y // 4, 90)) if y > hill else bytes((190 + y // 4, 220 + y // 8, 240))
        rows += b"\0" + row
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _document():
    """One page that says what it is, as PDF."""
    words = b"BT /F1 24 Tf 72 720 Td (Invoice 5512) Tj ET"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(words), words),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n%s%s" % (len(parts) + 1, table, end)


FILES = {
    "photo.png": ("image/png", _picture),
    "invoice.pdf": ("application/pdf", _document),
    "receipt.pdf": ("application/pdf", _document),
    "film.mp4": ("video/mp4", lambda: bytes(HUGE_BYTES)),
}
# Those that are behind a link that runs out: Baton is asked to fetch them at once.
EXPIRING = ("receipt.pdf", "film.mp4")
LABELS = {
    "photo.png": "A photo",
    "invoice.pdf": "An invoice",
    "receipt.pdf": f"A receipt, whose link runs out after {EXPIRES_AFTER_S} s",
    "film.mp4": "A film that is too large",
}


class Samples:
    """The files by their addresses."""

    def __init__(self):
        self._lock = threading.Lock()
        self._until = {}

    def attachment(self, name, base_url):
        """The file as a command names it; None when there is no such file."""
        if name not in FILES:
            return None
        fetch = name in EXPIRING
        path = f"{self._token()}/{name}" if fetch else name
        return {"url": f"{base_url}/chat/files/{path}", "name": name, "content_type": FILES[name][0], "fetch": fetch}

    def _token(self):
        token = secrets.token_urlsafe(12)
        with self._lock:
            self._until = {one: until for one, until in self._until.items() if until > time.monotonic()}
            self._until[token] = time.monotonic() + EXPIRES_AFTER_S
        return token

    def read(self, path):
        """The file at a path below `files/`: its type and its bytes; None when there is none, or not any more."""
        token, _, name = path.rpartition("/")
        if name not in FILES or (name in EXPIRING) != bool(token):
            return None
        with self._lock:
            if token and self._until.get(token, 0) < time.monotonic():
                return None
        content_type, make = FILES[name]
        return content_type, make()
