"""What the daemon does when something around it goes away and comes back: servers, daemons, leases, keys."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pal_daemon.daemon import Over
from pal_daemon.keeper_client import Keeper, KeeperGone, KeeperRefused, attach, living_keeper
from pal_daemon.process_tree import find_left_over
from pal_daemon.runtimes.base import name_answer
from tests.support.fake_bus import KEY, FakeBus
from tests.support.patience import PATIENCE

COUNT = f"{sys.executable} -u -c 'import time\nfor i in range(40): print(i); time.sleep(0.05)'"
COUNTED = "".join(f"{i}\n" for i in range(40))


async def given_counting(bus: FakeBus):
    return await bus.given_delivery(runtime="command", command=COUNT, command_allowed=True)


async def test_the_next_daemon_goes_on_where_the_last_one_left(bus, start_daemon):
    first = await start_daemon()
    delivery = await given_counting(bus)
    run = await bus.run_of(delivery)
    await bus.until(lambda: "5\n" in run.text("output"))
    await first.leave()

    await start_daemon()

    run = await bus.end_of(delivery)
    assert run.finish["status"] == "succeeded"
    assert run.text("output") == COUNTED
    assert len(bus.runs) == 1


async def test_a_run_that_ended_while_no_daemon_was_there_is_reported_by_the_next(bus, start_daemon, settings):
    first = await start_daemon()
    delivery = await bus.given_delivery(content="/ask may I?")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.interactions)
    await first.leave()
    keeper = await attach(settings.runs_folder / str(run.id))
    await keeper.input(name_answer("ask-1", decision=None), b'{"type": "answer", "key": "ask-1", "answer": "yes"}\n')
    async with keeper.watch() as watch:
        while await watch.wait(beyond=1 << 40):
            pass

    await start_daemon()

    assert (await bus.end_of(delivery)).finish["text"] == "You answered: yes"


async def test_an_answer_is_handed_over_once_the_keeper_listens_again(bus, start_daemon, monkeypatch):
    """Else the program would wait for ever, and nobody could answer it again."""
    await start_daemon()
    delivery = await bus.given_delivery(content="/ask may I?")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.interactions)
    take, refusals = Keeper.input, [KeeperGone("it does not answer"), KeeperRefused("full", "it is not reading")]

    async def hesitate(keeper: Keeper, name: str, data: bytes) -> bool:
        if refusals:
            raise refusals.pop()
        return await take(keeper, name, data)

    monkeypatch.setattr(Keeper, "input", hesitate)
    ((key, id),) = run.interactions.items()
    await bus.given_command("answer", run.id, interaction=id, key=key, kind="question", answer="yes")

    assert (await bus.end_of(delivery)).finish["text"] == "You answered: yes"
    assert refusals == []


async def test_a_daemon_that_is_killed_loses_and_doubles_nothing(bus, start_daemon, settings):
    process = start_process(settings)
    delivery = await given_counting(bus)
    run = await bus.run_of(delivery)
    await bus.until(lambda: "5\n" in run.text("output"))
    process.kill()
    process.wait()

    await start_daemon()

    run = await bus.end_of(delivery)
    assert (run.finish["status"], run.text("output")) == ("succeeded", COUNTED)
    assert len(bus.runs) == 1


async def test_a_run_whose_keeper_died_with_the_daemon_is_interrupted(bus, start_daemon, settings):
    first = await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.events)
    await first.leave()
    os.kill(living_keeper(settings.runs_folder / str(run.id)), signal.SIGKILL)

    await start_daemon()

    assert (await bus.end_of(delivery)).finish["status"] == "interrupted"


async def test_a_run_the_server_gave_up_is_ended_and_not_spoken_of(bus, start_daemon, settings):
    first = await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.pid)
    await first.leave()
    delivery.fence += 1
    delivery.status = "cancelled"

    await start_daemon()

    assert find_left_over(settings.runs_folder / str(run.id)) == []
    assert run.finish is None


async def test_a_keeper_that_stands_still_does_not_keep_what_the_server_gave_up(
    bus, start_daemon, settings, monkeypatch
):
    first = await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.pid)
    await first.leave()
    folder = settings.runs_folder / str(run.id)
    os.kill(living_keeper(folder), signal.SIGSTOP)
    delivery.fence += 1
    delivery.status = "cancelled"
    monkeypatch.setattr("pal_daemon.keeper_client.ANSWER_FOR", 0.2)
    monkeypatch.setattr("pal_daemon.runs.LATE", 0.2)

    await start_daemon()

    assert living_keeper(folder) is None
    assert find_left_over(folder) == []


async def test_a_run_only_the_server_knows_is_told_as_interrupted(bus, start_daemon, settings):
    first = await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.pid)
    await first.leave()
    (settings.folder / "journal").unlink()

    await start_daemon()

    finish = (await bus.end_of(delivery)).finish
    assert finish["status"] == "interrupted"
    assert "has no record of the run" in finish["error"], "it was started, which nobody may deny"
    assert find_left_over(settings.runs_folder / str(run.id)) == []


async def test_while_the_server_is_away_runs_go_on_and_report_later(bus, start_daemon):
    await start_daemon()
    delivery = await given_counting(bus)
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.events)
    bus.is_away = True
    await until_process_ends(run.pid)

    bus.is_away = False

    run = await bus.end_of(delivery)
    assert run.text("output") == COUNTED


@pytest.mark.parametrize("lost", ["claim", "runs", "pid", "events", "finish"])
async def test_a_lost_answer_doubles_nothing(bus, start_daemon, lost):
    bus.lease_for = 2_000
    await start_daemon()
    bus.lose_answers.add(lost)
    delivery = await given_counting(bus)
    if lost == "claim":
        await bus.until(lambda: not bus.lose_answers)
        delivery.status = "pending"  # what the server does once the lease is over

    run = await bus.end_of(delivery)

    assert (run.finish["status"], run.text("output")) == ("succeeded", COUNTED)
    assert len(bus.runs) == 1


async def test_a_lost_lease_ends_the_process_without_a_word(bus, start_daemon, settings):
    bus.lease_for = 600
    await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.events)

    delivery.fence += 1
    delivery.status = "cancelled"

    await until_process_ends(run.pid)
    assert run.finish is None


async def test_a_delivery_that_comes_back_starts_after_its_first_attempt_has_ended(bus, start_daemon, settings):
    bus.lease_for = 600
    await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    first = await bus.run_of(delivery)
    await bus.until(lambda: first.events)

    delivery.status = "pending"
    delivery.work["content"] = "/echo again"
    await bus.say_look("deliveries")

    second = await bus.until(lambda: bus.runs.get(2) and bus.runs[2].finish and bus.runs[2])
    assert second.finish["text"] == "again"
    assert find_left_over(settings.runs_folder / str(first.id)) == []
    assert first.finish is None


async def test_a_daemon_that_slept_past_its_lease_starts_nothing(bus, start_daemon, monkeypatch, tmp_path):
    daemon = await start_daemon()
    delivery = await bus.given_delivery(
        runtime="command", command=f"touch {tmp_path}/started", command_allowed=True, look=False
    )
    real = bus._open

    def open_and_take_back(body):
        opened = real(body)
        delivery.fence += 1
        delivery.status = "cancelled"
        monkeypatch.setattr("pal_daemon.leases.monotonic", lambda: asyncio.get_running_loop().time() + 3600)
        return opened

    bus._open = open_and_take_back
    await bus.say_look("deliveries")

    await bus.until(lambda: ("POST", f"/api/deliveries/{delivery.id}/renew") in bus.asked)
    monkeypatch.undo()
    assert await daemon.leave() == 0
    assert not (tmp_path / "started").exists()
    assert bus.runs[1].finish is None


async def test_a_second_daemon_in_one_home_is_refused(bus, start_daemon):
    await start_daemon()

    with pytest.raises(Over, match="another daemon is running") as refused:
        await start_daemon()

    assert refused.value.code == 3


async def test_a_wrong_key_ends_with_3(bus, start_daemon):
    with pytest.raises(Over, match="does not accept this key") as refused:
        await start_daemon(key="sk_machine_wrong")

    assert refused.value.code == 3


async def test_a_rotated_key_ends_the_daemon_and_leaves_the_agents(bus, start_daemon, settings):
    daemon = await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.events)

    bus.is_key_good = False

    with pytest.raises(Over, match="no longer good") as ended:
        await daemon.end()
    assert ended.value.code == 3
    assert living_keeper(settings.runs_folder / str(run.id)) is not None


@pytest.mark.parametrize("when", ["while it runs", "while it is away"])
async def test_a_daemon_of_a_revoked_computer_ends_its_agents_without_a_socket(bus, start_daemon, settings, gone, when):
    daemon = await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.events)
    agents = find_left_over(settings.runs_folder / str(run.id))
    if when == "while it is away":
        await daemon.leave()

    bus.is_key_good, bus.is_revoked = False, True

    with pytest.raises(Over, match="was revoked") as ended:
        await (daemon.end() if when == "while it runs" else start_daemon())
    assert ended.value.code == 3
    assert agents
    for pid in agents:
        await gone(pid)


async def test_a_daemon_that_was_replaced_ends_with_its_agents(bus, start_daemon, settings):
    daemon = await start_daemon()
    delivery = await bus.given_delivery(content="/slow 300")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.events)

    bus.epoch += 1

    with pytest.raises(Over, match="taken over") as ended:
        await daemon.end()
    assert ended.value.code == 3
    await until_process_ends(run.pid)


async def test_a_daemon_that_is_sent_away_ends(bus, start_daemon):
    daemon = await start_daemon()
    await bus.until(lambda: bus._sockets)

    await bus.say_bye("revoked", retry=False)

    with pytest.raises(Over, match="was revoked"):
        await daemon.end()


async def test_a_taken_port_is_told_in_one_sentence(bus, start_daemon, tmp_path):
    first = await start_daemon()
    port = int(first.url.rsplit(":", 1)[1])

    with pytest.raises(Over, match=f"port {port} is taken") as refused:
        await start_daemon(home=tmp_path / "other", local_port=port)

    assert refused.value.code == 4


async def test_once_does_the_backlog_and_ends_with_0(bus, start_daemon):
    for text in ("one", "two", "three"):
        await bus.given_delivery(content=f"/echo {text}", look=False)

    daemon = await start_daemon(is_once=True, max_runs=2)

    assert await daemon.end() == 0
    assert sorted(run.finish["text"] for run in bus.runs.values()) == ["one", "three", "two"]


async def test_once_ends_with_1_when_a_run_failed(bus, start_daemon):
    await bus.given_delivery(content="/fail", look=False)

    daemon = await start_daemon(is_once=True)

    assert await daemon.end() == 1


async def test_once_without_a_server_ends_with_4(bus, start_daemon):
    await bus.close()

    with pytest.raises(Over) as ended:
        await start_daemon(is_once=True)

    assert ended.value.code == 4


async def test_a_daemon_waits_for_a_server_that_comes_later(bus, start_daemon):
    await bus.close()
    starting = asyncio.create_task(start_daemon())
    await asyncio.sleep(0)

    await bus.start()

    await starting
    assert (await bus.end_of(await bus.given_delivery(content="/echo hi"))).finish["text"] == "hi"


async def test_drain_finishes_what_runs_and_claims_nothing(bus, start_daemon):
    first = await start_daemon()
    running = await bus.given_delivery(content="/slow 1")
    await bus.run_of(running)
    await first.leave()
    waiting = await bus.given_delivery(content="/echo later", look=False)

    daemon = await start_daemon(is_drain=True)

    assert await daemon.end() == 0
    assert bus._ended(running).finish["status"] == "succeeded"
    assert waiting.status == "pending"


async def test_a_computer_that_drains_claims_nothing_until_it_is_let_work_again(bus, start_daemon):
    bus.status = "draining"
    await start_daemon()
    delivery = await bus.given_delivery(content="/echo hi")
    beats = len(bus.heartbeats)
    await bus.until(lambda: len(bus.heartbeats) > beats + 1)
    assert delivery.status == "pending"

    bus.status = "online"

    assert (await bus.end_of(delivery)).finish["text"] == "hi"


async def test_a_dry_run_starts_nothing(bus, start_daemon, settings):
    await start_daemon(is_dry_run=True)

    run = await bus.end_of(await bus.given_delivery(content="/echo hi"))

    assert run.finish["status"] == "dry_run"
    assert run.pid is None
    assert not (settings.runs_folder / str(run.id)).exists()


async def test_a_full_disk_gives_the_delivery_back_with_the_reason(bus, start_daemon, monkeypatch):
    daemon = await start_daemon()

    def full(fd: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pal_daemon.journal.os.write", full)
    delivery = await bus.given_delivery(content="/echo hi")
    await bus.until(lambda: delivery.released)
    monkeypatch.undo()

    assert "No space left" in delivery.released[0]["reason"]
    assert delivery.released[0]["burn_attempt"] is False
    assert not daemon.task.done()


def start_process(settings) -> subprocess.Popen[bytes]:
    """A daemon as a process of its own, to be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "pal_daemon.cli", "--server", settings.server, "--local-port", "0", "--interval", "300"],
        env={**os.environ, "PAL_HOME": str(settings.home), "PAL_API_KEY": KEY},
        cwd=Path(__file__).parents[2],
    )


async def until_process_ends(pid: int) -> None:
    """Wait for the end of a process that is not our child."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(fd, ended.set)
    try:
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
