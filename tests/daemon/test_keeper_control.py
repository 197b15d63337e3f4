"""What clients can ask of a keeper, and what they cannot do to it."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from pal_daemon.keeper_client import KeeperRefused, LaunchSpec, attach, launch
from pal_daemon.spool import Stream, read_spool

ROOT = Path(__file__).parents[2]
DEAF = (
    "import _signal as s\nfor n in (s.SIGINT, s.SIGTERM): s.signal(n, s.SIG_IGN)\nprint('deaf')\nwhile True: s.pause()"
)


async def test_input_of_one_id_is_written_once(runs):
    run = await runs.start("cat")

    assert await run.keeper.input("a", b"first\n")
    assert not await run.keeper.input("a", b"first\n")
    assert await run.keeper.input("b", b"second\n")
    await run.keeper.close_input()
    await run.end()

    assert run.stdout == b"first\nsecond\n"
    receipts = [record.facts["id"] for record in run.records if record.stream is Stream.INPUT]
    assert receipts == ["a", "b"]


async def test_input_the_agent_does_not_read_blocks_nobody(runs):
    run = await runs.start("sleep", "1000")

    await run.keeper.input("big", b"x" * 10_000_000)

    status = await run.keeper.status()
    assert 9_000_000 < status.waiting < 10_000_000
    with pytest.raises(KeeperRefused, match="limit") as refused:
        await run.keeper.input("more", b"x" * 10_000_000)
    assert refused.value.code == "full"


async def test_input_that_is_too_large_is_refused_before_it_is_sent(runs):
    run = await runs.start("cat")

    with pytest.raises(KeeperRefused) as refused:
        await run.keeper.input("huge", b"x" * ((16 << 20) + 1))

    assert refused.value.code == "too_large"
    assert (await run.keeper.status()).is_running


async def test_input_after_the_end_of_input_is_refused(runs):
    run = await runs.start("sleep", "1000")
    await run.keeper.close_input()

    with pytest.raises(KeeperRefused) as refused:
        await run.keeper.input("late", b"x")

    assert refused.value.code == "closed"


async def test_input_nobody_read_is_told_as_lost(runs):
    run = await runs.start("sleep", "1000")
    await run.keeper.input("big", b"x" * 1_000_000)

    await run.keeper.kill()
    await run.end()

    assert run.notes("input_lost") == [{"kind": "input_lost", "id": "big"}]


async def test_a_signal_reaches_the_agent(runs):
    script = (
        "import _signal as s\ns.signal(s.SIGUSR1, lambda *_: print('heard'))\nprint('ready')\nwhile True: s.pause()"
    )
    run = await runs.python(script)
    await run.says(b"ready\n")

    await run.keeper.signal(signal.SIGUSR1)

    await run.says(b"heard\n")
    with pytest.raises(KeeperRefused):
        await run.keeper.signal(signal.SIGSEGV)


async def test_stop_interrupts_first_and_lets_the_agent_finish(runs):
    script = """
import _signal as s, os
def bow(*_):
    print('bye'); os._exit(0)
s.signal(s.SIGINT, bow)
print('ready')
while True: s.pause()
"""
    run = await runs.python(script)
    await run.says(b"ready\n")

    await run.keeper.stop()
    end = await run.end()

    assert run.stdout == b"ready\nbye\n"
    assert (end.code, end.asked) == (0, "stop")
    assert [note["signal"] for note in run.notes("signal")] == ["SIGINT"]


async def test_stop_ends_in_force(runs):
    run = await runs.python(DEAF, ask_grace=0.1, terminate_grace=0.1)
    await run.says(b"deaf\n")

    await run.keeper.stop()
    await run.keeper.stop()
    end = await run.end()

    assert (end.signal, end.asked) == (signal.SIGKILL, "stop")
    assert [note["signal"] for note in run.notes("signal")] == ["SIGINT", "SIGTERM", "SIGKILL"]


async def test_a_sigterm_to_the_keeper_stops_the_agent(runs):
    run = await runs.start("sleep", "1000")

    for number in (signal.SIGHUP, signal.SIGINT):
        os.kill(run.keeper.pid, number)
    assert (await run.keeper.status()).asked == "none"
    os.kill(run.keeper.pid, signal.SIGTERM)
    end = await run.end()

    assert (end.signal, end.asked) == (signal.SIGINT, "terminate")


async def test_kill_ends_a_child_in_another_session(runs, gone):
    run = await runs.start("sh", "-c", "setsid sh -c 'trap \"\" TERM; echo $$; sleep 1000' & wait")
    await run.says(b"\n")
    child = int(run.stdout)

    await run.keeper.kill()
    end = await run.end()

    assert (end.signal, end.asked) == (signal.SIGKILL, "kill")
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


async def test_what_a_finished_agent_leaves_behind_is_asked_then_forced(runs):
    child = """
import _signal as s, os
os.setsid()
s.signal(s.SIGTERM, s.SIG_IGN)
print(os.getpid())
while True: s.pause()
"""
    script = f"""
import os, sys
if os.fork() == 0:
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, '-I', '-S', '-u', '-c', {child!r}])
    os._exit(0)
sys.stdin.readline()
"""
    run = await runs.python(script, leftover_grace=0.2)
    await run.says(b"\n")
    pid = int(run.stdout)

    await run.keeper.close_input()
    end = await run.end()

    assert (end.code, end.asked) == (0, "none")
    assert [(note["signal"], note["pids"]) for note in run.notes("left_over")] == [
        ("SIGTERM", [pid]),
        ("SIGKILL", [pid]),
    ]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_stopped_agent_can_be_killed(runs):
    run = await runs.start("sleep", "1000")
    await run.keeper.signal(signal.SIGSTOP)

    await run.keeper.kill()

    assert (await run.end()).signal == signal.SIGKILL


async def test_a_stopped_agent_can_be_asked_to_stop(runs):
    run = await runs.start("sleep", "1000")
    await run.keeper.signal(signal.SIGSTOP)

    await run.keeper.stop()

    assert (await run.end()).signal == signal.SIGINT


@pytest.mark.parametrize(
    ("garbage", "answer"),
    [
        (b"\0\xff\xfe\n", b"error bad_request"),
        (b"\0\xff\xfe" * 1000, b"error bad_request"),
        (b"x" * 1000 + b"\nstop\n", b"error bad_request"),
        (b"dance\n", b"error bad_request"),
        (b"\n\n\n", b"error bad_request"),
        (b"input\n", b"error bad_request"),
        (b"input a -1\n", b"error bad_request"),
        (b"input  9\n", b"error bad_request"),
        (b"input a 99999999999999\n", b"error too_large"),
        (b"input a 16777217\n", b"error too_large"),
        (b"signal SIGKILL SIGKILL\n", b"error bad_request"),
        (b"signal __class__\n", b"error bad_signal"),
    ],
)
async def test_garbage_is_refused_and_hurts_nobody(runs, garbage, answer):
    run = await runs.start("cat")
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as rude:
        rude.setblocking(False)
        rude.connect(str(run.keeper.run_dir / "control"))
        await loop.sock_sendall(rude, garbage)
        assert (await loop.sock_recv(rude, 1000)).startswith(answer)

    await run.keeper.input("a", b"still here\n")

    await run.says(b"still here\n")


async def test_an_input_cut_off_in_the_middle_is_not_written(runs):
    run = await runs.start("cat")
    with socket.socket(socket.AF_UNIX) as dying:
        dying.connect(str(run.keeper.run_dir / "control"))
        dying.sendall(b"input a 100\nshort")

    assert await run.keeper.input("a", b"whole\n")

    await run.says(b"whole\n")
    assert run.stdout == b"whole\n"


async def test_a_client_that_never_reads_is_hung_up_on(runs):
    run = await runs.start("cat")
    with socket.socket(socket.AF_UNIX) as greedy:
        greedy.setblocking(False)
        greedy.connect(str(run.keeper.run_dir / "control"))
        asking = _ask_for_ever(greedy)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            await asking

    assert (await run.keeper.status()).is_running


async def test_many_clients_at_once(runs):
    run = await runs.start("cat")

    async with asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(run.keeper.input(str(number), b"x"), name=f"input {number}")
    await run.keeper.close_input()
    await run.end()

    assert run.stdout == b"x" * 40


async def test_a_run_directory_with_a_long_path_works(runs):
    deep = runs.home / ("d" * 120)

    keeper = await launch(deep, LaunchSpec(argv=("cat",), cwd="/", env={"PATH": os.environ["PATH"]}))

    assert (await keeper.status()).is_running
    assert (await attach(deep)) == keeper


async def test_the_agent_goes_on_without_its_daemon(runs, gone):
    run_dir = runs.home / "lonely"
    script = f"""
import asyncio, os, pathlib
from pal_daemon.keeper_client import *
spec = LaunchSpec(argv=("cat",), cwd="/", env={{"PATH": os.environ["PATH"]}})
async def main():
    await launch(pathlib.Path({str(run_dir)!r}), spec)
    print("launched", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    daemon = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=ROOT, stdout=-1, start_new_session=True
    )
    assert await daemon.stdout.readline() == b"launched\n"

    os.killpg(daemon.pid, signal.SIGKILL)
    await daemon.wait()

    keeper = await attach(run_dir)
    run = await runs.follow(keeper)
    await keeper.input("a", b"alone\n")
    await run.says(b"alone\n")
    await keeper.close_input()
    assert (await run.end()).code == 0


async def test_a_later_reader_gets_the_same_records(runs):
    run = await runs.start("sh", "-c", "for n in 1 2 3; do echo $n; echo e$n >&2; done")
    await run.end()

    again = list(read_spool(run.keeper.spool))
    rest = list(read_spool(run.keeper.spool, offset=again[1].end))

    assert again == run.records
    assert rest == again[2:]


async def _ask_for_ever(client: socket.socket) -> None:
    while True:
        await asyncio.get_running_loop().sock_sendall(client, b"status\n" * 1000)
