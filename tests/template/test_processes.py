"""The local runner leaves no process behind: not at its end, not on an error, not on Ctrl-C, not when killed."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import unittest
from pathlib import Path

LOCAL = Path(__file__).resolve().parents[2] / "infra" / "local"
sys.path.insert(0, str(LOCAL))

from console import Failure  # noqa: E402
from processes import Processes, choose_port  # noqa: E402

# A child with a child of its own, as ministack has with the functions it runs. Both print their id.
FAMILY = ["sh", "-c", "sleep 300 & echo $!; echo $$; wait"]
# The same, deaf to every request to end.
STUBBORN = ["sh", "-c", "trap '' TERM INT HUP; (trap '' TERM INT HUP; while :; do sleep 1; done) & echo $!; echo $$; while :; do sleep 1; done"]


def _is_alive(process):
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        if os.path.isdir("/proc/self"):
            return False
        return subprocess.run(["ps", "-p", str(process)], capture_output=True, check=False).returncode == 0
    return state != "Z"


def _within(seconds, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class NoProcessIsLeft(unittest.TestCase):
    def _family(self, processes, command=FAMILY):
        """Starts a family; the ids of both members."""
        child = processes.start("family", command, stdout=subprocess.PIPE)
        members = [int(child.stdout.readline()), int(child.stdout.readline())]
        child.stdout.close()
        self.assertTrue(all(map(_is_alive, members)))
        return members

    def test_at_the_end(self):
        with Processes() as processes:
            members = self._family(processes)
        self.assertFalse(any(map(_is_alive, members)))

    def test_when_they_do_not_want_to_end(self):
        with Processes() as processes:
            members = self._family(processes, STUBBORN)
            processes.stop("family")
        self.assertFalse(any(map(_is_alive, members)))

    def test_after_an_error(self):
        with self.assertRaises(Failure), Processes() as processes:
            members = self._family(processes)
            processes.wait_until(lambda: False, "what never comes", seconds=0)
        self.assertFalse(any(map(_is_alive, members)))

    def test_when_the_leader_ended_before_its_children(self):
        with Processes() as processes:
            child = processes.start("family", ["sh", "-c", "sleep 300 >/dev/null & echo $!"], stdout=subprocess.PIPE)
            orphan = int(child.stdout.readline())
            child.stdout.close()
            child.wait()
            self.assertTrue(_is_alive(orphan))
        self.assertFalse(_is_alive(orphan))

    def _runner(self):
        """A runner of its own that holds a family; (the runner, the family's members)."""
        script = textwrap.dedent(
            f"""
            import os, sys, time
            sys.path.insert(0, {str(LOCAL)!r})
            from processes import Processes
            with Processes() as processes:
                processes.start("family", {FAMILY!r}, stdout=sys.stdout)
                os.write(1, b"started\\n")
                time.sleep(300)
            """
        )
        runner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(runner.kill)
        said = [runner.stdout.readline().decode().strip() for _ in range(3)]
        runner.stdout.close()
        return runner, [int(line) for line in said if line != "started"]

    def test_after_ctrl_c(self):
        runner, members = self._runner()
        runner.send_signal(signal.SIGINT)
        runner.wait(10)
        self.assertFalse(any(map(_is_alive, members)))

    def test_when_the_runner_is_killed_outright(self):
        runner, members = self._runner()
        runner.kill()
        runner.wait(10)
        self.assertTrue(_within(10, lambda: not any(map(_is_alive, members))))


class APortThatIsTaken(unittest.TestCase):
    def test_is_named_with_its_variable(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(Failure, f"port {port} for the bot is taken") as caught:
                choose_port("BATON_TEST_PORT", port, "the bot")
            self.assertIn("BATON_TEST_PORT=", caught.exception.hint)
            self.assertNotEqual(choose_port("BATON_TEST_PORT", port, "the bot", any_free=True), port)


if __name__ == "__main__":
    unittest.main()
