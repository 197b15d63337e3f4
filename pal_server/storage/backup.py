"""Copies of a SQLite database: taken while the server runs, put back while it does not.

A copy is one snapshot: everything committed before it began. It appears under its name only when it is whole and on
disk.
"""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from pal_server.errors import Invalid, NotFound, Unavailable
from pal_server.storage.home_lock import hold_home

_FIRST_BYTES = b"SQLite format 3\0"


def copy_database(source: Path, target: Path, /) -> None:
    """Copy the database at `source`, in use or not, to `target` (rights 0600, an older copy is replaced). Blocking;
    writers are not held up.

    Refused with `Invalid` when `target` is the database itself or anything else that is no earlier copy.
    """
    if not source.exists():
        raise NotFound(f"There is no database at {source}.", path=str(source))
    _check_place(target, source=source)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            part.unlink(missing_ok=True)
            os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            with (
                closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as origin,
                closing(sqlite3.connect(part)) as copy,
            ):
                origin.backup(copy)  # all pages in one step: one snapshot, and nothing the writer does starts it over
                copy.execute("PRAGMA journal_mode = DELETE")  # the copy is one file, without a WAL beside it
            _sync(part)
            part.replace(target)
            _sync(target.parent)
        finally:
            for leftover in (part, part.with_name(part.name + "-journal")):
                leftover.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as exc:
        raise Unavailable(f"The copy to {target} failed: {exc}. {source} is as it was.", reason=str(exc)) from exc


def _check_place(target: Path, /, *, source: Path) -> None:
    """Only an earlier copy, or an empty file, may be replaced: anything else is a slip that would destroy it."""
    if not target.exists():
        return
    if target.samefile(source):
        raise Invalid(f"{target} is the database itself: copy to another file.", path=str(target))
    if not target.is_file():
        raise Invalid(f"{target} is no ordinary file: name another file for the copy.", path=str(target))
    with target.open("rb") as there:
        first = there.read(len(_FIRST_BYTES))
    if first not in (b"", _FIRST_BYTES) or target.name.endswith(("-wal", "-shm")):
        raise Invalid(f"{target} is no earlier copy: name another file for the copy.", path=str(target))


def restore_database(copy: Path, path: Path, /, *, home: Path, now: int) -> Path | None:
    """Put `copy` in the place of the database at `path`; where the database that was there is kept now, if there was
    one.

    Refused with `Conflict` while a server uses `home`, with `Invalid` when `copy` is not a whole pal database.
    Blocking.
    """
    with hold_home(home):
        if not copy.exists():
            raise NotFound(f"There is no backup at {copy}.", path=str(copy))
        if path.exists() and copy.samefile(path):
            raise Invalid(f"{copy} is the database itself: name a copy of it.", path=str(copy))
        if problems := find_damage(copy):
            raise Invalid(f"{copy} is not a whole pal database: {problems[0]}", problems=len(problems))
        fresh = path.with_name(f"{path.name}.restored")
        copy_database(copy, fresh)
        kept = (
            _set_aside(path, home / "backups" / f"{path.stem}-before-restore-{now}.sqlite") if path.exists() else None
        )
        fresh.replace(path)
        _sync(path.parent)
        return kept


def find_damage(path: Path, /) -> list[str]:
    """What is wrong with the file itself: pages, indexes, rows that refer to nothing. Empty when it is well.
    Blocking.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as conn:
            tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "schema_migrations" not in tables:
                return ["it has no pal schema"]
            problems = [text for (text,) in conn.execute("PRAGMA integrity_check") if text != "ok"]
            dangling = conn.execute("PRAGMA foreign_key_check").fetchall()
            return problems + [f"{row[0]} row {row[1]} refers to a missing row of {row[2]}" for row in dangling]
    except sqlite3.Error as exc:
        return [str(exc)]


def _need_a_place(target: Path, *, source: Path) -> None:
    """Refuse a target that is not free and no earlier copy, so that a slip of the hand costs no file."""
    beside = tuple(source.with_name(source.name + suffix) for suffix in ("-wal", "-shm"))
    if target.resolve() in {path.resolve() for path in (source, *beside)}:
        raise Invalid(f"{target} is the database itself: copy it to another file.", path=str(target))
    if target.exists() and (not target.is_file() or target.samefile(source) or not _is_database(target)):
        raise Invalid(f"{target} is there already and is no copy of a database: name another file.", path=str(target))


def _is_database(path: Path) -> bool:
    """Also an empty file, as mktemp makes one: to SQLite it is an empty database."""
    try:
        with path.open("rb") as file:
            return file.read(len(_FIRST_BYTES)) in (b"", _FIRST_BYTES)
    except OSError:
        return False


def _set_aside(path: Path, kept: Path) -> Path:
    """Move the database with its WAL away, as it is: it may be damaged, which is why somebody restores.

    What the WAL holds is folded into the file first, if it can be. The WAL then goes first: if it stayed beside the
    restored file, SQLite would play it into that.
    """
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=5.0)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    kept.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(kept.with_name(kept.name + suffix))
    return kept


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
