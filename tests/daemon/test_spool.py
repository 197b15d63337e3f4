"""Records written and read back, whatever the disk does."""

import errno
import os
import random

import pytest

from pal_daemon.keeping import frames
from pal_daemon.keeping.spool_writer import SpoolWriter
from pal_daemon.spool import SpoolReader, Stream, follow, read_spool


def _frames():
    return [
        frames.pack_frame(frames.STARTED, frames.pack_facts({"pid": 7}), at=1),
        frames.pack_frame(frames.STDOUT, bytes(range(256)) * 300, at=2),
        frames.pack_frame(frames.STDERR, b"", at=3),
        frames.pack_frame(frames.EXIT, frames.pack_facts({"code": None, "why": 'a "b"\né', "pids": [1, 2]}), at=4),
    ]


class Disk:
    """A file in memory with `room` bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.data = b""

    def write(self, fd: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "full")
        taken = data[: self.room]
        self.data += taken
        self.room -= len(taken)
        return len(taken)


def test_pieces_of_any_size_give_the_same_records():
    whole = b"".join(_frames())
    expected = list(SpoolReader().feed(whole))
    dice = random.Random(7)

    for _ in range(20):
        reader, records, start = SpoolReader(), [], 0
        while start < len(whole):
            size = dice.choice((1, 3, 19, 20, 21, 1000, 70000))
            records += reader.feed(whole[start : start + size])
            start += size
        assert records == expected

    assert [record.stream for record in expected] == [Stream.STARTED, Stream.STDOUT, Stream.STDERR, Stream.EXIT]
    assert expected[-1].facts == {"code": None, "why": 'a "b"\né', "pids": [1, 2]}
    assert expected[-1].end == len(whole)


@pytest.mark.parametrize("cut", [1, 19, 20, 60])
def test_a_torn_last_record_is_not_given_out(cut):
    *whole, last = _frames()
    reader = SpoolReader()

    records = list(reader.feed(b"".join(whole) + last[:cut]))

    assert len(records) == 3
    assert not reader.is_damaged
    assert [record.stream for record in reader.feed(last[cut:])] == [Stream.EXIT]


@pytest.mark.parametrize("tail", [b"\0" * 64, b"garbage that is no record at all"])
def test_what_a_crash_left_at_the_end_stops_the_reader(tail):
    reader = SpoolReader()

    records = list(reader.feed(b"".join(_frames()) + tail))

    assert len(records) == 4
    assert reader.is_damaged


def test_a_flipped_bit_is_noticed():
    frame = bytearray(_frames()[1])
    frame[5000] ^= 1
    reader = SpoolReader()

    assert list(reader.feed(bytes(frame))) == []
    assert reader.is_damaged


async def test_following_a_spool_nobody_writes_ends_with_what_is_there(tmp_path):
    path = tmp_path / "spool"
    path.write_bytes(b"".join(_frames()[:2]) + b"pS")

    records = [record async for record in follow(path)]

    assert records == list(read_spool(path))
    assert len(records) == 2


def test_a_full_disk_loses_output_but_no_notes_and_says_so_afterwards():
    disk = Disk(room=100)
    spool = SpoolWriter(0, limit=1 << 20, write=disk.write)

    spool.output(frames.STDOUT, b"a" * 50)
    spool.output(frames.STDOUT, b"b" * 50)  # torn: the disk takes ten bytes of its payload
    spool.output(frames.STDERR, b"c" * 7)
    spool.tell(frames.INPUT, {"id": "x", "bytes": 1})
    assert spool.is_stuck
    disk.room = 10_000
    assert spool.retry()
    spool.tell(frames.EXIT, {"code": 0})

    records = list(SpoolReader().feed(disk.data))
    assert [record.data for record in records[:2]] == [b"a" * 50, b"b" * 50]
    assert [record.stream for record in records[2:]] == [Stream.INPUT, Stream.NOTE, Stream.EXIT]
    assert records[3].facts == {"kind": "dropped", "why": "disk", "stdout": 0, "stderr": 7}
    assert spool.size == len(disk.data)


def test_output_that_comes_when_there_is_room_again_is_kept():
    disk = Disk(room=30)
    spool = SpoolWriter(0, limit=1 << 20, write=disk.write)
    spool.output(frames.STDOUT, b"a" * 50)
    disk.room = 10_000

    spool.output(frames.STDOUT, b"b" * 50)

    assert [record.data for record in SpoolReader().feed(disk.data)] == [b"a" * 50, b"b" * 50]
    assert spool.dropped == 0


def test_the_limit_is_for_output_only():
    disk = Disk(room=1 << 20)
    spool = SpoolWriter(0, limit=1000, write=disk.write)

    spool.output(frames.STDOUT, b"a" * 900)
    spool.output(frames.STDOUT, b"b" * 900)
    spool.output(frames.STDOUT, b"c")
    spool.tell_dropped()
    spool.tell(frames.EXIT, {"code": 0})

    records = list(SpoolReader().feed(disk.data))
    assert [record.stream for record in records] == [Stream.STDOUT, Stream.NOTE, Stream.NOTE, Stream.EXIT]
    assert records[2].facts["stdout"] == 901


def test_a_real_file_is_written_at_its_end(tmp_path):
    path = tmp_path / "spool"
    spool = SpoolWriter(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), limit=1 << 20)

    spool.output(frames.STDOUT, b"x" * 70_000)
    spool.sync()

    assert spool.size == path.stat().st_size == 70_020
