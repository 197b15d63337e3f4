"""A database that is away for a moment: whoever looks at it for everybody looks again."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from pal_server.actions import log
from pal_server.actions.log import Sight
from pal_server.api.auth import Credentials
from pal_server.api.stream import Tailer
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.errors import Unavailable
from pal_server.storage.store import Event
from pal_server.wakeups.hub import Hub
from tests.support.patience import PATIENCE

ANN = Actor(kind=ActorKind.USER, workspace_id="w", id="ann", name="ann", role=Role.OWNER)
SAID = Event(workspace_id="w", position=1, room_id=None, audience=None, kind="user.changed", at=1, data="{}")


class Database:
    """Fails as often as `troubles` says, each question by itself."""

    def __init__(self, **troubles: int) -> None:
        self.troubles = troubles
        self.events: list[Event] = []
        self.begun = self.hold = asyncio.Event()
        self.hold.set()
        self.role = Role.OWNER
        self.seconds = 0.0
        self.is_well = asyncio.Event()  # every trouble is over

    async def read(self, query: Any, **arguments: Any) -> Any:
        self._fail(query.__name__)
        if not any(self.troubles.values()):
            self.is_well.set()
        if query is log.events_after:
            return [event for event in self.events if event.position > arguments["position"]]
        return {
            actor: Sight(rooms=frozenset(), audiences=frozenset(), is_in_workspace=True)
            for actor in arguments["actors"]
        }

    async def authenticate(self, secret_hash: str) -> Actor:
        self._fail("authenticate")
        if not any(self.troubles.values()):
            self.is_well.set()
        found = replace(ANN, role=self.role)
        self.begun.set()
        await self.hold.wait()
        return found

    async def is_struck_off(self, secret_hash: str) -> bool:
        return False

    def _fail(self, name: str) -> None:
        if self.troubles.get(name):
            self.troubles[name] -= 1
            raise Unavailable("PostgreSQL does not answer; send it again in a moment.")

    def credentials(self, hub: Hub) -> Credentials:
        return Credentials(
            authenticate=self.authenticate,
            is_struck_off=self.is_struck_off,
            hub=hub,
            clock=lambda: 0,
            monotonic=lambda: self.seconds,
        )


class Door:
    """Notes what was written."""

    kind = "test"

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.joined = asyncio.Event()

    def encode(self, texts: Any, /) -> bytes:
        return b"".join(text for _, text in texts)

    def write(self, frames: bytes, /) -> bool:
        self.heard.set()
        return True

    def beat(self) -> bool:
        self.joined.set()
        return True

    async def drain(self) -> None: ...

    def cut(self) -> None: ...


async def test_a_credential_is_looked_up_again() -> None:
    credentials = Database(authenticate=1).credentials(Hub())

    with pytest.raises(Unavailable):
        await credentials.actor("hash")

    assert await credentials.actor("hash") == ANN


async def test_a_look_up_nobody_waited_for_is_not_believed_later() -> None:
    database = Database()
    credentials, begun = database.credentials(Hub()), asyncio.Event()
    database.begun, database.hold, database.role = begun, asyncio.Event(), Role.VIEWER
    waiting = asyncio.create_task(credentials.actor("hash"))
    await asyncio.wait_for(begun.wait(), PATIENCE)
    (looking,) = [task for task in asyncio.all_tasks() if task.get_name() == "credential look-up"]
    waiting.cancel()
    await asyncio.wait((waiting,))
    database.hold.set()
    await asyncio.wait((looking,))

    database.seconds, database.role = 3600.0, Role.OWNER

    assert (await credentials.actor("hash")).role is Role.OWNER


async def test_the_log_and_the_credentials_of_streams_are_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pal_server.api.stream.AGAIN", 0.0)
    monkeypatch.setattr("pal_server.api.stream.GUARD_EVERY", 0.0)
    hub, door = Hub(), Door()
    database = Database(authenticate=1)
    tailer = Tailer(store=cast(Any, database), hub=hub, credentials=database.credentials(hub), workspace_id="w")
    serving = asyncio.create_task(tailer.serve(door, actor=ANN, secret_hash="hash", position=0))
    await asyncio.wait_for(door.joined.wait(), PATIENCE)
    database.troubles |= {"events_after": 1, "sights": 1}
    database.events.append(SAID)

    parts = [asyncio.create_task(tailer.run()), asyncio.create_task(tailer.guard())]
    try:
        await asyncio.wait_for(door.heard.wait(), PATIENCE)
        await asyncio.wait_for(database.is_well.wait(), PATIENCE)
        assert not any(part.done() for part in parts)
    finally:
        for task in (serving, *parts):
            task.cancel()
        await asyncio.gather(serving, *parts, return_exceptions=True)
