"""A migration that somebody may have run is never edited again: a home made with it would be refused.

`python -m tests.migrations.test_frozen` adds the checksums of new migrations; it never changes one.
"""

import hashlib
from pathlib import Path

from pal_server.storage.migrate import MIGRATIONS

FROZEN = Path(__file__).with_name("frozen.txt")


def checksums() -> dict[str, str]:
    """SHA-256 of each migration, by engine and file."""
    return {
        path.relative_to(MIGRATIONS).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(MIGRATIONS.glob("*/*.sql"))
    }


def frozen() -> dict[str, str]:
    """What the checksums were when the migrations were frozen."""
    return {path: found for found, path in (line.split() for line in FROZEN.read_text().splitlines())}


def test_no_migration_has_changed() -> None:
    assert checksums() == frozen(), "write a new migration instead, then run python -m tests.migrations.test_frozen"


if __name__ == "__main__":
    known = frozen() if FROZEN.exists() else {}
    FROZEN.write_text("".join(f"{found}  {path}\n" for path, found in (checksums() | known).items()))
