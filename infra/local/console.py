"""What the runner prints: steps with their duration, the story as a chat, errors with a way out.

On a terminal a running step shows a spinner; elsewhere (CI, a pipe) it prints plain lines, with a
heartbeat so that nobody takes a long step for a hung one.
"""

import os
import sys
import threading
import time
from contextlib import contextmanager

HEARTBEAT_SECONDS = 10
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

_tty = sys.stdout.isatty()
_colour = _tty and "NO_COLOR" not in os.environ
_print_lock = threading.Lock()


class Failure(Exception):
    """Something that the person at the keyboard must know; `hint` says what to do, `log` shows why."""

    def __init__(self, message, hint="", log=""):
        super().__init__(message)
        self.hint = hint
        self.log = log


def paint(text, code):
    """`text` in an ANSI colour, where colours are shown."""
    return f"\x1b[{code}m{text}\x1b[0m" if _colour else text


def say(text=""):
    """One line, whole, at once."""
    with _print_lock:
        sys.stdout.write(("\r\x1b[K" if _tty else "") + text + "\n")
        sys.stdout.flush()


@contextmanager
def step(title, streams=False):
    """Announces a step, shows that it runs, and says how long it took.

    `streams` is for steps that print progress of their own. Yields a function that takes a remark
    for the closing line.
    """
    started = time.monotonic()
    remark = []
    done = threading.Event()
    ticker = None
    if streams or not _tty:
        say(f"{paint('…', 36)} {title}")
    if not streams:
        ticker = threading.Thread(target=_tick, args=(title, started, done), daemon=True)
        ticker.start()

    def stop():
        done.set()
        if ticker:
            ticker.join()
        return f"{time.monotonic() - started:.1f} s"

    try:
        yield remark.append
    except BaseException:
        say(f"{paint('✗', 31)} {title} ({stop()})")
        raise
    say(f"{paint('✓', 32)} {title} ({stop()}){'' if not remark else ': ' + ', '.join(remark)}")


def _tick(title, started, done):
    if not _tty:
        while not done.wait(HEARTBEAT_SECONDS):
            say(f"  still at it: {title} ({time.monotonic() - started:.0f} s)")
        return
    turn = 0
    while not done.wait(0.1):
        with _print_lock:
            sys.stdout.write(f"\r\x1b[K{SPINNER[turn % len(SPINNER)]} {title} ({time.monotonic() - started:.0f} s)")
            sys.stdout.flush()
        turn += 1


def failure(error):
    """Prints a Failure: what, then why, then what to do."""
    say()
    say(paint(f"✗ {error}", "31;1"))
    if error.log:
        for line in error.log.rstrip().splitlines():
            say(f"    {line}")
    if error.hint:
        say(f"  {error.hint}")
