"""What people do in Intercom, through the sandbox's control API, and what they see there."""

import json

from aws import get_json, request

# Stands in everything that anybody says, so that it can be searched for where no words may be.
CANARY = "heliotrope"

# The id of one teammate in each workspace of the seed.
TEAMMATE = "900002"


class Conversation:
    """A conversation that a customer has begun."""

    def __init__(self, control, workspace, contact_name, body):
        self.workspace = workspace
        self.app_id = workspace.app_id
        begun = _post(f"{control}/{self.app_id}/conversations", {"contact_name": contact_name, "body": spoken(body)})
        self.id = begun["conversation_id"]
        self.contact_id = begun["contact_id"]
        self._url = f"{control}/{self.app_id}/conversations/{self.id}"

    @property
    def address(self):
        """Its address, as the bot protocol writes it."""
        return {"intercom": {"app_id": self.app_id, "conversationId": self.id}}

    def customer_writes(self, body):
        """The id of the new part."""
        return _post(f"{self._url}/customer", {"body": spoken(body)})["part_id"]

    def teammate_writes(self, body):
        """The id of the new part."""
        return self._teammate("reply", body=spoken(body))

    def goes_to_the_bot(self):
        """As a workflow does: to the team that is the bot's."""
        return self._teammate("assign", assignee={"type": "team", "id": self.workspace.bot_teams[0]})

    def goes_back_to_the_bot(self):
        """As a person does: to the bot's own teammate."""
        return self._teammate("assign", assignee={"type": "admin", "id": self.workspace.bot_teammate})

    def _teammate(self, action, **details):
        return _post(f"{self._url}/teammate", {"admin_id": TEAMMATE, "action": action, **details})["part_id"]

    def state(self):
        """`open`, `snoozed` or `closed`."""
        return get_json(self._url)["state"]

    def seen(self):
        """What the customer reads, oldest first: id, author, body, created_at."""
        return get_json(self._url)["seen_by_customer"]

    def seen_of_bot(self):
        """What of it is the bot's."""
        return [entry for entry in self.seen() if entry["author"]["name"] == self.workspace.names[self.workspace.bot_teammate]]

    def parts(self):
        """Everything that teammates see, besides the first message."""
        return get_json(self._url)["conversation_parts"]["conversation_parts"]

    def notifications(self, topic=None):
        """The ids of the webhooks that were due for it so far, of one topic or of all, in order."""
        events = get_json(f"{self._url}/events")["events"]
        due = [event for event in events if event["kind"] == "notification" and event["subscribed"]]
        return [event["notification_id"] for event in due if topic in (None, event["topic"])]


def spoken(text):
    """A text as it is said in these tests: with the word that must not be found in a log."""
    return f"{text} ({CANARY})"


def _post(url, body):
    status, answer = request("POST", url, body)
    assert status == 200, f"{status} to POST {url}: {answer}"
    return json.loads(answer)
