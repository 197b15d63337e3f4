"""SIGKILL at every step from message to answer: of the server, the daemon, the keeper, the agent, and of all at once.

A row of the table says where the way is cut, who dies there, how the delivery has to end and how many processes may
have been started for it. After each row nothing is lost, nothing doubled, nothing left running, and the same agent
still answers in the same topic.

    message sent → stored → claimed → run opened → keeper started → begins → (asks → answered) → ends → settled
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

import pytest

from tests.support.faults import keeper_of, kill, processes_of
from tests.support.proxy import Hold, Proxy
from tests.support.stack import PATIENCE, Api, Json, Silent, Stack, eventually, free_port, new_name

ACKED, FAILED, INTERRUPTED = "acked", "failed", "interrupted"
LAPSE = 45.0  # seconds; a lease of 30 has to end first where nobody knows that it was given out


@dataclass
class Scene:
    """One message on its way to one agent, and what holds it up."""

    stack: Stack
    proxy: Proxy
    agent_runtime: str = "command"
    room: str = ""
    agent: str = ""
    content: str = "do it"
    client_id: str = field(default_factory=lambda: new_name("sent"))
    sending: Future[Json] | None = None
    holds: list[Hold] = field(default_factory=list)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def set_up(self, runtime: str = "command") -> None:
        self.room = self.stack.room()
        self.agent = self.stack.agent(self.room, "wait", runtime=runtime)

    def hold(self, request: str, *, at: str = "request", having: bytes = b"") -> Hold:
        self.holds.append(self.proxy.hold(request, at=at, having=having))  # type: ignore[arg-type]
        return self.holds[-1]

    def say(self) -> None:
        """Send as a careful client does: through the proxy, again with the same client_id until it is answered."""
        self.sending = self.pool.submit(self._send)

    def _send(self) -> Json:
        api = Api(self.proxy.url, self.stack.api.token)
        more = {"client_id": self.client_id, "api": api}
        return eventually("the message is accepted", partial(self._send_once, more), within=30)

    def _send_once(self, more: Json) -> Json | None:
        try:
            return self.stack.send(self.room, self.content, self.agent, **more)
        except Silent:
            return None

    @property
    def message(self) -> int:
        assert self.sending is not None
        return int(self.sending.result(40)["message"]["id"])

    @property
    def run(self) -> int:
        return int(eventually("there is a run", lambda: self.stack.delivery(self.message)["run"]))

    @property
    def keeper(self) -> int:
        folder = self.stack.daemon.run_folder(self.run)
        return eventually("the keeper is there", lambda: keeper_of(folder))

    # Who dies

    def strike(self, victim: str) -> None:
        """Kill, then give what stands back to the living, and start again what is dead."""
        stack = self.stack
        match victim:
            case "server":
                stack.server.kill()
            case "daemon":
                stack.daemon.kill()
            case "keeper":
                kill(self.keeper)
            case "agent":
                kill(self.agent_pid())
            case "all":
                pids = processes_of(stack.daemon.home / "daemon" / "runs")
                for pid in (*pids, stack.server.pid, stack.daemon.pid):
                    kill(pid)
                stack.server.kill()
                stack.daemon.kill()
        for hold in self.holds:
            hold.let_go() if victim in ("keeper", "agent") else hold.drop()
        if not stack.server.is_running:
            stack.server.start()
        if not stack.daemon.is_running:
            stack.daemon.start()

    def agent_pid(self) -> int:
        if self.starts():
            return int(self.starts()[-1]["pid"])
        return int(eventually("the server knows the pid", lambda: self.stack.run(self.run)["pid"]))

    def starts(self) -> list[Json]:
        return self.stack.starts(self.message)


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
    delivery = scene.stack.wait_delivery(scene.message, within=LAPSE)

    check(scene, delivery, ends=ends, processes=processes)


def check(scene: Scene, delivery: Json, *, ends: str, processes: int) -> None:
    """What holds after every kill."""
    stack = scene.stack
    assert delivery["status"] == ends
    said = [m for m in stack.messages(scene.room) if m["content"] == scene.content]
    assert [m["id"] for m in said] == [scene.message]
    runs = stack.runs(scene.message)
    assert len(runs) == 1
    if scene.content.startswith("/"):
        expected = "Approved: the move"
    else:
        expected = f"answer to {scene.message}"
        assert [mark["run"] for mark in scene.starts()] == [runs[0]["id"]] * processes
    assert stack.said_by(scene.room, scene.agent) == ([expected] if ends == ACKED else [])
    stack.output(runs[0]["id"])
    assert not stack.api.get("/api/interactions", status="pending", run=runs[0]["id"])["interactions"]
    folder = stack.daemon.run_folder(runs[0]["id"])
    eventually("nothing of the run is left", lambda: not processes_of(folder), within=12)
    again = stack.mention(scene.room, scene.agent, "and again")
    stack.let_go(again)
    assert stack.wait_delivery(again)["status"] == ACKED


def test_a_claim_whose_answer_nobody_heard_is_given_out_again(new_stack: Callable[..., Stack]) -> None:
    """Only the end of the lease tells that nobody has it; the three wait for that together."""
    victims = ("server", "daemon", "all")
    with ExitStack() as proxies, ThreadPoolExecutor(len(victims)) as pool:
        scenes = [claim_unheard(new_stack(), proxies) for _ in victims]

        for scene, victim in zip(scenes, victims, strict=True):
            scene.strike(victim)
            scene.stack.let_go(scene.message)
        waiting = [pool.submit(scene.stack.wait_delivery, scene.message, within=LAPSE) for scene in scenes]
        deliveries = [one.result() for one in waiting]

        for scene, delivery in zip(scenes, deliveries, strict=True):
            check(scene, delivery, ends=ACKED, processes=1)


def claim_unheard(stack: Stack, proxies: ExitStack) -> Scene:
    """The server has given the delivery out, and its answer is still on the way."""
    stack.server.start()
    proxy = proxies.enter_context(Proxy(port=free_port(), target=stack.server.port))
    stack.add_daemon(server=proxy.url).start()
    stack.daemon.wait_socket()
    scene = Scene(stack, proxy)
    scene.set_up()
    hold = scene.hold("POST /api/deliveries/claim", at="answer", having=b'"lease"')
    scene.say()
    hold.wait_reached()
    return scene


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
    give_up_at = monotonic() + PATIENCE
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
    delivery = scene.stack.wait_delivery(scene.message, within=30)

    check(scene, delivery, ends=FAILED, processes=1)
