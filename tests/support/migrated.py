"""A SQLite file with the newest schema and nothing in it, to begin with.

Running all migrations takes forty times as long as writing their outcome. Who is about migrations, rights or damage
begins with no file, as `tests/migrations` and every server that is started as a process.
"""

import functools
import os
import tempfile
from pathlib import Path

from pal_server.storage.migrate import MIGRATIONS, migrate_sqlite


def place_migrated(path: Path) -> None:
    """Have a migrated database at `path`; one that is there already stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(fd, "wb") as file:
        file.write(_migrated())


@functools.cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory(prefix="pal-migrated-") as folder:
        path = Path(folder) / "new.sqlite"
        migrate_sqlite(path, migrations=MIGRATIONS / "sqlite", backups=Path(folder), now=0)
        return path.read_bytes()
