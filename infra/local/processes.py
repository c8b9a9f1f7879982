"""The processes that the runner starts, and the promise that none outlives it.

Each child leads a session of its own, so its whole group can be ended with it: ministack's group
holds the functions that ministack runs. Should the runner itself be killed outright, a guard process
notices that its pipe has closed and ends the groups that are left.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from console import Failure

GRACE_SECONDS = 3


def stop_group(leader, grace=GRACE_SECONDS):
    """Ends every process of a group: asks first, then does not ask."""
    for sign, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, grace)):
        try:
            os.killpg(leader, sign)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                os.waitpid(leader, os.WNOHANG)
            except ChildProcessError:
                pass
            if not _has_members(leader):
                return
            time.sleep(0.02)


def _has_members(group):
    """Whether a process of the group still runs. One that has ended but was not yet collected does not."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return not Path("/proc/self/stat").exists()


class Processes:
    """Starts children and ends them all; a context manager, so also on Ctrl-C and on any error."""

    def __init__(self):
        self._running = {}
        self._logs = {}
        self._guard = None
        self._handlers = {}

    def __enter__(self):
        # A shell that runs us in the background has us ignore Ctrl-C.
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[sign] = signal.signal(sign, signal.default_int_handler)
        self._guard = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        return self

    def __exit__(self, *_):
        # A second Ctrl-C must not interrupt the cleaning up.
        for sign in self._handlers:
            signal.signal(sign, signal.SIG_IGN)
        for name in reversed(list(self._running)):
            self.stop(name)
        self._guard.stdin.close()
        self._guard.wait()
        for sign, handler in self._handlers.items():
            signal.signal(sign, handler or signal.SIG_DFL)

    def start(self, name, command, log=None, **options):
        """Starts `command`; its output goes to the file `log`, or to the runner's own output."""
        if log:
            log.parent.mkdir(parents=True, exist_ok=True)
            self._logs[name] = log
            with log.open("wb") as out:
                child = self._popen(command, stdout=out, stderr=subprocess.STDOUT, **options)
        else:
            child = self._popen(command, **options)
        self._running[name] = child
        self._tell_guard(f"+{child.pid}")
        return child

    @staticmethod
    def _popen(command, **options):
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)

    def stop(self, name):
        """Ends one child with its whole group."""
        child = self._running.pop(name)
        stop_group(child.pid)
        child.wait()
        self._tell_guard(f"-{child.pid}")

    def run(self, name, command, **options):
        """Runs `command` to its end and returns its exit status."""
        status = self.start(name, command, **options).wait()
        self.stop(name)
        return status

    def check_alive(self):
        """Raises a Failure with the tail of its log when a child has ended by itself."""
        for name, child in self._running.items():
            if child.poll() is not None:
                raise Failure(f"{name} ended by itself with status {child.returncode}", log=self.tail(name))

    def tail(self, name, lines=25):
        """The last lines that a child wrote to its log."""
        log = self._logs.get(name)
        if not log or not log.exists():
            return ""
        return "\n".join([f"--- {log} ---", *log.read_text(errors="replace").splitlines()[-lines:]])

    def wait_until(self, ready, what, seconds, log_of=()):
        """Polls `ready` until it returns something true, which is returned; a Failure when time is up."""
        deadline = time.monotonic() + seconds
        pause = 0.02
        while True:
            self.check_alive()
            answer = ready()
            if answer:
                return answer
            if time.monotonic() > deadline:
                raise Failure(
                    f"waited {seconds} s in vain: {what}", log="\n".join(self.tail(name) for name in log_of)
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def _tell_guard(self, line):
        try:
            self._guard.stdin.write(line + "\n")
            self._guard.stdin.flush()
        except BrokenPipeError:
            pass


def port_is_free(port):
    """Whether nothing listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose_port(variable, default, what, any_free=False):
    """The port from the environment variable, else the default; a Failure when it is taken.

    With `any_free` the next free one above the default is taken instead.
    """
    given = os.environ.get(variable, "")
    if given and not (given.isdigit() and 0 < int(given) < 65536):
        raise Failure(f"{variable}={given} is not a port number")
    port = int(given or default)
    if any_free and not given:
        return next(p for p in range(port, port + 1000) if port_is_free(p))
    if not port_is_free(port):
        raise Failure(
            f"port {port} for {what} is taken" + (f" (from {variable})" if given else ""),
            hint=f"Choose another one: {variable}={port + 1000} make run",
        )
    return port


def _guard():
    """Waits for the runner's end and ends what it left. Lines are +<group> and -<group>."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.SIG_IGN)
    groups = []
    for line in sys.stdin:
        group = int(line[1:])
        groups.append(group) if line[0] == "+" else groups.remove(group)
    for group in reversed(groups):
        stop_group(group)


if __name__ == "__main__":
    _guard()
