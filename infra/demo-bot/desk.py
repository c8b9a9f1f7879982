"""The bot platform's own chats: when the bot speaks, when it gives up, and what passes to and from people.

In its own chats the bot answers by itself. When it gives up it asks Baton for people (`transfer_start`);
from then on it passes on what the customer writes, and shows what teammates write, until Baton tells
that the conversation is closed: then the bot has the chat again, and knows what was said meanwhile.
How a window asks for all of this is in `window.py`.
"""

import re
import time

import dialog
import directions
from chats import ASKED, BOT, CHANNELS, ENDED, HUMAN, RELAYED, WAITING

IDENTITY = ("external_id", "email", "phone", "name")
LEAVE, GO_ON = "leave-a-message", "go-on"
ORDER_NUMBER = re.compile(r"\b\d{4,8}\b")


class Desk:
    """What becomes of each customer's word and of each event about a chat."""

    def __init__(self, app_id, chats, samples, base_url):
        self.app_id = app_id
        self.chats = chats
        self.samples = samples
        self._base_url = base_url
        # Where commands go; without it the bot has no colleagues.
        self.outbox = None

    # ── What the customer does ──────────────────────────────────────────────────────────────────

    def begin(self, channel, customer):
        """A new chat, in which the bot says hello; the chat as it is shown."""
        known = {name: str(customer[name]) for name in IDENTITY if customer.get(name)}
        with self.chats.lock:
            chat = self.chats.open(channel, known)
            hello = f"Hi {known['name'].split(' ')[0]}!" if known.get("name") else "Hi!"
            chat.add("bot", f"{hello} I know our *hours*, *prices* and *shipping*. Or say “human”.")
            self.chats.changed(chat)
            return chat.shown()

    def write(self, chat, text, files, choice=None):
        """The customer writes; whoever's turn it is hears of it. The message's number."""
        with self.chats.lock:
            message = chat.add("customer", text, files=files, choice=choice)
            relayed = chat.state in RELAYED
            if relayed:
                self._relay(chat, message)
            self.chats.changed(chat)
        if not relayed:
            time.sleep(directions.delay(directions.in_text(text)))
            with self.chats.lock:
                self._answer(chat, message)
                self.chats.changed(chat)
        return message["n"]

    def end(self, chat):
        """The customer has had enough: of the colleague, or else of the chat."""
        with self.chats.lock:
            if chat.state in RELAYED:
                self._tell(chat, "You ended the talk with our colleagues.")
                self._ask(chat, "transfer_end", {"reason": "The customer ended it in the chat."})
            elif chat.state == BOT:
                chat.state = ENDED
                self._tell(chat, "You ended the chat.")
            self.chats.changed(chat)

    def remove(self, chat, number):
        """The customer takes a message of theirs back, wherever it has been passed on to."""
        with self.chats.lock:
            message = chat.find(n=number)
            if not message or message["from"] != "customer" or message.get("removed"):
                return False
            self._blank(message)
            self._take_back(chat, message)
            self.chats.changed(chat)
            return True

    # ── What Baton tells ────────────────────────────────────────────────────────────────────────

    def hear(self, event):
        """An event about a chat. Whoever repeats one is not heard twice: the server sees to that."""
        session = event["session"]
        with self.chats.lock:
            chat = self.chats.get(session["id"])
            if chat is None and event["type"].startswith("command_"):
                return  # Nobody waits for what becomes of it.
            if chat is None:  # Of a run before this one; or people begin, and the customer's number is its name.
                channel = session.get("channel") or "web"
                customer = {} if channel in CHANNELS else {"external_id": session["id"]}
                chat = self.chats.open(channel, customer, chat_id=session["id"])
            # What is said may be said beside the chat, in another conversation.
            if event.get("conversation") and event["type"] not in ("agent_message", "message", "message_redacted"):
                chat.conversation_id = event["conversation"]["intercom"]["conversationId"]
            heard = getattr(self, f"_on_{event['type']}", None)
            if heard:
                heard(chat, event["data"])
            self.chats.changed(chat)

    def _on_handover_waiting(self, chat, _data):
        if chat.state != HUMAN:
            chat.state = WAITING
            self._tell(chat, "A colleague will be with you soon.")

    def _on_agent_joined(self, chat, data):
        self._meet(chat, data["agent"])
        self._tell(chat, f"{_called(data['agent'])} joined the chat.")

    def _on_agent_changed(self, chat, data):
        self._meet(chat, data["agent"])
        self._tell(chat, f"{_called(data.get('former'))} left, {_called(data['agent'])} joined the chat.")

    def _on_agent_left(self, chat, data):
        chat.agent = None
        if chat.state == HUMAN:
            chat.state = WAITING
        self._tell(chat, f"{_called(data.get('agent'))} left the chat. Another colleague will be with you soon.")

    def _on_agent_message(self, chat, data):
        message = data["message"]
        author = message["author"]
        kind = "teammate" if author["kind"] == "teammate" else "workflow"
        known = chat.agent if chat.agent and chat.agent["id"] == author["id"] else {}
        chat.add(
            kind, message["text"], markdown=message["markdown"], name=author.get("name") or known.get("name"),
            avatar=author.get("avatar") or known.get("avatar"),
            part_id=message["part_id"], files=[_shown_file(one) for one in message["attachments"]],
        )  # fmt: skip

    def _on_message(self, chat, data):
        """The same customer, through another door: Intercom's Messenger, or an e-mail."""
        message = data["message"]
        files = [_shown_file(one) for one in message["attachments"]]
        chat.add("customer", message["text"], through="intercom", part_id=message["part_id"], files=files)

    def _on_message_redacted(self, chat, data):
        message = chat.find(part_id=data["part_id"])
        if message:
            self._blank(message)

    def _on_nobody_there(self, chat, data):
        if data.get("message"):
            self._say(chat, data["message"])

    def _on_timed_out(self, chat, data):
        if data.get("message"):
            self._say(chat, data["message"])

    def _on_closed(self, chat, data):
        talked = chat.agent
        chat.state, chat.agent = BOT, None
        chat.stretch = data.get("stretch") or []
        told = [message for message in chat.stretch if message["author"]["kind"] == "teammate" and message["text"]]
        if talked and data.get("by") in ("people", "deletion"):
            self._tell(chat, f"{_called(talked)} ended the talk.")
        chat.untold = chat.messages[-1]["n"] + 1
        if told:
            name = told[-1]["author"].get("name") or "my colleague"
            self._say(chat, f"Welcome back! {name} told you: “{told[-1]['text']}” Is there anything else?")
        else:
            self._say(chat, "Welcome back! You are with me again. What else can I do?")

    def _on_reopened(self, chat, _data):
        chat.state = HUMAN if chat.agent else WAITING
        self._tell(chat, "Our colleagues opened the talk again.")

    def _on_rated(self, chat, data):
        chat.rating = data["rating"]
        self._tell(chat, f"You rated the talk {data['rating']} of 5.")

    def _on_command_done(self, chat, data):
        message = chat.find(command_id=data["command_id"])
        if not message:
            return
        message["delivery"] = "sent"
        message["part_id"] = data.get("part_id")
        if message.get("removed"):
            self._take_back(chat, message)

    def _on_command_rejected(self, chat, data):
        message = chat.find(command_id=data["command_id"])
        if message and message.get("starts"):
            self._refuse(chat, message, data)
        elif message:
            message["delivery"] = "refused"
            if chat.state == BOT:
                self._answer(chat, message)
            else:
                self._tell(chat, f"Your message could not be delivered: {data['message']}")

    def _on_command_superseded(self, chat, data):
        """The colleague was gone before the customer's words came there: they are the bot's to answer."""
        message = chat.find(command_id=data["command_id"])
        if message:
            message["delivery"] = "refused"
            if chat.state == BOT:
                self._answer(chat, message)

    def refused(self, chat_id, command, why):
        """Baton does not understand a command at all."""
        with self.chats.lock:
            chat = self.chats.get(chat_id)
            if chat:
                self._on_command_rejected(chat, {"command_id": command["id"], "code": "malformed", "message": why})
                self.chats.changed(chat)

    # ── The bot ─────────────────────────────────────────────────────────────────────────────────

    def _answer(self, chat, message):
        """Says what the bot has to say to a customer's message."""
        if chat.state == ENDED:
            chat.state = BOT
        words, choice = message["text"], message.get("choice")
        if choice and choice["value"] in (LEAVE, GO_ON):
            chat.leaves_message = choice["value"] == LEAVE
            self._say(chat, "What shall I tell them?" if chat.leaves_message else "Gladly. What do you want to know?")
            return
        if chat.leaves_message:
            chat.leaves_message = False
            self._say(chat, "Thank you, I have written it down. My colleagues will come back to you.")
            return
        if "what was said" in words.lower():
            self._say(chat, self._recollection(chat))
            return
        commands = directions.commands(directions.in_text(words))
        if commands is None:
            asked = {"part_id": None, "text": words, "choice": choice, "attachments": message["files"]}
            commands = dialog.answer_message(asked, {"contact": {"name": chat.customer.get("name")}})
        for command in commands:
            self._do(chat, command, message)

    def _do(self, chat, command, message):
        """A command of the bot protocol, in the bot's own chat."""
        kind, data = command["type"], command.get("data", {})
        if kind == "reply" and any(block["type"] == "connect_to_agent" for block in data["content"]):
            self._show(chat, data["content"])
            self._transfer(chat, message, {"reason": "The answer ended in “talk to a colleague”."})
        elif kind == "reply":
            self._show(chat, data["content"])
        elif kind == "handover":
            self._show(chat, data.get("content", []))
            self._transfer(chat, message, data)
        elif kind == "close":
            self._say(chat, data.get("reason") or "Good bye!")
        elif kind == "attachments":
            for answer in dialog.answer_attachments({"attachments": message["files"]}):
                self._show(chat, answer["data"]["content"])
        elif chat.conversation_id:
            self._ask(chat, kind, data)

    def _transfer(self, chat, message, handover):
        """Asks for people. What the customer just said opens the conversation; the rest is told in a note."""
        said = [one for one in chat.messages if chat.untold <= one["n"] and one is not message and not one.get("removed")]
        transcript = [
            {"author": one["from"], "text": one["text"], "at": one["at"], **({"name": name} if name else {})}
            for one in said
            if one["from"] in ("customer", "bot") and one["text"]
            for name in [chat.customer.get("name") if one["from"] == "customer" else "Demo bot"]
        ]
        questions = [one["text"] for one in said if one["from"] == "customer" and one["text"]]
        numbers = ORDER_NUMBER.findall(" ".join([*questions, message["text"]]))
        data = {
            "channel": chat.channel,
            "customer": chat.customer,
            "text": message["text"],
            "attachments": [_sent_file(one) for one in message["files"]],
            "transcript": transcript,
            "reason": handover.get("reason") or "The bot knows no further.",
            "summary": f"{chat.customer.get('name') or 'A customer'} on {CHANNELS.get(chat.channel, chat.channel)}, "
            f"after {len(questions)} question{'' if len(questions) == 1 else 's'} to the bot.",
            "data": {"Order number": numbers[-1]} if numbers else {},
            "tags": handover.get("intercom_tags", "bot-handover"),
            "attributes": {"Bot outcome": "handed over", **({"Order number": numbers[-1]} if numbers else {})},
        }
        if handover.get("to"):
            data["to"] = handover["to"]
        chat.state = ASKED
        message["starts"] = True
        message["delivery"] = "sending"
        message["command_id"] = self._ask(chat, "transfer_start", data)

    def _relay(self, chat, message):
        data = {"text": message["text"], "attachments": [_sent_file(one) for one in message["files"]]}
        message["delivery"] = "sending"
        message["command_id"] = self._ask(chat, "transfer_message", data)

    def _take_back(self, chat, message):
        """In Intercom too, once it is there. What a conversation was opened with has no part of its own."""
        if message.get("part_id"):
            self._ask(chat, "redact", {"part_id": message["part_id"]})
        elif message.get("starts") and message.get("delivery") == "sent":
            self._ask(chat, "redact", {})

    def _refuse(self, chat, message, data):
        """There will be no colleague: the bot says so, and offers something else."""
        chat.state = BOT
        message["delivery"] = "refused"
        said = {
            "unmapped_channel": f"On this channel ({CHANNELS.get(chat.channel, chat.channel)}) I cannot fetch a colleague.",
            "unavailable": f"My colleagues are not there right now. {data['message']}",
        }
        self._say(chat, said.get(data["code"], f"I could not fetch a colleague: {data['message']}"))
        question = dialog.options("Shall I take a message for them?", {LEAVE: "Leave a message", GO_ON: "Go on with you"})
        self._show(chat, [question])

    def _ask(self, chat, kind, data):
        """Sends a command about a chat; its id."""
        chat.commands += 1
        command_id = f"{chat.id}/{chat.commands}"
        session = {"app_id": self.app_id, "id": chat.id}
        command = {"v": 1, "id": command_id, "session": session, "type": kind, "data": data}
        if self.outbox:
            self.outbox.put(chat.id, command)
        return command_id

    # ── What is shown ───────────────────────────────────────────────────────────────────────────

    def _say(self, chat, markdown):
        chat.add("bot", markdown)

    def _tell(self, chat, text):
        chat.add("event", text)

    def _show(self, chat, content):
        """Blocks of a reply, as this platform shows them; a pause is none."""
        for block in content:
            kind = block["type"]
            if kind == "text":
                more = {} if block.get("format", "markdown") == "markdown" else {"format": block["format"]}
                chat.add("bot", block["text"], **more)
            elif kind == "options":
                chat.add("bot", block.get("text", ""), options=block["options"])
            elif kind in ("file", "image"):
                name = block.get("name") or block["url"].rpartition("/")[2]
                chat.add("bot", "", files=[{"url": block["url"], "name": name, "content_type": block.get("content_type")}])
            elif kind == "card":
                chat.add("bot", _card(block))
            elif kind == "carousel":
                chat.add("bot", "\n\n".join(map(_card, block["cards"])))
            elif kind == "list":
                items = [f"- {item['title']}" + (f": {item['description']}" if item.get("description") else "") for item in block["items"]]
                chat.add("bot", "\n".join([f"**{block.get('title', '')}**", "", *items]))

    def _recollection(self, chat):
        if not chat.stretch:
            return "Nobody but me has spoken with you yet."
        lines = [f"- {message['author'].get('name') or 'You'}: {message['text'] or 'a file'}" for message in chat.stretch]
        return "\n".join(["This was said while I was away:", "", *lines])

    def _meet(self, chat, agent):
        chat.state = HUMAN
        chat.agent = {"id": agent["id"], "name": agent.get("name"), "avatar": agent.get("avatar")}

    def _blank(self, message):
        message.update(text="", files=[], removed=True, markdown=None, options=None)


def _called(agent):
    return (agent or {}).get("name") or "Our colleague"


def _shown_file(attachment):
    return {name: attachment.get(name) for name in ("url", "name", "content_type", "size_bytes")}


def _sent_file(file):
    return {name: file[name] for name in ("url", "name", "content_type", "fetch") if file.get(name)}


def _card(card):
    links = "\n".join(f"- [{link['label']}]({link['url']})" for link in card.get("links", []))
    return "\n\n".join(part for part in (f"**{card['title']}**", card.get("description"), links) if part)
