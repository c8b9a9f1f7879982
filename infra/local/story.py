"""The story that `make run` plays: a customer, a bot and a teammate in one conversation.

Everything is driven through the sandbox, as people in Intercom would; what Baton does about it is read
back from there. Each scene waits for what must happen, never for a time, and fails when it does not.
"""

import html
import json
import re
import shutil
import textwrap
import time
from statistics import median

from aws import get_json, request
from console import Failure, paint, say

PATIENCE_SECONDS = 20
ALICE = "900002"
QUEUES = ("Inbox", "BotEvents", "Replies", "Close")
COLOURS = {"customer": 33, "bot": 36, "teammate": 35, "note": 90, "event": 90}


class Story:
    """One conversation in the sandbox, from the first message to its end."""

    def __init__(self, processes, aws, outputs, sandbox_url, bot_url, workspace):
        self._processes = processes
        self._aws = aws
        self._sqs = aws.client("sqs")
        self._outputs = outputs
        self._sandbox = f"{sandbox_url}/_sandbox"
        self._conversations = f"{self._sandbox}/{workspace.app_id}/conversations"
        self._bot_log = f"{bot_url}/log"
        self._workspace = workspace
        self._url = ""
        self._conversation = None
        self._told = 0
        self._started = time.monotonic()
        self._answered_after = []

    def play(self):
        """Plays every scene; a Failure tells which expectation did not come true."""
        try:
            self._play()
        except Failure as error:
            error.log = "\n".join(part for part in (error.log, self._evidence()) if part)
            raise
        self._summary()

    def _play(self):
        bot_team, support = self._workspace.bot_teams[0], self._workspace.handover_team

        self._scene("Carla writes, and the conversation is assigned to the bot's team.")
        self._begin("Hi, what are your opening hours?")
        self._teammate("assign", assignee={"type": "team", "id": bot_team})
        self._expect("the bot to answer", self._bot_says("9:00"))

        self._scene("She asks for a human. The bot says so, and hands over with a note that tells why.")
        self._customer("I want to talk to a human")
        self._expect("the bot to say goodbye", self._bot_says("colleague"))
        self._expect("the conversation to go to the team Support", lambda told: self._assignee() == ("team", support))
        self._expect("a note with the reason", lambda told: any(part["part_type"] == "note" for part in told))
        self._expect("a tag", lambda told: self._conversation["tags"]["tags"])

        self._scene("Alice takes over. The bot is silent, although Carla writes again.")
        heard, said = self._heard_by_bot(), self._said_by_bot()
        self._teammate("reply", body="Hi Carla, this is Alice. Your parcel comes on Friday.")
        self._customer("Great! And to which countries do you ship?")
        self._until_handled("conversation.user.replied")
        if self._heard_by_bot() != heard or self._said_by_bot() != said:
            raise Failure("the bot did not stay silent while Alice had the conversation")
        say(self._line("", "event", "The bot was asked nothing and said nothing."))

        self._scene("Alice gives it back. The bot knows what she said, and answers what she left open.")
        self._teammate("assign", assignee={"type": "admin", "id": self._workspace.bot_teammate})
        self._expect("the bot to resume and quote Alice", self._bot_says("Friday"))
        self._expect("the bot to answer Carla's open question", self._bot_says("Europe"))

        self._scene("Carla is content. The bot closes the conversation, and she reads why.")
        self._customer("thanks")
        self._expect("a reason that Carla can read", self._bot_says("closing"))
        self._expect("the conversation to be closed", lambda told: self._conversation["state"] == "closed")
        self._until_handled("conversation.admin.closed")

    # ── What people do ──────────────────────────────────────────────────────────────────────────

    def _begin(self, body):
        self._will_act()
        answer = self._post(self._conversations, {"contact_name": "Carla", "body": body})
        self._url = f"{self._conversations}/{answer['conversation_id']}"
        self._tell()

    def _customer(self, body):
        self._will_act()
        self._post(f"{self._url}/customer", {"body": body})
        self._tell()

    def _teammate(self, action, **details):
        self._will_act()
        self._post(f"{self._url}/teammate", {"admin_id": ALICE, "action": action, **details})
        self._tell()

    def _will_act(self):
        """Notes where things stand before an act, so that what follows can be told from what was."""
        self._mark = len(self._tell()) if self._url else 0
        self._mark_delivery = max((delivery["n"] for delivery in self._deliveries()), default=0)
        self._acted_at = time.monotonic()

    def _post(self, url, body):
        status, answer = request("POST", url, body)
        if status >= 300:
            raise Failure(f"the sandbox answered {status} to POST {url}", log=answer.decode(errors="replace"))
        return json.loads(answer or b"{}")

    # ── What must happen ────────────────────────────────────────────────────────────────────────

    def _expect(self, what, came_true):
        """Waits until `came_true` of what was told since the last act."""

        def look():
            told = self._tell()[self._mark :]
            return came_true(told)

        self._processes.wait_until(look, what, PATIENCE_SECONDS)

    def _bot_says(self, words=""):
        def came_true(told):
            for part in told:
                if self._speaker(part)[1] == "bot" and words in _plain(part["body"]):
                    self._answered_after.append(time.monotonic() - self._acted_at)
                    return True
            return False

        return came_true

    def _assignee(self):
        team, admin = self._conversation["team_assignee_id"], self._conversation["admin_assignee_id"]
        return ("admin", str(admin)) if admin else ("team", str(team))

    def _until_handled(self, topic):
        """Until the webhook of the last act has arrived and each queue, in the order of the flow, ran dry.

        The sandbox delivers a conversation's webhooks one after the other, so those before it went too.
        """
        self._processes.wait_until(
            lambda: any(
                delivery["topic"] == topic and delivery["n"] > self._mark_delivery and 200 <= (delivery["status"] or 0) < 300
                for delivery in self._deliveries()
            ),
            f"the webhook {topic} to be taken",
            PATIENCE_SECONDS,
        )
        for name in QUEUES:
            self._processes.wait_until(
                lambda name=name: not any(self._depth(f"{name}QueueUrl")), f"the queue {name} to run dry", PATIENCE_SECONDS
            )
        self._tell()

    def _deliveries(self):
        return get_json(f"{self._sandbox}/deliveries")["deliveries"]

    def _depth(self, output):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self._sqs.get_queue_attributes(QueueUrl=self._outputs[output], AttributeNames=names)["Attributes"]
        return [int(counts[name]) for name in names]

    def _heard_by_bot(self):
        return [event for event in get_json(self._bot_log) if event.get("type") == "message"]

    def _said_by_bot(self):
        return sum(self._speaker(part)[1] == "bot" for part in self._tell())

    # ── What is told ────────────────────────────────────────────────────────────────────────────

    def _scene(self, text):
        say()
        say(paint(f"  {text}", 1))

    def _tell(self):
        """Reads the conversation, prints what is new, and returns all its parts, the first message first."""
        self._conversation = get_json(self._url)
        parts = [{"part_type": "comment", **self._conversation["source"]}]
        parts += self._conversation["conversation_parts"]["conversation_parts"]
        for part in parts[self._told :]:
            name, kind = self._speaker(part)
            say(self._line(name, kind, self._words(part)))
        self._told = len(parts)
        return parts

    def _speaker(self, part):
        """Who a part is from: the name to show, and the kind of speaker."""
        author = part["author"]
        if author["type"] in ("user", "lead", "contact"):
            return f"{author.get('name') or 'Customer'} (customer)", "customer"
        if part["part_type"] not in ("comment", "note") and not _plain(part.get("body")):
            return author.get("name") or "Intercom", "event"
        if str(author["id"]) == self._workspace.bot_teammate:
            return ("Baton note", "note") if part["part_type"] == "note" else ("Bot", "bot")
        return f"{author.get('name') or 'Teammate'} (teammate)", "note" if part["part_type"] == "note" else "teammate"

    def _words(self, part):
        said = _plain(part.get("body"))
        if part["part_type"] in ("comment", "note"):
            return said
        to = part.get("assigned_to") or {}
        what = {"assignment": "assigns", "close": "closes", "open": "opens"}.get(part["part_type"], part["part_type"])
        whom = f" to {to['type']} {self._workspace.names.get(str(to['id']), to['id'])}" if to.get("id") else ""
        return f"[{what}{whom}] {said}".rstrip()

    def _line(self, name, kind, text):
        margin = f"  {time.monotonic() - self._started:5.1f} s  {name:>18}  "
        # What is left of the line after the time and the name; readable also where it is narrow.
        room = min(84, max(24, shutil.get_terminal_size((112, 24)).columns - 34))
        lines = textwrap.wrap(text, room) if text else [""]
        first, rest = lines[0], lines[1:]
        coloured = [paint(f"{margin}│ ", COLOURS[kind]) + first]
        return "\n".join(coloured + [paint(f"{'':{len(margin)}}│ ", COLOURS[kind]) + line for line in rest])

    def _summary(self):
        parts = self._tell()
        kinds = [self._speaker(part)[1] for part in parts]
        counts = ", ".join(f"{kinds.count(kind)} by {who}" for kind, who in
                           (("customer", "the customer"), ("bot", "the bot"), ("teammate", "the teammate")))
        say()
        say(paint("  The story came out as it should.", 32))
        say(f"    messages      {counts}, {kinds.count('note')} notes")
        taken = sum(200 <= (delivery["status"] or 0) < 300 for delivery in self._deliveries())
        say(f"    webhooks      {taken} taken; the bot got {len(get_json(self._bot_log))} events")
        say(f"    bot's answer  {median(self._answered_after):.1f} s after what it answers (median),"
            f" at most {max(self._answered_after):.1f} s")
        say(f"    all in        {time.monotonic() - self._started:.1f} s")

    def _evidence(self):
        depths = ", ".join(f"{name} {self._depth(f'{name}QueueUrl')} dead {sum(self._depth(f'{name}DeadLetterQueueUrl'))}" for name in QUEUES)
        logs = [f"queues (waiting, in hand): {depths}", *self._aws.function_logs()]
        return "\n".join([*logs, *(self._processes.tail(name) for name in ("sandbox", "demo bot"))])


def _plain(body):
    """What a reader sees of an HTML body."""
    text = re.sub(r"<br ?/?>|</p>|</li>|</h\d>", " ", body or "")
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())
