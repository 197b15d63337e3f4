"""A platform seen from the server: a bot that a bridge holds, people who talk to it, and the outbox. No process."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from pal_server.actions import bots, identities, inbound, posting, posts, rooms
from pal_server.actions.bots import Entry, Report
from pal_server.actions.posts import Claimed
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.bots import Bot
from pal_server.domain.inbound import Answered, Incoming
from pal_server.domain.posts import Post
from tests.support.bus import Bus

PLATFORM = "chatter"
BRIDGE = Actor(kind=ActorKind.BRIDGE, workspace_id="w", id="token_bridge", name="chatter bridge")


@dataclass(slots=True)
class Outside:
    """`ann` may operate; others are strangers until `allow`."""

    bus: Bus
    bot: Bot
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def second_bot(self, agent: str, *, app_id: str = "app-2") -> Bot:
        await bind(self.bus, agent=agent, app_id=app_id)
        return await hold(self.bus, app_id)

    async def allow(self, person: str, **more: Any) -> None:
        await self.bus.store.write(
            identities.put, actor=self.bus.people.admin, platform=PLATFORM, external_id=person, **more
        )

    async def hear(self, text: str = "hello", *, bot: Bot | None = None, **more: Any) -> Answered:
        """One event; a message of Ann in the thread t1 of the group g1 unless told."""
        number = next(self._numbers)
        given: dict[str, Any] = {
            "event": f"e{number}",
            "kind": "said",
            "chat": "g1",
            "thread": "t1",
            "place": "group",
            "title": "Builders",
            "person": "ann",
            "person_name": "Ann",
            "at": 1,
            "ref": f"m{number}",
            "text": text,
        }
        to = bot or self.bot
        assert to.lease_id is not None
        incoming = Incoming(**{**given, **more})
        return await self.bus.store.write(
            inbound.hear, actor=BRIDGE, bot=to.id, lease_id=to.lease_id, incoming=incoming
        )

    async def press(self, token: str, **more: Any) -> Answered:
        return await self.hear("", kind="action", token=token, ref="card", **more)

    async def show(self) -> None:
        """Let what happened become posts."""
        while await self.bus.store.write(posting.step, workspace_id="w", url=""):
            pass

    async def claim(self, *, limit: int = 50, bot: Bot | None = None) -> list[Claimed]:
        """What a bridge gets to send now, after all that happened was shown."""
        await self.show()
        to = bot or self.bot
        assert to.lease_id is not None
        claims = await self.bus.store.write(
            posts.claim, actor=BRIDGE, platform=PLATFORM, held=[(to.id, to.lease_id)], limit=limit
        )
        return list(claims.claimed)

    async def settle(self, claimed: Claimed, result: str = "sent", **more: Any) -> Post:
        post = claimed.post
        assert post.lease_id is not None
        if result == "sent":
            more = {"ref": post.ref or f"out-{post.id}", "version": post.wanted, **more}
        return await self.bus.store.write(
            posts.settle, actor=BRIDGE, id=post.id, lease_id=post.lease_id, fence=post.fence, result=result, **more
        )

    async def deliver(self, **more: Any) -> list[Post]:
        """Send everything there is; what was sent, in its order."""
        sent = []
        while claims := await self.claim(**more):
            for claimed in claims:
                await self.settle(claimed)
                sent.append(claimed.post)
        return sent

    async def texts(self) -> list[str]:
        return [post.body["text"] for post in await self.deliver() if post.kind == "text" and not post.gone]

    async def cards(self, purpose: str) -> list[dict[str, Any]]:
        return [post.body["card"] for post in await self.deliver() if post.purpose == purpose]

    async def post(self, id: int) -> Post:
        return await self.bus.store.read(posts.get, actor=self.bus.people.owner, id=id)

    async def posts(self, **more: Any) -> list[Post]:
        """Oldest first."""
        page = await self.bus.store.read(
            posts.list_page,
            actor=self.bus.people.owner,
            platform=PLATFORM,
            state=more.get("state"),
            after=None,
            limit=200,
        )
        return list(reversed(page.items))

    async def rooms(self) -> list[str]:
        page = await self.bus.store.read(rooms.list_page, actor=self.bus.people.owner, after=None, limit=200)
        return [room.name for room in page.items]


async def bind(bus: Bus, *, agent: str | None, app_id: str = "app-1", **more: Any) -> Bot:
    entry = Entry(platform=PLATFORM, app_id=app_id, sealed="sealed", agent=agent, **more)
    return await bus.store.write(bots.save, actor=bus.people.admin, entry=entry)


async def hold(bus: Bus, app_id: str = "app-1", *, holder: str = "bridge-1") -> Bot:
    """The bot under the lease of a bridge that listens."""
    held = await _beat(bus, holder=holder, reports=[])
    held = await _beat(bus, holder=holder, reports=[listening(bot) for bot in held])
    return next(bot for bot in held if bot.app_id == app_id)


async def _beat(bus: Bus, *, holder: str, reports: list[Report]) -> list[Bot]:
    beat = await bus.store.write(bots.beat, actor=BRIDGE, platform=PLATFORM, holder=holder, reports=reports)
    return [one.bot for one in beat.held]


def listening(bot: Bot) -> Report:
    """What a bridge says of a bot it holds when all is well."""
    assert bot.lease_id is not None
    return Report(id=bot.id, lease_id=bot.lease_id, revision=bot.revision, listening=True)


async def make_outside(bus: Bus, *, agent: str = "bot") -> Outside:
    await bus.agent(agent)
    await bind(bus, agent=agent)
    outside = Outside(bus=bus, bot=await hold(bus))
    await outside.allow("ann", name="Ann", level="operate")
    return outside
