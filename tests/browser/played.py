"""An agent whose computer and program are played by the test, so that it does whatever there is to be seen."""

from __future__ import annotations

import itertools
from typing import Any

from tests.support.stack import Api, Json, Stack, eventually, new_name

_numbers = itertools.count(1)


class PlayedRun:
    """A run that lives until `finish`."""

    def __init__(self, api: Api, *, claimed: Json) -> None:
        self._api = api
        self._lease = {"lease_id": claimed["lease"]["id"], "fence": claimed["lease"]["fence"]}
        opened = self._call("/api/runs", delivery_id=claimed["id"])
        self.id: int = opened["run"]["id"]
        self._own = Api(api.url, opened["token"])
        self._numbers = itertools.count(1)
        self._call(f"/api/runs/{self.id}/state", status="running")

    def does(self, kind: str, text: str | None = None, /, *, lane: str = "main", **data: Any) -> None:
        """One event."""
        event = {"seq": next(self._numbers), "kind": kind, "text": text, "lane": lane, "data": data}
        self._call(f"/api/runs/{self.id}/events", events=[event])

    def asks(self, title: str, *, kind: str = "question", **more: Any) -> Json:
        """An interaction that waits."""
        key = f"key-{next(_numbers)}"
        asked = self._call(f"/api/runs/{self.id}/interactions", key=key, kind=kind, title=title, **more)
        interaction: Json = asked["interaction"]
        return interaction

    def leaves(self, name: str, content: bytes) -> None:
        """A file."""
        status, answer = self._own.raw("POST", f"/api/artifacts?name={name}", content)
        assert status == 201, answer

    def finish(self, text: str = "done", **more: Any) -> None:
        self._call(f"/api/runs/{self.id}/finish", **{"status": "succeeded", "text": text, **more})

    def _call(self, path: str, **body: Any) -> Json:
        return self._api.post(path, {**self._lease, **body})


class PlayedAgent:
    """In `room`, on a computer of its own that is connected and does nothing by itself; gone after the block."""

    def __init__(self, stack: Stack, room: str, *, display_name: str | None = None) -> None:
        self.key = new_name("player")
        self._stack = stack
        made = stack.api.post("/api/computers/provision", {"name": new_name("stage")})
        self._api = Api(stack.server.url, made["api_key"])
        self.computer: str = made["computer"]["id"]
        runtimes = [{"name": "manual", "available": True, "capabilities": {"live_input": True}}]
        self._api.post("/api/computers/connect", {"machine": self.key, "host": "stage", "runtimes": runtimes})
        agent = {"agent_key": self.key, "runtime": "manual", "computer_id": self.computer}
        stack.api.post("/api/agents", {**agent, "display_name": display_name})
        stack.api.post(f"/api/rooms/{room}/agents", {"agent": self.key})
        self._room = room

    def __enter__(self) -> PlayedAgent:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.api.post(f"/api/computers/{self.computer}/revoke")

    def begin(self, text: str = "go", **more: Any) -> PlayedRun:
        """Somebody asks for something, and it begins."""
        self._stack.api.post("/api/messages", {"room": self._room, "content": f"@{self.key} {text}", **more})
        [claimed] = eventually("the delivery is due", self._claim)
        return PlayedRun(self._api, claimed=claimed)

    def _claim(self) -> list[Json]:
        found: list[Json] = self._api.post("/api/deliveries/claim", {"limit": 1})["deliveries"]
        return found

    def told(self) -> list[Json]:
        """Orders its computer was given and has not carried out."""
        orders: list[Json] = self._api.post(f"/api/computers/{self.computer}/heartbeat")["commands"]
        return orders
