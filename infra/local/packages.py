"""From a built function to the zip that Lambda takes: `bootstrap` and `baton.toml`.

Zips are kept by the hash of what is in them, so a second start packs nothing.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

CODE_URI = re.compile(r"^( +CodeUri: )build/([a-z-]+)/$", re.MULTILINE)
KEEP = 32


def functions(template):
    """The functions that the template names, in its order."""
    return [name for _, name in CODE_URI.findall(template)]


def with_code_at(template, location):
    """The template with each CodeUri replaced by `location(function)`: what `sam package` does, no more."""
    return CODE_URI.sub(lambda match: match.group(1) + location(match.group(2)), template)


def pack(binary, settings, cache):
    """The zip of one function: (path, whether it had to be made)."""
    digest = hashlib.sha256(settings)
    digest.update(binary.read_bytes())
    target = cache / f"{binary.name}-{digest.hexdigest()[:32]}.zip"
    if target.exists():
        os.utime(target)
        return target, False
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        bootstrap = Path(scratch) / "bootstrap"
        strip = shutil.which("strip")
        command = [strip, "--strip-debug", "-o", bootstrap, binary]
        if not strip or subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode != 0:
            shutil.copy(binary, bootstrap)
        draft = Path(scratch) / "zip"
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            _add(archive, "bootstrap", bootstrap.read_bytes(), 0o755)
            _add(archive, "baton.toml", settings, 0o644)
        draft.rename(target)
    return target, True


def forget_old(cache):
    """Deletes all but the newest zips."""
    for stale in sorted(cache.glob("*.zip"), key=lambda zip_: zip_.stat().st_mtime)[:-KEEP]:
        stale.unlink()


def _add(archive, name, content, mode):
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)
