"""The chats that the bot platform holds by itself: who writes on which channel, and what has been said.

What a chat window shows is here and nothing else: whose turn it is decides `desk.py`, how a window
asks for it is in `window.py`. All of it is in memory. Every change has a number, so that a window asks
for what it does not know yet, and waits for it.
"""

import secrets
import threading
import time

CHANNELS = {
    "web": "Web chat",
    "whatsapp": "WhatsApp",
    "sms": "Text message",
    "kiosk": "Kiosk in the shop",
}
# Whose turn it is in a chat.
BOT, ASKED, WAITING, HUMAN, ENDED = "bot", "asked", "waiting", "human", "ended"
RELAYED = (ASKED, WAITING, HUMAN)
MOST_CHATS = 200
MOST_MESSAGES = 500


class Chat:
    """One customer's chat."""

    def __init__(self, chat_id, channel, customer):
        self.id = chat_id
        self.channel = channel
        self.customer = customer
        self.state = BOT
        self.agent = None
        self.conversation_id = None
        self.rating = None
        self.began_at = _now()
        self.messages = []
        self.version = 0
        # How many commands it has had, which gives each its id.
        self.commands = 0
        # The number of the first message that no colleague has been told of.
        self.untold = 1
        # What people and the customer said when the bot did not have it.
        self.stretch = []
        # Whether the customer's next words are a message for colleagues who are not there.
        self.leaves_message = False
        self._last = 0

    def add(self, author, text="", **more):
        """Adds a message, or a line that tells what happened, and returns it."""
        self._last += 1
        message = {"n": self._last, "from": author, "text": text, "at": _now(), "files": [], **more}
        self.messages.append(message)
        del self.messages[:-MOST_MESSAGES]
        return message

    def shown(self):
        """The chat as a window gets it."""
        names = ("id", "channel", "customer", "state", "agent", "conversation_id", "rating", "began_at", "messages", "version")
        return {name: getattr(self, name) for name in names}

    def find(self, **wanted):
        """The newest message with these members; None when there is none."""
        fits = lambda message: all(message.get(name) == value for name, value in wanted.items())
        return next(filter(fits, reversed(self.messages)), None)


class Chats:
    """All chats. Whoever reads or changes one holds `lock`."""

    def __init__(self):
        self.lock = threading.Condition(threading.RLock())
        self.run = secrets.token_hex(4)
        self.version = 0
        self._chats = {}

    def open(self, channel, customer, chat_id=None):
        """A new chat."""
        chat = Chat(chat_id or f"{channel}-{secrets.token_hex(6)}", channel, customer)
        self._chats[chat.id] = chat
        for old in list(self._chats)[:-MOST_CHATS]:
            del self._chats[old]
        self.changed(chat)
        return chat

    def get(self, chat_id):
        """The chat; None when there is none."""
        return self._chats.get(chat_id)

    def changed(self, chat):
        """Numbers a change, and wakes those who wait for one."""
        self.version += 1
        chat.version = self.version
        self.lock.notify_all()

    def since(self, run, version, wait_seconds):
        """What has changed since a version of this run; waits for it for so long when nothing has."""
        known = version if run == self.run else 0
        with self.lock:
            if run == self.run:
                self.lock.wait_for(lambda: self.version > known, wait_seconds)
            changed = [chat.shown() for chat in self._chats.values() if chat.version > known]
            return {"run": self.run, "version": self.version, "chats": changed}


def _now():
    return int(time.time() * 1000)
