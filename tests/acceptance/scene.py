"""One message on its way to one agent, somebody who dies, and what holds afterwards whoever it was."""

from __future__ import annotations

from collections.abc import Container
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tests.support.faults import keeper_of, kill, processes_of
from tests.support.patience import LONG_PATIENCE
from tests.support.proxy import Hold, Proxy, Side
from tests.support.stack import Api, Json, Silent, Stack, eventually, new_name

ACKED, FAILED, INTERRUPTED = "acked", "failed", "interrupted"


@dataclass
class Scene:
    """One message on its way to one agent, and what holds it up."""

    stack: Stack
    proxy: Proxy
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

    def hold(self, request: str, *, at: Side = "request", having: bytes = b"") -> Hold:
        self.holds.append(self.proxy.hold(request, at=at, having=having))
        return self.holds[-1]

    def say(self) -> None:
        """Send as a careful client does: through the proxy, again with the same client_id until it is answered."""
        self.sending = self.pool.submit(self._send)

    def _send(self) -> Json:
        api = Api(self.proxy.url, self.stack.api.token)
        more = {"client_id": self.client_id, "api": api}
        return eventually("the message is accepted", partial(self._send_once, more))

    def _send_once(self, more: Json) -> Json | None:
        try:
            return self.stack.send(self.room, self.content, self.agent, **more)
        except Silent:
            return None

    @property
    def message(self) -> int:
        assert self.sending is not None
        return int(self.sending.result(LONG_PATIENCE + 40)["message"]["id"])

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


def check(scene: Scene, delivery: Json, *, ends: str, processes: int, attempts: Container[int] = (1,)) -> None:
    """What holds after every kill. A second attempt would mean that somebody waited for the end of a lease."""
    stack = scene.stack
    assert delivery["status"] == ends
    assert delivery["attempts"] in attempts
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
    eventually("nothing of the run is left", lambda: not processes_of(folder))
    again = stack.mention(scene.room, scene.agent, "and again")
    stack.let_go(again)
    assert stack.wait_delivery(again)["status"] == ACKED
