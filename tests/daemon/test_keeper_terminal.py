"""A keeper whose program has a terminal: what it prints is kept by position, and what people do reaches it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pal_daemon.keeper_client import Keeper, KeeperRefused, LaunchSpec, attach, launch
from pal_daemon.keeping.tail_writer import SEGMENT, TailWriter
from pal_daemon.process_tree import sweep
from pal_daemon.spool import Stream, parse_exit, read_spool
from pal_daemon.terminal_line import TerminalLine
from pal_daemon.terminal_tail import bounds, read_tail
from tests.support.patience import LONG_PATIENCE


class Kept:
    """A program in a terminal, typed into over one line."""

    def __init__(self, keeper: Keeper, line: TerminalLine) -> None:
        self.keeper = keeper
        self.line = line

    @property
    def shown(self) -> bytes:
        _, end = bounds(self.keeper.run_dir)
        at, data = read_tail(self.keeper.run_dir, position=0, length=end)
        assert at == 0, "everything is still kept"
        return data

    async def shows(self, text: bytes) -> None:
        async with asyncio.timeout(LONG_PATIENCE):
            while text not in self.shown:
                await self.line.wait(beyond=bounds(self.keeper.run_dir)[1])

    async def is_over(self) -> None:
        async with asyncio.timeout(LONG_PATIENCE):
            while not self.line.is_gone:
                await self.line.wait(beyond=2**62)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    yield tmp_path
    if (keeper := await attach(tmp_path / "kept")) is not None:  # it outlives whoever began it, a test too
        await keeper.kill()
    await asyncio.to_thread(sweep, tmp_path / "kept")


@contextlib.asynccontextmanager
async def terminal(home: Path, *argv: str, cols: int = 80, rows: int = 24) -> AsyncIterator[Kept]:
    spec = LaunchSpec(
        argv=argv,
        cwd=str(home),
        env={"PATH": os.environ["PATH"], "PS1": "$ "},
        ask_grace=1.0,
        terminate_grace=1.0,
        leftover_grace=0.5,
        terminal=(cols, rows),
    )
    keeper = await launch(home / "kept", spec)
    async with keeper.line() as line:
        hearing = asyncio.create_task(line.hear())
        try:
            yield Kept(keeper, line)
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


async def test_a_shell_has_a_terminal_of_the_size_it_is_given_and_later_of_another(home: Path) -> None:
    async with terminal(home, "sh", "-i", cols=91, rows=33) as kept:
        await kept.line.type(b"stty size; tty | tr a-z A-Z\n")
        await kept.shows(b"33 91")
        await kept.shows(b"/DEV/PTS/")
        await kept.line.resize(cols=120, rows=40)
        await kept.line.type(b"stty size\n")
        await kept.shows(b"40 120")
        await kept.line.type(b'echo "<$PAL_RUN_ID>$((40+2))"\n')
        await kept.shows(b"<>42")


async def test_control_c_ends_what_is_in_front_and_not_the_shell(home: Path) -> None:
    async with terminal(home, "sh", "-i") as kept:
        await kept.line.type(b"sh -c 'echo wa\"\"iting; exec sleep 1000'\n")  # what says so is in front already
        await kept.shows(b"waiting\r\n")
        await kept.line.type(b"\x03")
        await kept.line.type(b"echo ali''ve\n")
        await kept.shows(b"alive\r\n")


async def test_the_end_of_the_program_is_recorded_after_its_last_word(home: Path) -> None:
    async with terminal(home, "sh", "-c", "read word; echo bye; exit 7") as kept:
        await kept.line.type(b"\n")
        await kept.is_over()
        records = list(read_spool(kept.keeper.spool))

        assert kept.shown == b"\r\nbye\r\n"
        assert [record.stream for record in records] == [Stream.STARTED, Stream.EXIT]
        assert parse_exit(records[-1]).code == 7
        assert await attach(kept.keeper.run_dir) is None


async def test_typing_leaves_no_record(home: Path) -> None:
    async with terminal(home, "cat") as kept:
        for word in (b"one\n", b"two\n", b"\x04"):
            await kept.line.type(word)
        await kept.is_over()

        assert kept.shown.count(b"one") == 2  # echoed, and said again
        assert not any(record.stream is Stream.INPUT for record in read_spool(kept.keeper.spool))


async def test_a_stop_hangs_up_and_takes_children_along(home: Path) -> None:
    async with terminal(home, "sh", "-i") as kept:
        await kept.line.type(b"sleep 1000 & echo pid=$!=\n")
        async with asyncio.timeout(LONG_PATIENCE):
            while (
                len(parts := kept.shown.partition(b"pid=")[2].split(b"pid=")[-1].split(b"=")) < 2
                or not parts[0].isdigit()
            ):
                await kept.line.wait(beyond=bounds(kept.keeper.run_dir)[1])
        child = int(parts[0])
        await kept.keeper.stop()
        await kept.is_over()

        assert parse_exit(list(read_spool(kept.keeper.spool))[-1]).asked == "stop"
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


async def test_a_program_that_hangs_up_on_nothing_is_killed(home: Path) -> None:
    script = (
        "import signal as s\nfor n in (s.SIGHUP, s.SIGTERM, s.SIGINT): s.signal(n, s.SIG_IGN)\n"
        "print('deaf')\nwhile True: s.pause()"
    )
    async with terminal(home, sys.executable, "-I", "-S", "-c", script) as kept:
        await kept.shows(b"deaf")
        await kept.keeper.stop()
        await kept.is_over()

        assert parse_exit(list(read_spool(kept.keeper.spool))[-1]).signal == signal.SIGKILL


async def test_a_program_with_pipes_has_no_size(home: Path) -> None:
    keeper = await launch(
        home / "kept", LaunchSpec(argv=("sleep", "1000"), cwd=str(home), env={"PATH": os.environ["PATH"]})
    )

    with pytest.raises(KeeperRefused, match="no terminal"):
        await keeper._ask("resize 80 24")
    for nonsense in ("resize", "resize 0 1", "resize 1 5000", "resize -1 1", "resize a b"):
        with pytest.raises(KeeperRefused, match="COLUMNS"):
            await keeper._ask(nonsense)


def test_a_tail_keeps_a_segment_and_never_more_than_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tail = TailWriter(segment=100)
    said = bytes(range(256)) * 4
    for begin in range(0, len(said), 30):
        tail.output(said[begin : begin + 30])

    oldest, end = bounds(tmp_path)

    assert (tail.size, tail.dropped, end) == (1024, 0, 1024)
    assert 100 <= end - oldest <= 260
    whole, position = b"", oldest
    while True:
        at, data = read_tail(tmp_path, position=position, length=17)
        if not data:
            break
        assert at == position
        whole, position = whole + data, at + len(data)
    assert whole == said[oldest:]
    assert read_tail(tmp_path, position=0, length=5) == (oldest, said[oldest : oldest + 5])
    assert read_tail(tmp_path, position=5000, length=5) == (5000, b"")
    assert SEGMENT >= 256 << 10


def test_what_a_full_disk_does_not_take_has_no_position(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    is_full = False

    def write(fd: int, data: bytes) -> int:
        if is_full:
            raise OSError(28, "no space")
        return os.write(fd, data[:3])

    tail = TailWriter(write=write)
    tail.output(b"abcdef")
    is_full = True
    tail.output(b"lost")
    is_full = False
    tail.output(b"gh")

    assert (tail.size, tail.dropped) == (8, 4)
    assert read_tail(tmp_path, position=0, length=100) == (0, b"abcdefgh")


def test_a_folder_without_output_is_empty(tmp_path: Path) -> None:
    assert bounds(tmp_path) == (0, 0)
    assert read_tail(tmp_path, position=3, length=1) == (3, b"")
