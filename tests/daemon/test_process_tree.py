"""Ending what a run left behind, and nothing else."""

import asyncio
import os
import signal
import sys

from pal_daemon.keeping import frames
from pal_daemon.keeping.tree import boot_id, read_proc, stat_fields
from pal_daemon.process_tree import find_left_over, sweep

CHILD = "setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1000; done' & wait"


async def test_the_agent_dies_with_a_killed_keeper_and_the_sweep_ends_its_grandchild(runs, gone):
    run = await runs.start("sh", "-c", CHILD)
    await run.says(b"\n")
    child = int(run.stdout)

    os.kill(run.keeper.pid, signal.SIGKILL)
    await gone(run.keeper.agent)
    await gone(run.keeper.pid)
    ended = await asyncio.to_thread(sweep, run.keeper.run_dir)

    assert child in ended
    await gone(child)
    assert find_left_over(run.keeper.run_dir) == []


GHOST = "setsid env -i sh -c 'trap \"\" HUP INT TERM; echo $$; while :; do sleep 1000; done' & exec sleep 1000"


async def test_what_carries_no_mark_of_the_run_ends_with_a_killed_keeper_too(runs, gone):
    run = await runs.start("sh", "-c", f"({GHOST})")
    await run.says(b"\n")
    ghost = int(run.stdout)
    assert read_proc(f"/proc/{ghost}/environ") == b""

    os.kill(run.keeper.pid, signal.SIGKILL)

    await gone(run.keeper.agent)
    await gone(ghost)


async def test_a_run_goes_on_without_its_guard(runs, gone):
    run = await runs.start("cat")
    guard = int(stat_fields(run.keeper.pid)[1])
    assert guard != os.getpid()

    os.kill(guard, signal.SIGKILL)
    await gone(guard)
    await run.keeper.input("one", b"still here\n")
    await run.says(b"still here\n")
    await run.keeper.close_input()

    assert (await run.end()).code == 0
    await gone(run.keeper.pid)


async def test_following_ends_when_the_keeper_is_killed(runs):
    run = await runs.start("cat")
    os.kill(run.keeper.pid, signal.SIGKILL)

    rest = [record async for record in run._tail]

    assert [record.stream for record in rest] == ["started"]


async def test_a_living_keeper_is_left_to_do_it_itself(runs):
    run = await runs.start("cat")

    assert sweep(run.keeper.run_dir) == []

    assert (await run.keeper.status()).is_running


async def test_other_runs_and_other_homes_are_not_touched(runs):
    gone_dir = runs.home / "9"
    gone_dir.mkdir()
    marks = {"PAL_RUN_ID": "9", "PAL_KEEPER": str(gone_dir)}
    python = [sys.executable, "-I", "-S", "-c", "print(flush=True); input()"]
    environments = {
        "same": marks,
        "other home": {**marks, "PAL_KEEPER": "/elsewhere/9"},
        "other run": {**marks, "PAL_RUN_ID": "8"},
        "none": {},
    }
    processes = {
        name: await asyncio.create_subprocess_exec(*python, env=env, stdin=-1, stdout=-1)
        for name, env in environments.items()
    }
    for process in processes.values():
        await process.stdout.readline()

    ended = await asyncio.to_thread(sweep, gone_dir)
    codes = {name: (await process.communicate(b"\n"), process.returncode)[1] for name, process in processes.items()}

    assert ended == [processes["same"].pid]
    assert codes == {"same": -signal.SIGTERM, "other home": 0, "other run": 0, "none": 0}


async def test_a_reused_pid_is_not_touched(runs, gone):
    """The recorded agent pid is alive, but it is another process: its start ticks differ."""
    gone_dir = runs.home / "7"
    gone_dir.mkdir()
    stranger = await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True)
    facts = {"pid": stranger.pid, "pgid": stranger.pid, "start_ticks": 1, "boot": boot_id(), "keeper": 1}
    (gone_dir / "spool").write_bytes(frames.pack_frame(frames.STARTED, frames.pack_facts(facts), at=1))

    left_over = find_left_over(gone_dir)
    stranger.kill()
    await stranger.wait()

    assert left_over == []
