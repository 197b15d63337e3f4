"""Where a run works, and where its spool is kept and for how long."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from importlib.util import find_spec
from pathlib import Path

from pal_daemon.keeper_client import living_keeper
from pal_daemon.keeping.tree import all_pids, read_proc
from pal_daemon.runtimes.base import CannotStart
from pal_daemon.settings import Settings

AGENT_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def working_folder(settings: Settings, *, agent: str, cwd: str | None) -> Path:
    """The agent's own folder setting, else `--cwd`, else its home under PAL_HOME, which is made. Raises CannotStart."""
    if cwd:
        folder = Path(cwd).expanduser()
        if not folder.is_absolute():
            raise CannotStart("spawn", f"the folder of {agent} must be an absolute path, not {cwd}")
        if not folder.is_dir():
            raise CannotStart("spawn", f"the folder of {agent} does not exist on this computer: {cwd}")
        return folder
    if settings.cwd is not None:
        return settings.cwd
    if not AGENT_KEY.fullmatch(agent):
        raise CannotStart("spawn", f"no folder can be made for an agent of the name {agent!r}: set its working folder")
    folder = settings.home / "agents" / agent
    try:
        for made in (folder.parent, folder):  # of parents that mkdir makes itself, the umask alone decides
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart("spawn", f"the folder {folder} cannot be made: {error.strerror}") from error
    return folder


def shipped_skills() -> Path | None:
    """The skills that come with pal's command line, when that is installed here."""
    found = find_spec("pal_cli")
    places = [] if found is None else list(found.submodule_search_locations or ())
    return Path(places[0]) / "skills" if places else None


def scratch_folder(settings: Settings, *, agent: str, account: str | None) -> Path:
    """Where programs of this account, or of an agent without one, leave their temporary files: nobody else reads it.

    Raises CannotStart.
    """
    name = account or agent
    if not AGENT_KEY.fullmatch(name):
        name = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:20]
    folder = settings.folder / "scratch" / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise CannotStart("spawn", f"the folder {folder} cannot be made: {error.strerror}") from error
    return folder


def run_folder(settings: Settings, run: int) -> Path:
    return settings.runs_folder / str(run)


def remove_run_folder(folder: Path) -> None:
    """Forget a run of which nothing lives any more; another bus may have used its number before."""
    shutil.rmtree(folder, ignore_errors=True)


def known_run_folders(settings: Settings) -> list[Path]:
    """Every run folder, whoever made it."""
    try:
        return [path for path in settings.runs_folder.iterdir() if path.name.isdecimal() and path.is_dir()]
    except OSError:
        return []


def runs_with_processes(settings: Settings) -> set[int]:
    """Runs of this home that have a keeper or any process with the run's mark. One look at /proc; blocks."""
    mark = b"PAL_KEEPER=" + os.fsencode(settings.runs_folder.resolve()) + b"/"
    runs = {int(folder.name) for folder in known_run_folders(settings) if living_keeper(folder) is not None}
    for pid in all_pids():
        for entry in read_proc(f"/proc/{pid}/environ").split(b"\0"):
            if entry.startswith(mark) and entry[len(mark) :].isdigit():
                runs.add(int(entry[len(mark) :]))
    return runs


def remove_old_runs(settings: Settings, *, live: set[int]) -> int:
    """Keep the newest finished runs within the settings' size and age; how many were removed. Blocks: call it in a
    thread.

    A run whose keeper lives is never touched, whatever we believe of it.
    """
    finished = [path for path in known_run_folders(settings) if int(path.name) not in live]
    aged = sorted(((_changed_at(path), path) for path in finished), reverse=True)
    kept_bytes = 0
    removed = 0
    oldest = time.time() - settings.keep_for
    for changed_at, path in aged:
        kept_bytes += sum(_size(file) for file in path.rglob("*") if file.is_file())
        if (kept_bytes > settings.keep_bytes or changed_at < oldest) and living_keeper(path) is None:
            remove_run_folder(path)
            removed += 1
    return removed


def _changed_at(path: Path) -> float:
    """Of one without a spool, whose files are perhaps being brought this moment, by the folder itself."""
    for place in (path / "spool", path):
        try:
            return place.stat().st_mtime
        except OSError:
            continue
    return 0.0


def _size(file: Path) -> int:
    """0 of one that has just gone: a run that ends beside us clears up."""
    try:
        return file.stat().st_size
    except OSError:
        return 0
