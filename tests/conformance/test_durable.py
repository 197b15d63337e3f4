"""What was acknowledged survives a power cut: SQLite waits for the disk."""

from contextlib import closing
from pathlib import Path

from pal_server.storage.engines.sqlite import connect_writer  # as it is before tests/conftest.py makes it careless

FULL = 2


def test_a_commit_is_on_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    with closing(connect_writer(tmp_path / "lock.sqlite")) as conn:
        asked = [conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    assert asked == ["wal", FULL]
