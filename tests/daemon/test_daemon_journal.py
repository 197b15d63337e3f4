"""The journal: what is written is there, what was torn is not, and it stays small."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pal_daemon.journal import COMPACT_AT, Journal, JournalFull, Line


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "daemon" / "journal"


def reopened(path: Path) -> list[Line]:
    journal = Journal(path)
    try:
        return journal.open()
    finally:
        journal.close()


async def test_steps_of_an_attempt_are_put_together(path):
    journal = Journal(path)
    journal.open()
    await journal.write(Line(step="claimed", delivery=1, fence=3, lease_id="l", agent="worker"))
    await journal.write(Line(step="spawning", delivery=1, fence=3, run=9))
    await journal.write(Line(step="ending", delivery=1, fence=3, ending="kill"))
    journal.close()

    (entry,) = reopened(path)

    assert (entry.step, entry.run, entry.lease_id, entry.agent, entry.ending) == ("spawning", 9, "l", "worker", "kill")


async def test_an_ended_attempt_is_forgotten_and_another_of_the_same_delivery_is_not(path):
    journal = Journal(path)
    journal.open()
    await journal.write(Line(step="claimed", delivery=1, fence=1))
    await journal.write(Line(step="claimed", delivery=1, fence=2))
    await journal.write(Line(step="done", delivery=1, fence=1))
    journal.close()

    assert [(entry.delivery, entry.fence) for entry in reopened(path)] == [(1, 2)]


@pytest.mark.parametrize("torn", [b'{"step":"claimed","deli', b"\x00\x00\x00", b"{}"])
async def test_a_torn_last_line_is_cut_off_and_writing_goes_on(path, torn):
    journal = Journal(path)
    journal.open()
    await journal.write(Line(step="claimed", delivery=1, fence=1))
    journal.close()
    path.write_bytes(path.read_bytes() + torn)

    again = Journal(path)
    again.open()
    await again.write(Line(step="claimed", delivery=2, fence=1))
    again.close()

    assert [entry.delivery for entry in reopened(path)] == [1, 2]


async def test_damage_in_the_middle_costs_its_line_alone(path):
    journal = Journal(path)
    journal.open()
    await journal.write(Line(step="claimed", delivery=1, fence=1))
    journal.close()
    path.write_bytes(b"not json\n" + path.read_bytes())

    assert [entry.delivery for entry in reopened(path)] == [1]


async def test_a_full_disk_is_told_and_leaves_no_half_line(path, monkeypatch):
    journal = Journal(path)
    journal.open()
    await journal.write(Line(step="claimed", delivery=1, fence=1))

    def half(fd: int, data: memoryview) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pal_daemon.journal.os.write", half)
    with pytest.raises(JournalFull, match="No space left"):
        await journal.write(Line(step="claimed", delivery=2, fence=1))
    monkeypatch.undo()
    await journal.write(Line(step="claimed", delivery=3, fence=1))
    journal.close()

    assert [entry.delivery for entry in reopened(path)] == [1, 3]


async def test_many_writers_share_their_syncs(path, monkeypatch):
    journal = Journal(path)
    journal.open()
    syncs = []
    real = journal._append
    monkeypatch.setattr(journal, "_append", lambda data: (syncs.append(data), real(data))[1])

    await asyncio.gather(*(journal.write(Line(step="claimed", delivery=n, fence=1)) for n in range(100)))
    journal.close()

    assert len(reopened(path)) == 100
    assert len(syncs) <= 3


async def test_the_file_stays_small(path):
    journal = Journal(path)
    journal.open()
    await journal.write(Line(step="claimed", delivery=0, fence=1, agent="kept"))
    for n in range(1, COMPACT_AT):
        await journal.write(Line(step="done", delivery=n, fence=1))
    journal.close()

    assert path.stat().st_size < COMPACT_AT * 40
    assert [entry.agent for entry in reopened(path)] == ["kept"]
