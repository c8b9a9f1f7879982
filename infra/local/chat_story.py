"""The second story that `make run` plays: a chat on the bot platform itself, in which people of Intercom help.

What the customer does goes to the demo bot, as from a chat window; what the teammate does, to the sandbox.
"""

import time

from aws import get_json
from console import Failure, paint, say
from story import Story

SPEAKERS = {"customer": ("Ines (chat)", "customer"), "bot": ("Bot (chat)", "bot"), "event": ("chat", "event")}


class ChatStory(Story):
    """One chat, from the bot to people and back."""

    def __init__(self, processes, aws, outputs, sandbox_url, bot_url, workspace):
        super().__init__(processes, aws, outputs, sandbox_url, bot_url, workspace)
        self._sessions = f"{bot_url}/chat/sessions"
        self._chat_url = ""
        self._chat_told = 0

    def play(self):
        """Plays every scene; a Failure tells which expectation did not come true."""
        try:
            self._play()
        except Failure as error:
            error.log = "\n".join(part for part in (error.log, self._evidence()) if part)
            raise
        say()
        say(paint(f"  So did the chat on the bot platform, in {time.monotonic() - self._started:.1f} s.", 32))

    def _play(self):
        self._scene("Ines is on the bot platform's own chat, outside Intercom. The bot answers by itself.")
        chat = self._post(self._sessions, {"channel": "web", "customer": {"external_id": "cust-ines", "name": "Ines"}})
        self._chat_url = f"{self._sessions}/{chat['id']}"
        self._writes("What are your prices? My order is 55120.")
        self._expect_chat("the bot to answer", "bot", "12 €")

        self._scene("She asks for a human. A conversation is opened in Intercom, with a note that tells all of it.")
        self._writes("I want to talk to a human")
        self._expect_chat("the chat to wait for a colleague", "event", "colleague")
        self._url = f"{self._conversations}/{self._chat()['conversation_id']}"
        self._mark = 0
        self._expect("her words in Intercom", lambda told: "human" in self._words(told[0]))
        self._expect("a note with what was said", lambda told: any("55120" in self._words(part) for part in told if part["part_type"] == "note"))

        self._scene("Alice answers in Intercom; Ines reads it where she is, and answers there.")
        self._teammate("reply", body="Hello Ines, this is Alice. Your order has left us.")
        self._expect_chat("Alice's words in the chat", "teammate", "this is Alice")
        self._mark = len(self._tell())
        self._writes("Great, thank you!")
        self._expect("her answer in Intercom", lambda told: any("Great" in self._words(part) for part in told))

        self._scene("Alice closes. The bot has its chat again, and knows what she said.")
        self._teammate("close")
        self._expect_chat("the bot to know what Alice said", "bot", "Alice told you")
        self._until_handled("conversation.admin.closed")

    def _writes(self, words):
        self._post(f"{self._chat_url}/messages", {"text": words})
        self._tell_chat()

    def _chat(self):
        return get_json(self._chat_url)

    def _expect_chat(self, what, author, words):
        """Waits until somebody says this in the chat, whenever that is."""
        told = lambda: any(one["from"] == author and words in one["text"] for one in self._tell_chat())
        self._processes.wait_until(told, what, 20)

    def _tell_chat(self):
        """Prints what is new in the chat, and returns all of it."""
        messages = self._chat()["messages"]
        for one in messages[self._chat_told :]:
            name, kind = SPEAKERS.get(one["from"], (f"{one.get('name')} (chat)", "teammate"))
            say(self._line(name, kind, " ".join(one["text"].replace("*", "").split())))
        self._chat_told = len(messages)
        return messages
