"""What takes half a minute because a lease or a socket's silence has to end first. All of it waits at the same time."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.scene import ACKED, Scene, check
from tests.support.faults import is_alive
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.stack import Daemon, Stack, eventually

LAPSE = 180.0  # seconds; a lease has 30, its end is acted on within 20, and nine stacks do all this at once
BEATS = 600 // 3  # in ten minutes
SILENT_FOR = 180.0  # seconds after which a silent socket surely is opened again


def a_claim_whose_answer_nobody_heard_is_given_out_again(stack: Stack, proxy: Proxy, *, victim: str) -> None:
    """Only the end of the lease tells that nobody has it, unless a daemon lives that asks again before."""
    stack.daemon.start()
    stack.daemon.wait_socket()
    scene = Scene(stack, proxy)
    scene.set_up()
    hold = scene.hold("POST /api/deliveries/claim", at="answer", having=b'"lease"')
    scene.say()
    hold.wait_reached()

    scene.strike(victim)
    scene.stack.let_go(scene.message)
    delivery = stack.wait_delivery(scene.message, within=LAPSE)

    check(scene, delivery, ends=ACKED, processes=1, attempts=(1, 2) if victim == "server" else (2,))


def a_daemon_that_stands_still_loses_what_it_had_not_started_and_keeps_what_runs(stack: Stack, proxy: Proxy) -> None:
    slow, other = stack.daemon, stack.add_daemon()
    slow.start()
    other.start()
    room = stack.room()
    running, unstarted = stack.agent(room, "wait"), stack.agent(room)
    going_on = stack.mention(room, running)
    stack.wait_run(going_on, "running")
    opening = proxy.hold("POST /api/runs")
    taken_back = stack.mention(room, unstarted)
    opening.wait_reached()

    slow.signal(signal.SIGSTOP)
    stack.api.post(f"/api/agents/{unstarted}/assignment", {"computer_id": other.computer})

    assert stack.wait_delivery(taken_back, within=LAPSE)["status"] == "acked"
    assert stack.delivery(going_on)["status"] == "claimed"
    slow.signal(signal.SIGCONT)
    opening.let_go()
    stack.let_go(going_on)
    assert stack.wait_delivery(going_on)["status"] == "acked"
    assert [len(stack.starts(message)) for message in (going_on, taken_back)] == [1, 1]
    assert stack.said_by(room, unstarted) == [f"answer to {taken_back}"]
    assert stack.runs(taken_back)[0]["computer"] == other.computer
    assert slow.is_running


def a_daemon_that_stood_still_gives_way_to_the_one_that_took_over(stack: Stack, proxy: Proxy) -> None:
    """Never do two of them run agents: the first ends its own when it finds out."""
    first = stack.daemon
    first.start()
    room = stack.room()
    agent = stack.agent(room, "wait")
    message = stack.mention(room, agent)
    pid = stack.wait_started(message)["pid"]
    second = stack.add_daemon(key_of=first)

    first.signal(signal.SIGSTOP)
    eventually("the second is let in", lambda: is_let_in(second), within=LAPSE)
    first.signal(signal.SIGCONT)

    assert first.wait_end() != 0
    eventually("the first one's agent is gone", lambda: not is_alive(pid))
    assert stack.wait_delivery(message)["status"] == "interrupted"
    again = stack.mention(room, agent)
    stack.let_go(again)
    assert stack.wait_delivery(again)["status"] == "acked"
    assert second.is_running


def is_let_in(daemon: Daemon) -> bool:
    """Whether it is let in now; one that is refused ends by itself and is started again."""
    if not daemon.is_running:
        daemon.spawn()
    eventually("it is in or out", lambda: "is connected to" in daemon.said() or not daemon.is_running)
    if daemon.is_running:
        return True
    assert daemon.wait_end() == 3
    return False


def a_silent_socket_delays_by_a_heartbeat_and_is_opened_again(stack: Stack, proxy: Proxy) -> None:
    daemon = stack.daemon
    daemon.start()
    daemon.wait_socket()
    room = stack.room()
    agent = stack.agent(room)
    proxy.silence_sockets()
    sockets = proxy.seen.count("GET /api/daemon/ws")
    pid = daemon.pid

    message = stack.mention(room, agent)

    assert stack.wait_delivery(message)["status"] == "acked"
    assert proxy.seen.count("GET /api/daemon/ws") == sockets
    eventually(
        "the socket is opened again", lambda: proxy.seen.count("GET /api/daemon/ws") > sockets, within=SILENT_FOR
    )
    daemon.wait_socket()
    assert (daemon.is_running, daemon.pid) == (True, pid)


def a_daemon_without_disk_starts_nothing_and_goes_on_when_there_is_room(stack: Stack, proxy: Proxy) -> None:
    """A limit for the size of its files does what a full disk does, and needs no disk to be filled."""
    daemon = stack.daemon
    daemon.start()
    room = stack.room()
    agent = stack.agent(room)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    message = stack.mention(room, agent)
    eventually("it says what is wrong", lambda: daemon.health()["troubles"])
    assert stack.starts(message) == []
    assert stack.wait_delivery(message, "pending")["attempts"] == 0
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    assert stack.wait_delivery(message, within=LAPSE)["status"] == "acked"
    assert len(stack.starts(message)) == 1
    assert not daemon.health()["troubles"]


def a_daemon_without_agents_beats_on_without_a_word_of_trouble(stack: Stack, proxy: Proxy) -> None:
    """As many beats as ten minutes have at the usual interval of three seconds, at the shortest one there is."""
    daemon = stack.daemon
    beat = f"POST /api/computers/{daemon.computer}/heartbeat"

    daemon.start("--interval", "100")
    eventually("it has beaten as often", lambda: proxy.seen.count(beat) >= BEATS, within=SILENT_FOR)

    (known,) = stack.api.get("/api/computers")["computers"]
    assert known["status"] == "online"
    assert daemon.health()["status"] == "ok"
    assert not [word for word in (" warning: ", " error: ", "Traceback") if word in daemon.said()]


STORIES: dict[str, Callable[[Stack, Proxy], None]] = {
    **{
        f"claim unheard, {victim} dies": partial(a_claim_whose_answer_nobody_heard_is_given_out_again, victim=victim)
        for victim in ("server", "daemon", "all")
    },
    "daemon stands still": a_daemon_that_stands_still_loses_what_it_had_not_started_and_keeps_what_runs,
    "daemon taken over": a_daemon_that_stood_still_gives_way_to_the_one_that_took_over,
    "daemon's disk full": a_daemon_without_disk_starts_nothing_and_goes_on_when_there_is_room,
    "no agents": a_daemon_without_agents_beats_on_without_a_word_of_trouble,
    "silent socket": a_silent_socket_delays_by_a_heartbeat_and_is_opened_again,
}


@pytest.mark.timeout(600)
def test_what_needs_half_a_minute(tmp_path: Path, subtests: pytest.Subtests) -> None:
    """Each story has a server, a proxy and a daemon of its own."""
    with ThreadPoolExecutor(len(STORIES)) as pool:
        told = {name: pool.submit(tell, story, tmp_path / str(n)) for n, (name, story) in enumerate(STORIES.items())}
        for name, future in told.items():
            with subtests.test(name):
                future.result()


def tell(story: Callable[[Stack, Proxy], None], folder: Path) -> None:
    stack = Stack(folder)
    with ExitStack() as cleanup:
        cleanup.callback(stack.close)
        stack.server.start()
        proxy = cleanup.enter_context(Proxy(port=free_port(), target=stack.server.port))
        stack.add_daemon(server=proxy.url)
        try:
            story(stack, proxy)
        except BaseException as error:
            error.add_note(stack.logs())
            raise
