"""Starts ministack, with one thing set right: calls count as having come over TLS.

The template's queues refuse every call without TLS. On AWS all calls have it; here they stay on
loop-back, in the clear, and ministack would refuse them all. It takes the word of a proxy in front of
it, so this is the proxy's word. A caller that says otherwise (`x-forwarded-proto: http`) is believed.
"""

from ministack import app as ministack

_serve = ministack.app


async def over_tls(scope, receive, send):
    """The server, with the header that a proxy which ends TLS would add."""
    if scope["type"] == "http" and not any(name == b"x-forwarded-proto" for name, _ in scope["headers"]):
        scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
    await _serve(scope, receive, send)


if __name__ == "__main__":
    ministack.app = over_tls
    ministack.main()
