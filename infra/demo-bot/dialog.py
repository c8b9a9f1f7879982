"""What the bot says: a few answers, by the words in a question.

It answers questions, some of them naming its turn, so that a workspace's rules decide what becomes
of the answer; it offers plans to choose from, shows tents as cards, takes its time to look up
an order, looks at files, hands over on "human", closes on "thanks", and shows after a hand-over that it
knows what was said meanwhile. Events of Intercom's conversations go in, commands of the bot protocol
come out; in the bot platform's own chats (`desk.py`) the same answers are said by the bot itself.
"""

ANSWERS = {
    "hour": "We are open **Monday to Friday, 9:00 to 18:00**.",
    "price": "Plans:\n\n- *Basic* is free\n- *Team* is 12 € a month\n\nSee [the price list](https://example.com/prices).",
    "morning": "Parcels come between *8:00 and 12:00*, so yes, in the morning.",
    "ship": "We ship within two days, to all of Europe.",
}

# What the bot's dialog has besides: a node's name, what teammates read of it, whether it goes on from
# there, and its answers. What the workspace's rules make of each is the workspace's matter.
DIALOG = {
    "refund": ("Refunds", "Give money back", False, ["You get your money back within 14 days, by the way that you paid."]),
    "warranty": ("Warranty", "Warranty", False, ["The warranty is two years, from the day of delivery."]),
    "invoice": ("Invoices", "Explain an invoice", False, ["Your invoices are in your account, under *Payments*."]),
    "complain": ("Complaints", "Take a complaint", False, ["I am sorry to hear that."]),
    "discount": ("Discounts", "Give a discount", False, ["You get ten percent with the code `TENT10`."]),
    "contract": ("Contracts", "Change a contract", True, ["Which contract is it about?"]),
    "broken": ("Refunds", "Give money back", False, ["We replace it at once.", "You get your money back.", "You get a voucher of 10 €."]),
}


PLANS = {"plan_basic": ("Basic", "Free, for one person."), "plan_team": ("Team", "12 € a month, for up to ten.")}
TENTS = [("Tarn", 2, "https://example.com/tarn.png"), ("Loch", 4, "https://example.com/loch.png")]


def text(words):
    return {"type": "text", "text": words}


def reply(*content):
    return {"type": "reply", "data": {"content": [text(one) if isinstance(one, str) else one for one in content]}}


def options(question, choices):
    """Buttons where Intercom has them, else a list with numbers; either way the value comes back."""
    shown = [{"label": label, "value": value} for value, label in choices.items()]
    return {"type": "options", "text": question, "options": shown}


def tent(name, persons, picture):
    page = f"https://example.com/tents/{name.lower()}"
    links = [{"label": "Order it", "url": f"{page}/order"}]
    return {"title": name, "description": f"For {persons} persons.", "url": page, "image_url": picture, "links": links}


def show(words):
    """What is more than words: options, cards, lists, pauses, files. None where it is not asked for."""
    if "plan" in words:
        return reply(options("Which *plan* shall I tell you about?", {value: name for value, (name, _) in PLANS.items()}))
    if "tents" in words:
        return reply("These are our tents:", {"type": "carousel", "cards": [tent(*one) for one in TENTS]})
    if "tent" in words:
        return reply({"type": "card", **tent(*TENTS[0])})
    if "pack" in words:
        items = [{"title": "Tent"}, {"title": "Pegs", "description": "Twelve will do."}]
        return reply({"type": "list", "title": "For your tour", "items": items})
    if "order" in words:
        return reply("One moment, I am looking it up …", {"type": "pause", "ms": 2_000}, "Your order is on its way.")
    if "manual" in words:
        return reply({"type": "file", "url": "https://example.com/manual.pdf", "name": "The manual"})
    return None


def answer_choice(choice):
    name, what = PLANS.get(choice["value"], (choice["label"], "I do not know it."))
    return reply(f"**{name}**: {what}")


def answer_files(message):
    """The addresses of files run out: fresh ones are asked for when they are needed."""
    return [{"type": "attachments", "data": {"part_id": message["part_id"]}}]


def answer_attachments(data):
    names = " and ".join(f"`{one['name']}`" for one in data["attachments"]) or "nothing any more"
    return [reply(f"I have looked at {names}.")]


def candidates(answers):
    """Best first, the bot being less sure of each."""
    return [{"label": f"Answer {n}", "text": text, "confidence": round(1 - n / 10, 2)} for n, text in enumerate(answers, 1)]


def answer_by_node(name, purpose, goes_on, answers):
    """An answer that names its turn: how the bot came to it, how sure it is, what else it thinks of."""
    command = reply(answers[0])
    command["data"]["turn"] = {
        "nodes": [{"id": name.lower(), "name": name, "external_name": purpose, "has_children": goes_on}],
        "intents": [{"name": name.lower(), "confidence": 0.9}],
        "candidates": candidates(answers) if len(answers) > 1 else [],
    }
    return command


def answer_message(message, context):
    words = message["text"].lower()
    if message["choice"]:
        return [answer_choice(message["choice"])]
    if "look" in words and message["attachments"]:
        return answer_files(message)
    if "human" in words or "person" in words:
        return [{
            "type": "handover",
            "data": {
                "reason": "The customer asked for a person.",
                "note": f"Their words: *{message['text']}*",
                "content": [text("Of course. I am handing you over to a colleague.")],
                "intercom_tags": "bot-handover, asked for a person",
            },
        }]
    if "thank" in words:
        return [{"type": "close", "data": {"reason": "You are welcome! I am closing this conversation; write again at any time."}}]
    for key, node in DIALOG.items():
        if key in words:
            return [answer_by_node(*node)]
    for key, known in ANSWERS.items():
        if key in words:
            return [reply(known)]
    if shown := show(words):
        return [shown]
    name = (context["contact"]["name"] or "").split(" ")[0]
    greeting = f"Hi {name}! " if name else "Hi! "
    return [reply(greeting + "I know our *hours*, *prices* and *shipping*, our *plans* and *tents*. Or say “human”.")]


def answer_resumed(stretch):
    told = [message for message in stretch if message["author"]["kind"] == "teammate"]
    if not told:
        return []
    last = told[-1]
    name = last["author"]["name"] or "My colleague"
    return [reply(f"I am back. {name} told you: “{last['text']}” Is there anything else?")]


def answer(event):
    data = event["data"]
    if event["type"] == "message":
        return answer_message(data["message"], data["context"])
    if event["type"] == "resumed":
        return answer_resumed(data["stretch"])
    if event["type"] == "attachments":
        return answer_attachments(data)
    return []  # everything else needs no answer
