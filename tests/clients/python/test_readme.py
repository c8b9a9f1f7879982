"""The README's example of the sandbox on its own runs as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SECTION = re.compile(r"^## The sandbox on its own$.*?^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def example():
    for file in ["README.md", "tests/clients/README.md"]:
        if found := SECTION.search((ROOT / file).read_text()):
            return found[1]
    raise AssertionError("no README has an example of the sandbox on its own")


def test_the_example_runs_as_it_stands(tmp_path):
    shutil.copy(ROOT / "infra/sandbox/seed.json", tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "baton").symlink_to(Path(os.environ["BATON"]).resolve())
    searched = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-W", "ignore::ResourceWarning", "-c", example()]
    ran = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PATH": searched}, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout + ran.stderr == ""


def test_the_example_is_short():
    assert len([line for line in example().splitlines() if line.strip()]) <= 14
