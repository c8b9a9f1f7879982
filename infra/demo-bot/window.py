"""How a chat window asks for chats, over HTTP and JSON. It has no credentials: it is for this machine.

| `GET /chat/about` | → `{name, app_id, channels: [{id, name}], samples: [{name, label}]}` |
| `GET /chat/changes?run=&after=&wait=` | → `{run, version, chats: [...]}`: those that changed since; waits for it |
| `POST /chat/sessions` | `{channel, customer: {external_id?, email?, phone?, name?}}` → the chat |
| `GET /chat/sessions/{id}` | → the chat |
| `POST /chat/sessions/{id}/messages` | `{text?, files?: [{sample} or {url, name?, content_type?, fetch?}], choice?}` → `{n}` |
| `POST /chat/sessions/{id}/end` | → `{}`: ends the talk with people, or else the chat |
| `POST /chat/sessions/{id}/remove` | `{n}` → `{}`: the customer takes a message back |
| `GET /chat/files/{name}` | → a sample file |

A browser names in `Origin` the page that a request comes from; none may ask here. The sandbox's page
asks the sandbox, which passes it on.
"""

from urllib.parse import parse_qs, unquote, urlsplit

from chats import CHANNELS
from desk import IDENTITY
from samples import LABELS

LONGEST_WAIT_S = 25
MOST_TEXT = 20_000
MOST_FILES = 10


class Refused(Exception):
    """A request that cannot be answered: the status, and why in words."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


class Window:
    """Answers the requests of chat windows."""

    def __init__(self, desk, base_url):
        self._desk = desk
        self._base_url = base_url

    def file(self, path):
        """The sample file at a path: (type, bytes), or None."""
        return self._desk.samples.read(path.removeprefix("/chat/files/"))

    def answer(self, method, target, body):
        """The status and the JSON to answer with; `body` is what was sent, read as JSON."""
        parts = urlsplit(target)
        match method, [unquote(part) for part in parts.path.split("/")[2:]]:
            case "GET", ["about"]:
                return 200, self._about()
            case "GET", ["changes"]:
                return 200, self._changes(parse_qs(parts.query))
            case "POST", ["sessions"]:
                return 200, self._begin(body)
            case "GET", ["sessions", chat_id]:
                with self._desk.chats.lock:
                    return 200, self._chat(chat_id).shown()
            case "POST", ["sessions", chat_id, "messages"]:
                return 200, {"n": self._write(self._chat(chat_id), body)}
            case "POST", ["sessions", chat_id, "end"]:
                self._desk.end(self._chat(chat_id))
                return 200, {}
            case "POST", ["sessions", chat_id, "remove"]:
                if not self._desk.remove(self._chat(chat_id), body.get("n")):
                    raise Refused(404, "there is no such message of the customer's")
                return 200, {}
        raise Refused(404, "there is no such request of a chat window")

    def _about(self):
        channels = [{"id": one, "name": name} for one, name in CHANNELS.items()]
        samples = [{"name": name, "label": label} for name, label in LABELS.items()]
        return {"name": "Demo bot", "app_id": self._desk.app_id, "channels": channels, "samples": samples}

    def _changes(self, query):
        one = lambda name: query.get(name, [""])[0]
        number = lambda name: int(one(name)) if one(name).isascii() and one(name).isdigit() else 0
        return self._desk.chats.since(one("run"), number("after"), min(number("wait"), LONGEST_WAIT_S))

    def _begin(self, body):
        customer = body.get("customer") or {}
        if body.get("channel") not in CHANNELS:
            raise Refused(400, f"the channel is one of {', '.join(CHANNELS)}")
        if not isinstance(customer, dict) or not all(isinstance(customer.get(name, ""), str) for name in IDENTITY):
            raise Refused(400, f"a customer has {', '.join(IDENTITY)}, each of them text")
        return self._desk.begin(body["channel"], customer)

    def _write(self, chat, body):
        text, choice = body.get("text", ""), body.get("choice")
        files = [self._file(one) for one in body.get("files") or []]
        if not isinstance(text, str) or len(text) > MOST_TEXT or len(files) > MOST_FILES:
            raise Refused(400, f"a message has text of up to {MOST_TEXT} characters and up to {MOST_FILES} files")
        if not (text.strip() or files):
            raise Refused(400, "a message has text or files")
        if choice is not None and not (isinstance(choice, dict) and isinstance(choice.get("value"), str)):
            raise Refused(400, "a choice has a value")
        return self._desk.write(chat, text, files, choice and {"label": text, "value": choice["value"]})

    def _file(self, file):
        if not isinstance(file, dict):
            raise Refused(400, "a file is an object")
        if "sample" in file:
            found = self._desk.samples.attachment(file["sample"], self._base_url)
            if not found:
                raise Refused(400, "there is no such sample")
            return found
        url = file.get("url")
        if not (isinstance(url, str) and url.startswith(("http://", "https://"))):
            raise Refused(400, "a file has an address, http or https")
        name = file.get("name") or unquote(urlsplit(url).path.rpartition("/")[2]) or "file"
        return {"url": url, "name": name, "content_type": file.get("content_type"), "fetch": bool(file.get("fetch"))}

    def _chat(self, chat_id):
        with self._desk.chats.lock:
            chat = self._desk.chats.get(chat_id)
        if not chat:
            raise Refused(404, "there is no such chat")
        return chat
