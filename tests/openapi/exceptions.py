"""Where Intercom's descriptions contradict what Intercom was seen to send or to take.

Each entry: operations (a pattern over "METHOD /path"), where in the body (a pattern), which message
(a pattern), and why the description is not followed there.
"""

import re

CONVERSATION = r"(GET|POST|PUT|DELETE) /conversations.*|POST /tickets.*"

ANSWERS = [
    (
        CONVERSATION,
        r"(.*/)?statistics/.+",
        r"None is not of type",
        "captured payloads have null for what has not happened yet",
    ),
    (
        CONVERSATION,
        r"(.*/)?statistics/last_closed_by_id",
        r"is not of type 'string'",
        "captured payloads have a number",
    ),
    (
        CONVERSATION,
        r"(.*/)?attachments/\d+/(width|height)",
        r"None is not of type",
        "only images have a size, and the sandbox does not look into them",
    ),
    (
        r"GET /data_attributes",
        r"data/\d+/model",
        r"'conversation' is not one of",
        "up to 2.15 Intercom answers model=conversation; 2.16 says that it was so",
    ),
    (
        CONVERSATION,
        r"(.*/)?author/email",
        r"None is not of type",
        "the description's own examples leave it out for some authors",
    ),
]

REQUESTS = [
    (
        "POST /conversations/{}/reply",
        r"body|message_type",
        r"'body' is a required property|'quick_reply' is not one of",
        "the description's own example of a contact's choice is of type quick_reply and has no body",
    ),
    (
        "POST /(conversations|contacts)/search",
        r"query(/value/\d+)*/value",
        r"is not of type 'string'",
        "2.10 knows only text as a value, and its own examples search with numbers",
    ),
]

# Requests that break the description and are nevertheless taken.
TAKEN = [
    (
        r".*",
        r"(.*/)?(admin_id|assignee_id|id|conversation_id|conversation_part_id|source_id|ticket_type_id|intercom_user_id"
        r"|user_id|external_id|company_id|owner_id)",
        r"number",
        "an id is text in the description and a number in its own examples: both are taken",
    ),
    (
        r".*",
        r"custom_attributes/.+",
        r"flag|number",
        "the description's own examples have true and 155.5 as values",
    ),
    (
        "POST /conversations/{}/reply",
        "body",
        "left out",
        "a contact's choice among quick replies needs no body in the description's own example",
    ),
    (
        "POST /events",
        r"metadata(/.+)?",
        r"number|object",
        "the schema knows only text, the words beside it numbers as well; so the whole may be {x: 1}",
    ),
    (
        r"GET .*",
        r"display_avatar|include_.*",
        "query",
        "a switch for something that the sandbox does not have is not read",
    ),
]


def _explained(table, operation, where, what):
    for pattern, path, message, _ in table:
        if re.fullmatch(pattern, operation) and re.fullmatch(path, where) and re.search(message, what):
            return True
    return False


def request(operation, where, message):
    return _explained(REQUESTS, operation, where, message)


def answer(operation, where, message):
    return _explained(ANSWERS, operation, where, message)


def taken(operation, where, kind):
    return _explained(TAKEN, operation, where, kind)
