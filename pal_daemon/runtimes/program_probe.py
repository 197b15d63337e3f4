"""Finds an agent program, asks it for its version and says whether that will do.

Starts a program at most once for each file it finds.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, TypeAlias

from pal_daemon.runtimes.base import CannotStart, Discovery, Surroundings

ASK_FOR = 8.0  # seconds
VERSION = re.compile(r"\d+(?:\.\d+){1,3}")

Version: TypeAlias = tuple[int, ...]


class VersionProbe:
    """Versions of programs by path; a program that was replaced is asked again. Thread-safe: a race asks twice.

    All probes of a process know what one of them was told: a start costs up to two seconds of a core.
    """

    _known: ClassVar[dict[tuple[str, int, int], str]] = {}

    def discover(
        self,
        names: Sequence[str],
        surroundings: Surroundings,
        *,
        oldest: Version,
        remedy: str,
        quiet: Mapping[str, str] | None = None,
    ) -> Discovery:
        """Whether this computer has the program, by the first name that is there, and whether its version will do."""
        found = next((path for name in names if (path := surroundings.which(name))), None)
        if found is None:
            return Discovery(is_available=False, note=f"{names[0]} is not on the PATH: {remedy}")
        version = self.read(Path(found), env={**surroundings.env, **(quiet or {})})
        if version is None:
            return Discovery(is_available=False, note=f"{found} does not tell its version: {remedy}")
        if parse_version(version) < oldest:
            note = f"{_too_old(found, version, oldest)}: {remedy}"
            return Discovery(is_available=False, version=version, note=note)
        return Discovery(is_available=True, version=version)

    def read(self, program: Path, *, env: Mapping[str, str]) -> str | None:
        """What `program --version` calls itself; None when it does not say, or is not the program it seems to be."""
        try:
            stat = program.stat()
        except OSError:
            return None
        key = (str(program), stat.st_mtime_ns, stat.st_size)
        if key not in self._known:
            said = _ask(program, env)
            if said is None:
                return None
            self._known[key] = said
        return self._known[key]


def find_program(name: str, *, path: str | None) -> Path | None:
    """An executable by its path or by its name on `path`."""
    found = shutil.which(os.path.expanduser(name), path=path)
    return None if found is None else Path(found).absolute()


def need_program(name: str, *, path: str | None, remedy: str) -> Path:
    """Raises CannotStart with what to do."""
    found = find_program(name, path=path)
    if found is None:
        raise CannotStart("missing_program", f"{name} is not on this computer's PATH; install it: {remedy}")
    return found


def need_version(version: str | None, *, at_least: Version, program: Path, remedy: str) -> None:
    """Raises CannotStart for a program that is too old; one that does not tell gets the benefit of the doubt."""
    if version is not None and parse_version(version) < at_least:
        raise CannotStart("old_program", f"{_too_old(program, version, at_least)}: {remedy}")


def parse_version(text: str) -> Version:
    """The first version number in `text`; empty without one, which is older than all others."""
    found = VERSION.search(text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def _too_old(program: Path | str, version: str, oldest: Version) -> str:
    return f"{program} is version {version}, pal needs {'.'.join(map(str, oldest))} or newer"


def _ask(program: Path, env: Mapping[str, str]) -> str | None:
    try:
        done = subprocess.run(
            (program, "--version"),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ASK_FOR,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = VERSION.search(done.stdout) or VERSION.search(done.stderr)
    return found.group() if found and done.returncode == 0 else None
