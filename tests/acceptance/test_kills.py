"""SIGKILL at every step from message to answer: of the server, the daemon, the keeper, the agent, and of all at once.

A row of the table says where the way is cut, who dies there, how the delivery has to end and how many processes may
have been started for it. After each row nothing is lost, nothing doubled, nothing left running, and the same agent
still answers in the same topic.

    message sent → stored → claimed → run opened → keeper started → begins → (asks → answered) → ends → settled
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import pytest

from tests.acceptance.scene import ACKED, FAILED, INTERRUPTED, Scene, check
from tests.support.faults import kill
from tests.support.patience import LONG_PATIENCE
from tests.support.proxy import Proxy
from tests.support.stack import Stack, eventually

# Where the way is cut: each brings a scene to that point and returns when it stands there


def before_stored(scene: Scene) -> None:
    scene.set_up()
    hold = scene.hold("POST /api/messages")
    scene.say()
    hold.wait_reached()


def stored(scene: Scene) -> None:
    scene.set_up()
    scene.hold("POST /api/deliveries/claim")
    hold = scene.hold("POST /api/messages", at="answer")
    scene.say()
    hold.wait_reached()


def before_opened(scene: Scene) -> None:
    scene.set_up()
    hold = scene.hold("POST /api/runs")
    scene.say()
    hold.wait_reached()


def opened(scene: Scene) -> None:
    scene.set_up()
    hold = scene.hold("POST /api/runs", at="answer")
    scene.say()
    hold.wait_reached()


def started(scene: Scene) -> None:
    scene.set_up()
    hold = scene.hold("POST /api/runs/[0-9]+/pid")
    scene.say()
    hold.wait_reached()
    scene.stack.wait_started(scene.message)


def begun(scene: Scene) -> None:
    scene.set_up()
    scene.say()
    run = scene.stack.wait_run(scene.message, "running")["id"]
    eventually("its first words are known", lambda: "begun" in scene.stack.output(run, "log"))


def asked(scene: Scene) -> None:
    scene.content = "/approve the move"
    scene.set_up(runtime="demo")
    scene.say()
    scene.stack.interaction(scene.run)


def answered(scene: Scene) -> None:
    """The person has answered; the daemon gave it to the agent, and nobody has been told so."""
    asked(scene)
    hold = scene.hold("POST /api/interactions/[0-9]+/applied")
    scene.hold("POST /api/runs/[0-9]+/finish")
    approve(scene)
    hold.wait_reached()


def ended(scene: Scene) -> None:
    scene.set_up()
    hold = scene.hold("POST /api/runs/[0-9]+/finish")
    scene.say()
    scene.stack.let_go(scene.message)
    hold.wait_reached()


def settled(scene: Scene) -> None:
    scene.set_up()
    hold = scene.hold("POST /api/runs/[0-9]+/finish", at="answer")
    scene.say()
    scene.stack.let_go(scene.message)
    hold.wait_reached()


def approve(scene: Scene) -> None:
    asked = scene.stack.interaction(scene.run)
    scene.stack.api.post(f"/api/interactions/{asked['id']}/answer", {"decision": "approve"})


# (where, who dies, how the delivery ends, processes started)
TABLE: list[tuple[Callable[[Scene], None], str, str, int]] = [
    (before_stored, "server", ACKED, 1),
    (before_stored, "all", ACKED, 1),
    (stored, "server", ACKED, 1),
    (stored, "daemon", ACKED, 1),
    (stored, "all", ACKED, 1),
    (before_opened, "server", ACKED, 1),
    (before_opened, "daemon", ACKED, 1),
    (before_opened, "all", ACKED, 1),
    (opened, "server", ACKED, 1),
    (opened, "daemon", INTERRUPTED, 0),  # the server believes in a run: nobody but a person may start it again
    (opened, "all", INTERRUPTED, 0),
    (started, "server", ACKED, 1),
    (started, "daemon", ACKED, 1),
    (started, "keeper", INTERRUPTED, 1),
    (started, "agent", FAILED, 1),
    (started, "all", INTERRUPTED, 1),
    (begun, "server", ACKED, 1),
    (begun, "daemon", ACKED, 1),
    (begun, "keeper", INTERRUPTED, 1),
    (begun, "agent", FAILED, 1),
    (begun, "all", INTERRUPTED, 1),
    (asked, "server", ACKED, 1),
    (asked, "daemon", ACKED, 1),
    (asked, "keeper", INTERRUPTED, 1),
    (asked, "agent", FAILED, 1),
    (asked, "all", INTERRUPTED, 1),
    (answered, "server", ACKED, 1),
    (answered, "daemon", ACKED, 1),
    (ended, "server", ACKED, 1),
    (ended, "daemon", ACKED, 1),
    (ended, "all", ACKED, 1),
    (settled, "server", ACKED, 1),
    (settled, "daemon", ACKED, 1),
    (settled, "all", ACKED, 1),
]


@pytest.mark.parametrize(
    ("where", "victim", "ends", "processes"), TABLE, ids=[f"{row[0].__name__}-{row[1]}" for row in TABLE]
)
def test_a_kill_loses_nothing_and_doubles_nothing(
    rig: tuple[Stack, Proxy], where: Callable[[Scene], None], victim: str, ends: str, processes: int
) -> None:
    scene = Scene(*rig)
    where(scene)

    scene.strike(victim)
    scene.stack.let_go(scene.message)
    if where is asked and ends == ACKED:
        approve(scene)
    delivery = scene.stack.wait_delivery(scene.message)

    check(scene, delivery, ends=ends, processes=processes)


@pytest.mark.parametrize("attempt", range(3))
def test_a_daemon_killed_while_it_starts_the_keeper_starts_it_once_or_never(
    rig: tuple[Stack, Proxy], attempt: int
) -> None:
    """No byte between two processes tells this moment, so the journal is watched: the kill follows its word at once."""
    scene = Scene(*rig)
    scene.set_up()
    journal = scene.stack.daemon.home / "daemon" / "journal"
    before = journal.read_bytes().count(b'"spawning"')
    scene.say()
    give_up_at = monotonic() + LONG_PATIENCE
    while journal.read_bytes().count(b'"spawning"') == before:
        assert monotonic() < give_up_at

    scene.strike("daemon")
    scene.stack.let_go(scene.message)
    delivery = scene.stack.wait_delivery(scene.message)

    check(scene, delivery, ends=ACKED if scene.starts() else INTERRUPTED, processes=len(scene.starts()))


def test_server_then_daemon_then_agent_die_while_an_approval_waits(rig: tuple[Stack, Proxy]) -> None:
    scene = Scene(*rig)
    asked(scene)
    agent = scene.agent_pid()

    scene.stack.server.kill()
    scene.stack.daemon.kill()
    kill(agent)
    scene.stack.server.start()
    scene.stack.daemon.start()
    delivery = scene.stack.wait_delivery(scene.message)

    check(scene, delivery, ends=FAILED, processes=1)
