"""What a program asks and answers, where the way to the server or to its keeper is bad."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from pal_daemon import keeper_client
from pal_daemon.attempt import Attempt
from pal_daemon.following import Following
from pal_daemon.keeper_client import KeeperGone, KeeperRefused
from pal_daemon.keeping import frames
from pal_daemon.keeping.spool_writer import SpoolWriter
from pal_daemon.leases import HeldLease
from pal_daemon.rebuilding import read_again
from pal_daemon.redaction import Redactor
from pal_daemon.reports import Reports
from pal_daemon.runtimes.program_lines import ProgramReader
from pal_server.client.problems import ApiProblem
from tests.support.patience import PATIENCE

ASK = {"type": "ask", "key": "k1", "kind": "approval", "title": "Delete?", "body": "x" * 60_000}


class Server:
    """It will not have what is asked."""

    def __init__(self, problem: ApiProblem) -> None:
        self.problem = problem

    async def open_interaction(self, run: int, request: object) -> object:
        raise self.problem


def write_spool(folder: Path) -> None:
    said = frames.pack_frame(frames.STDOUT, msgspec.json.encode(ASK) + b"\n", at=1)
    numbers = ("user_ms", "system_ms", "max_rss_kib", "wall_ms", "dropped")
    over = frames.pack_facts(
        {"code": 0, "signal": None, "asked": "none", "start_error": None, "detail": None, **dict.fromkeys(numbers, 0)}
    )
    (folder / "spool").write_bytes(said + frames.pack_frame(frames.EXIT, over, at=2))


@pytest.mark.parametrize(
    ("problem", "answers"),
    [
        (ApiProblem("invalid", "body has more than 50000 characters", status=400), ["answer-deny-words-k1"]),
        (ApiProblem("conflict", "it was asked with other words", status=409), []),  # and waits for its answer
    ],
)
async def test_what_nobody_can_be_asked_is_denied_with_the_reason(
    tmp_path: Path, problem: ApiProblem, answers: list[str]
) -> None:
    """A program that waits for an answer nobody can give would wait until its time is over."""
    write_spool(tmp_path)
    said: dict[str, bytes] = {}

    async def say(name: str, data: bytes) -> bool:
        said[name] = data
        return True

    async def close_input(stays: bool) -> None: ...

    bus, lease = cast(Any, Server(problem)), HeldLease(delivery=1, lease_id="l", fence=1)
    reports = Reports(bus, 5, lease)
    following = Following(
        run=5,
        session=None,
        folder=tmp_path,
        works_in="",
        reader=ProgramReader(),
        bus=bus,
        lease=lease,
        reports=reports,
        say=say,
        close_input=close_input,
        redactor=Redactor(()),
        seal="seal",
    )
    async with asyncio.timeout(PATIENCE):
        await following.to_the_end()
        reports.close()
        await reports.run()

    assert list(said) == answers
    assert all(problem.message in msgspec.json.decode(data)["reason"] for data in said.values())


def test_what_the_spool_could_not_take_is_said_in_the_log(tmp_path: Path) -> None:
    """Else a program that waits for an answer to what was lost is silent for no reason anybody can see."""
    spool = SpoolWriter((fd := os.open(tmp_path / "spool", os.O_WRONLY | os.O_CREAT)), limit=1 << 20, write=Disk())
    spool.output(frames.STDOUT, b"said\n")
    spool.output(frames.STDOUT, b"held\n")
    spool.output(frames.STDOUT, b"while the disk is full\n")
    spool.retry()
    spool.output(frames.STDOUT, b"x" * (1 << 20))
    spool.tell_dropped()
    os.close(fd)

    events = read_again(tmp_path / "spool", reader=ProgramReader(), redactor=Redactor(()))

    assert [event.text for event in events] == [
        "said\n",
        "held\n",
        "The disk was full: 23 bytes of what it said are lost, and what it asked in them",
        "It has said more than 1 MiB. What it says from here on is not recorded, and it can ask nothing",
        "1,048,576 bytes more of what it said were not recorded",
    ]


class Disk:
    """Is full for the second and the third try."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, fd: int, data: bytes) -> int:
        self.asked += 1
        if self.asked in (2, 3):
            raise OSError(errno.ENOSPC, "full")
        return os.write(fd, data)


class Keeper:
    """Stands still for a while, and then takes what it is given."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.taken: list[str] = []

    async def input(self, name: str, data: bytes) -> bool:
        if self.faults:
            raise self.faults.pop(0)
        self.taken.append(name)
        return True


@pytest.mark.parametrize(("is_alive", "taken"), [(True, ["r1"]), (False, [])])
async def test_what_a_program_waits_for_is_handed_over_once_its_keeper_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_alive: bool, taken: list[str]
) -> None:
    """A computer that swaps, or wakes: nothing asks for a reply twice. Of a keeper that is gone nobody waits for it."""
    monkeypatch.setattr("pal_daemon.attempt.HAND_OVER_AGAIN", 0.0)
    monkeypatch.setattr(keeper_client, "living_keeper", lambda folder: 7 if is_alive else None)
    house = SimpleNamespace(settings=SimpleNamespace(runs_folder=tmp_path))
    lease = HeldLease(delivery=1, lease_id="l", fence=1)
    attempt = Attempt(cast(Any, house), lease, agent="a", runtime="demo", session=None)
    keeper = Keeper(KeeperGone("it does not answer"), KeeperRefused("full", "16 MiB wait"))
    attempt.run, attempt._keeper = 5, cast(Any, keeper)
    attempt._is_settled.set()

    async with asyncio.timeout(PATIENCE):
        assert await attempt.hand_over("r1", b"reply") is is_alive

    assert keeper.taken == taken
