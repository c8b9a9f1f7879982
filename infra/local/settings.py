"""What the local deployment is set to: the sandbox's workspace, or a real one named by the environment.

Secrets go to Secrets Manager, and the access token to the table, sealed; the settings file holds none.
"""

import base64
import hmac
import json
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass, field

from console import Failure

API_VERSION = "2.15"
REGIONS = ("us", "eu", "au")


@dataclass
class Workspace:
    """One workspace, as the settings file describes it, and its two secrets."""

    app_id: str
    webhook_path: str
    region: str
    bot_teammate: str
    bot_teams: list
    handover_team: str
    access_token: str
    client_secret: str
    name: str = ""
    api_url: str = ""
    monitor: str = ""
    rules: str = ""
    transfer: str = ""
    names: dict = field(default_factory=dict)  # of teammates and teams, by their ids


# For the demo bot's dialog in the sandbox's first workspace: one rule of each kind, and several for one node,
# by tag, attribute, channel and time; e-mails in a row are one turn. The office never closes, so that what
# is played at night goes on as by day.
RULES = """
[workspace.email]
burst_seconds = 3
[workspace.office_hours]
time_zone = "UTC"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
hours = "00:00-24:00"
[workspace.rules]
[[workspace.rules.rule]]
nodes = ["Refunds", "Contracts"]
action = "suggest"
team = "500001"
[[workspace.rules.rule]]
nodes = "Invoices"
action = "send"
team = "500002"
[[workspace.rules.rule]]
nodes = "Complaints"
action = "nothing"
teammate = "900003"
[[workspace.rules.rule]]
nodes = "Warranty"
action = "answer"
team = "500001"
shadow = true
[[workspace.rules.rule]]
nodes = "Discounts"
action = "answer"
tags = "VIP"
[[workspace.rules.rule]]
nodes = "Discounts"
action = "answer"
attributes = { "Bot outcome" = ["discount", "voucher"] }
[[workspace.rules.rule]]
nodes = "Discounts"
action = "suggest"
team = "500001"
channels = "email"
[[workspace.rules.rule]]
nodes = "Discounts"
action = "send"
team = "500002"
hours = "open"
"""


# The demo bot's own chats go to the people of the sandbox's first workspace, and from the kiosk to nobody.
# The times are short, so that one sees them run out.
TRANSFER = """
[[workspace.transfer]]
bot = "demo"
availability = "refuse"
[workspace.transfer.channels]
web = "team:500001"
whatsapp = "team:500002"
sms = "team:500004"
[workspace.transfer.nobody]
after_seconds = 60
message = "Everybody is busy right now. I ask other colleagues."
then = "team:500002"
[workspace.transfer.teammate]
after_seconds = 75
message = "My colleague is still there, and needs a moment more."
then = "keep"
[workspace.transfer.customer]
after_seconds = 90
message = "I take it that all is well."
then = "close"
"""


def of_sandbox(seed_file, sandbox_url, position=0):
    """One of the sandbox's workspaces, the first unless told; its secrets are in the seed, for everybody to read."""
    seed = json.loads(seed_file.read_text())["workspaces"][position]
    token = seed["access_tokens"][0]
    return Workspace(
        app_id=seed["app_id"],
        webhook_path=f"{seed['app_id']}-hook",
        region=seed["region"].lower(),
        bot_teammate=token["admin_id"],
        bot_teams=["500009"],
        handover_team="500001",
        access_token=token["token"],
        client_secret=seed["client_secret"],
        name=seed["name"],
        api_url=sandbox_url,
        monitor="500004" if position == 0 else "",
        rules=RULES if position == 0 else "",
        transfer=TRANSFER if position == 0 else "",
        names={member["id"]: member["name"] for member in seed["admins"] + seed["teams"]},
    )


def of_intercom(environment):
    """The workspace that INTERCOM_ACCESS_TOKEN opens, as Intercom describes it; the rest from INTERCOM_* too."""
    token = environment["INTERCOM_ACCESS_TOKEN"]
    client_secret = environment.get("INTERCOM_CLIENT_SECRET", "")
    if not client_secret:
        raise Failure(
            "INTERCOM_CLIENT_SECRET is not set",
            hint="It signs the webhooks: Developer Hub > your app > Basic information > Client secret.",
        )
    api_url = environment.get("INTERCOM_API_URL", "").rstrip("/")
    me = _me(api_url or "https://api.intercom.io", token)
    app = me.get("app") or {}
    region = str(app.get("region") or "").lower()
    if not app.get("id_code") or region not in REGIONS:
        raise Failure("Intercom's answer to GET /me names no workspace or an unknown region")
    return Workspace(
        app_id=app["id_code"],
        # Not to be guessed, and the same at every start, so that it is entered in Intercom once.
        webhook_path=f"{app['id_code']}-{hmac.digest(client_secret.encode(), b'webhook path', 'sha256').hex()[:16]}",
        region=region,
        bot_teammate=environment.get("INTERCOM_BOT_TEAMMATE") or str(me["id"]),
        bot_teams=_list(environment.get("INTERCOM_BOT_TEAMS", "")),
        handover_team=environment.get("INTERCOM_HANDOVER_TEAM", ""),
        access_token=token,
        client_secret=client_secret,
        name=app.get("name", ""),
        api_url=api_url,
    )


def _me(api_url, token):
    url = f"{api_url}/me"
    headers = {"authorization": f"Bearer {token}", "accept": "application/json", "intercom-version": API_VERSION}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=15) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        hint = "Is INTERCOM_ACCESS_TOKEN whole, and not revoked?" if error.code in (401, 403) else ""
        raise Failure(f"GET {url} was answered with {error.code}", hint=hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Failure(f"GET {url} failed: {reason}", hint="Is this machine online? INTERCOM_API_URL names another host.") from None


def _list(text):
    return [item.strip() for item in text.split(",") if item.strip()]


def new_bot_secret():
    """A fresh signing secret for the demo bot, in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def secret_values(workspace, bot_secret):
    """What the two secrets of the deployment hold."""
    return {
        "webhook-secrets": {workspace.app_id: workspace.client_secret},
        "bot-secrets": {"demo": bot_secret},
    }


def as_toml(workspace, bot_url):
    """The settings file of the local deployment."""
    text = json.dumps  # A JSON string, or a list of them, is a TOML one as well.
    lines = [
        "# Written by the local runner at every start.",
        "local = true",
        "",
        "[[workspace]]",
        f"app_id = {text(workspace.app_id)}",
        f"webhook_path = {text(workspace.webhook_path)}",
        f"region = {text(workspace.region)}",
        f"api_version = {text(API_VERSION)}",
        *([f"api_url = {text(workspace.api_url)}"] if workspace.api_url else []),
        f"client_secret = {text('secret:' + workspace.app_id)}",
        f"bot_teammate = {text(workspace.bot_teammate)}",
        f"bot_teams = {text(workspace.bot_teams)}",
        *([f"monitor = {text(workspace.monitor)}"] if workspace.monitor else []),
        'bot = "demo"',
        "",
        *(workspace.rules.strip().splitlines() + [""] if workspace.rules else []),
        *(workspace.transfer.strip().splitlines() + [""] if workspace.transfer else []),
        *(["[workspace.handover]", f"default_team = {text(workspace.handover_team)}", ""] if workspace.handover_team else []),
        "[[bot]]",
        'id = "demo"',
        'transport = "https"',
        f"url = {text(bot_url)}",
        'secret = "secret:demo"',
        "",
    ]
    return "\n".join(lines)
