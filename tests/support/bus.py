"""A small team on a store: people, a room, computers and agents, and the few verbs tests say most."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from pal_server.actions import agents, computers, deliveries, messages, rooms, runs, tokens
from pal_server.actions.deliveries import Claimed
from pal_server.actions.messages import Sent
from pal_server.domain.actors import Actor
from pal_server.domain.computers import Computer
from pal_server.domain.deliveries import Delivery
from pal_server.domain.rooms import Room
from pal_server.domain.runs import Ending, Run, Status
from pal_server.storage.store import Store
from tests.support.people import People, connect, daemon, make_people

ROOM = "general"


@dataclass(slots=True)
class Bus:
    """`box` is a connected computer; agents are made on it and join `general` with mode `mentions` unless told."""

    store: Store
    people: People
    room: Room
    box: Computer
    _secrets: "itertools.count[int]" = field(default_factory=itertools.count)

    async def computer(self, name: str) -> Computer:
        made = await self.store.write(
            computers.provision, actor=self.people.admin, name=name, key_hash=f"key of {name}"
        )
        return await connect(self.store, made, machine=f"machine of {name}")

    async def agent(self, key: str, *, mode: str = "mentions", computer: str | None = "box", **profile: Any) -> str:
        told = {"runtime": "demo", **profile}
        await self.store.write(agents.put, actor=self.people.admin, key=key, computer=computer, **told)
        await self.invite(key, mode=mode)
        return key

    async def invite(self, agent: str, *, room: str = ROOM, mode: str = "mentions") -> None:
        await self.store.write(rooms.invite_agent, actor=self.people.owner, room=room, agent=agent, mode=mode)

    async def make_room(self, name: str, *, visibility: str = "workspace", actor: Actor | None = None) -> Room:
        return await self.store.write(rooms.create, actor=actor or self.people.owner, name=name, visibility=visibility)

    async def topic(self, title: str = "another", *, room: str = ROOM) -> int:
        made = await self.store.write(rooms.create_topic, actor=self.people.owner, room=room, title=title)
        return made.id

    async def say(self, content: str, *, actor: Actor | None = None, **more: Any) -> Sent:
        """By the member, in `general` unless a room, a topic or a parent is named."""
        actor = actor or self.people.member
        if actor.run_id is None and not {"room", "topic", "parent"} & set(more):
            more["room"] = ROOM
        return await self.store.write(messages.send, actor=actor, content=content, **more)

    async def claim(self, *, limit: int = 20, computer: Computer | None = None, **more: Any) -> tuple[Claimed, ...]:
        claims = await self.store.write(deliveries.claim_queue, actor=daemon(computer or self.box), limit=limit, **more)
        return claims.claimed

    async def claim_one(self, **more: Any) -> Claimed:
        (claimed,) = await self.claim(**more)
        return claimed

    async def open(self, claimed: Claimed, *, computer: Computer | None = None, **more: Any) -> Run:
        secret = more.pop("secret_hash", f"run secret {next(self._secrets)}")
        return await self.store.write(
            runs.open_run,
            actor=daemon(computer or self.box),
            delivery_id=claimed.delivery.id,
            secret_hash=secret,
            **lease(claimed),
            **more,
        )

    async def start(self, content: str, **more: Any) -> tuple[Claimed, Run]:
        """Say it, claim what comes of it, and open the run."""
        await self.say(content, **more)
        claimed = await self.claim_one()
        return claimed, await self.open(claimed)

    async def finish(
        self, run: Run, *, status: str = "succeeded", computer: Computer | None = None, **ending: Any
    ) -> Run:
        assert run.lease_id is not None
        assert run.fence is not None
        return await self.store.write(
            runs.finish,
            actor=daemon(computer or self.box),
            id=run.id,
            lease_id=run.lease_id,
            fence=run.fence,
            ending=Ending(status=Status(status), **ending),
        )

    async def inside(self, claimed: Claimed) -> Actor:
        """Who acts inside the run of a claim, by a secret of its own."""
        secret = f"inside {next(self._secrets)}"
        await self.open(claimed, secret_hash=secret)
        actor = await self.store.read(tokens.authenticate, secret_hash=secret)
        assert actor is not None
        return actor

    async def delivery(self, id: int) -> Delivery:
        return await self.store.read(deliveries.get, actor=self.people.owner, id=id)

    async def deliveries(self, **more: Any) -> list[Delivery]:
        """Oldest first."""
        page = await self.store.read(deliveries.list_page, actor=self.people.owner, limit=200, **more)
        return list(reversed(page.items))

    async def run(self, id: int) -> Run:
        return await self.store.read(runs.get, actor=self.people.owner, id=id)

    async def said(self, **more: Any) -> list[str]:
        """What stands in `general`, or in a topic, oldest first."""
        if not more:
            more["room"] = ROOM
        page = await self.store.read(messages.list_page, actor=self.people.owner, limit=200, **more)
        return [message.content for message in page.items]


async def make_bus(store: Store) -> Bus:
    people = await store.write(make_people)
    room = await store.write(rooms.create, actor=people.owner, name=ROOM, title="General")
    made = await store.write(computers.provision, actor=people.admin, name="box", key_hash="key of box")
    return Bus(store=store, people=people, room=room, box=await connect(store, made, machine="machine of box"))


def lease(claimed: Claimed) -> dict[str, Any]:
    """What every later write of the daemon carries."""
    return {"lease_id": claimed.delivery.lease_id, "fence": claimed.delivery.fence}
