"""Starts ministack, with two things set right: calls count as having come over TLS, and a key's policy
sees the encryption context.

The template's queues refuse every call without TLS. On AWS all calls have it; here they stay on
loop-back, in the clear, and ministack would refuse them all. It takes the word of a proxy in front of
it, so this is the proxy's word. A caller that says otherwise (`x-forwarded-proto: http`) is believed.

The policy of the template's key names the encryption context in its conditions. ministack's KMS holds
every call to its context, but its IAM does not know `kms:EncryptionContext:…`; here it is told.
"""

import json

from ministack import app as ministack
from ministack.core import iam_actions

_serve = ministack.app
_tags_of = iam_actions.request_tag_context


async def over_tls(scope, receive, send):
    """The server, with the header that a proxy which ends TLS would add."""
    if scope["type"] == "http" and not any(name == b"x-forwarded-proto" for name, _ in scope["headers"]):
        scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
    await _serve(scope, receive, send)


def with_encryption_context(service, action, body, *others):
    """What conditions can ask of a request, with the names and values of its encryption context."""
    context = _tags_of(service, action, body, *others)
    if service == "kms":
        pairs = json.loads(body or b"{}").get("EncryptionContext") or {}
        context = {**context, **{f"kms:EncryptionContext:{name}": value for name, value in pairs.items()}}
    return context


if __name__ == "__main__":
    ministack.app = over_tls
    iam_actions.request_tag_context = with_encryption_context
    ministack.main()
