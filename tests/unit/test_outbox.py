"""What becomes of a post that cannot be sent as it is, without a platform and without a server."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import Any, cast

import pytest

from pal_server.bridges.buckets import Buckets
from pal_server.bridges.outbound import Doubtful, Found, Outcome, Outgoing, PostText, Sent
from pal_server.bridges.outbox import ASKS, Outbox
from pal_server.bridges.platform import Capabilities, Charge, Limits, Platform
from pal_server.client.aio import ApiProblem, Client
from pal_server.contract import bridges as wire
from tests.support.patience import PATIENCE

HOUR = 3_600_000  # milliseconds


@dataclass(slots=True)
class Server:
    """Gives out its posts once, and notes what is said of them. It has no file any more."""

    posts: deque[wire.ClaimedPost]
    settled: list[wire.SettlePost] = field(default_factory=list)
    is_settled: asyncio.Event = field(default_factory=asyncio.Event)
    on_claim: Callable[[], None] = lambda: None
    now: int = 0
    enough: int = 1  # posts of which something is to be said
    splits: str = "invalid"  # the code with which it splits none

    async def call(self, method: str, path: str, *, body: Any, answer: Any) -> Any:
        match body:
            case wire.ClaimPosts():
                if not self.posts:
                    await asyncio.Event().wait()
                given, self.posts = list(self.posts), deque()
                self.on_claim()
                return wire.ClaimedPostsAnswer(posts=given, revision=0, next_at=None, now=self.now)
            case wire.SettlePost():
                self.settled.append(body)
                if len(self.settled) >= self.enough:
                    self.is_settled.set()
                return None
            case _:
                raise ApiProblem(self.splits, "it is not split", status=400)

    async def download(self, path: str) -> bytes:
        raise ApiProblem("not_found", "the file has ended", status=404)


@dataclass(slots=True)
class Chat:
    """A platform, its connection and the bot on it. It shows less than it is given."""

    id: str = "bot-1"
    lease_id: str = "lease-1"
    capabilities: Capabilities = field(default_factory=Capabilities)
    limits: Limits = field(default_factory=lambda: Limits(text=100))
    name: str = "chatter"
    shown: list[str] = field(default_factory=list)
    on_charges: Callable[[], None] = lambda: None
    limit: tuple[Charge, ...] = ()
    outcome: Outcome = field(default_factory=lambda: Sent(ref="out-1", whole=False))
    looked_since: list[int] = field(default_factory=list)

    @property
    def connection(self) -> "Chat":
        return self

    def measure(self, text: str) -> int:
        return len(text)

    def charges(self, out: Outgoing) -> tuple[Charge, ...]:
        self.on_charges()
        return self.limit

    async def send(self, out: Outgoing) -> Outcome:
        assert isinstance(out, PostText)
        self.shown.append(out.text)
        return self.outcome

    async def find(self, out: Outgoing, *, since: int) -> Found:
        self.looked_since.append(since)
        return Sent(ref="out-1")

    async def answers(self) -> None: ...

    def alive(self) -> None: ...

    def refused(self, reason: str) -> None: ...


def claimed(**more: Any) -> wire.ClaimedPost:
    given: dict[str, Any] = {
        "id": 1,
        "bot": "bot-1",
        "key": "k" * 32,
        "kind": "text",
        "purpose": "message",
        "chat": "g1",
        "thread": "",
        "part": 1,
        "parts": 1,
        "body": {},
        "version": 1,
        "gone": False,
        "ref": None,
        "doubt": False,
        "since": None,
        "repeated": False,
        "tries": 0,
        "lease_id": "lease-2",
        "fence": 1,
        "place": "group",
    }
    return wire.ClaimedPost(**{**given, **more})


@pytest.mark.parametrize(
    ("post", "shown"),
    [
        pytest.param(
            claimed(kind="file", body={"file": "f1", "name": "a.png"}),
            "The file a.png cannot be shown here: the file has ended.",
            id="its file has ended",
        ),
        pytest.param(
            claimed(part=2, parts=2, body={"text": "the end of it"}), "the end of it", id="a later part is shown cut"
        ),
    ],
)
async def test_a_post_comes_to_an_end(post: wire.ClaimedPost, shown: str) -> None:
    """What was said after it waits for it."""
    server, chat = Server(posts=deque([post])), Chat()

    await carry_out(server, chat, bots={"bot-1": chat})

    assert chat.shown == [shown]
    assert [(told.result, told.ref) for told in server.settled] == [("sent", "out-1")]


@pytest.mark.parametrize("when", ["it is claimed", "it waits for its turn"])
async def test_a_post_whose_bot_is_opened_anew_was_not_sent_and_says_so(when: str) -> None:
    """Kept, its lease would run out, and then it would be in doubt: on some platforms a repeat for people to see."""
    server, chat = Server(posts=deque([claimed(body={"text": "hello"})])), Chat()
    bots = {"bot-1": chat}
    if when == "it is claimed":
        server.on_claim = bots.clear
    else:
        chat.on_charges = lambda: bots.update({"bot-1": Chat()})

    await carry_out(server, chat, bots=bots)

    assert chat.shown == []
    assert [(told.result, told.after > 0, told.repeated) for told in server.settled] == [("later", True, False)]


@pytest.mark.parametrize(("code", "is_soon"), [("conflict", True), ("invalid", False)])
async def test_a_text_that_changes_while_it_is_split_is_in_no_doubt(code: str, is_soon: bool) -> None:
    """Its lease would run out, and what was never sent would be a repeat on platforms that cannot be asked.

    What has not changed and is not split is tried like what fails: less and less often, for a day.
    """
    server, chat = Server(posts=deque([claimed(body={"text": "words " * 50})]), splits=code), Chat()

    await carry_out(server, chat, bots={"bot-1": chat})

    assert chat.shown == []
    assert [(told.result, told.after > 0, told.reason) for told in server.settled] == [
        ("later", is_soon, "it is not split")
    ]


async def test_a_repeat_that_is_lost_after_hours_without_a_network_is_not_the_last() -> None:
    """Those hours were tries as well; taken for the repeats of it, one lost answer would lose the words."""
    posts = [claimed(body={"text": "hello"}, doubt=True, since=1, tries=200, fence=fence) for fence in range(ASKS)]
    server = Server(posts=deque(posts), enough=ASKS)
    chat = Chat(outcome=Doubtful(reason="HTTP 502"))

    await carry_out(server, chat, bots={"bot-1": chat})

    assert [told.result for told in server.settled] == ["doubt"] * (ASKS - 1) + ["sent"]
    assert {told.repeated for told in server.settled} == {True}


@pytest.mark.parametrize(("ahead", "asked"), [(8 * HOUR, 8 * HOUR), (2_000, 0)])
async def test_a_platform_is_asked_in_its_own_time(ahead: int, asked: int) -> None:
    """A server that was started under a clock 8 hours ahead goes on from there: it asks for nothing in the future."""
    now = int(time() * 1000)
    began = now + ahead - 5_000
    post = claimed(body={"text": "hello"}, doubt=True, since=began)
    server = Server(posts=deque([post]), now=now + ahead)
    chat = Chat(capabilities=Capabilities(find=True))

    await carry_out(server, chat, bots={"bot-1": chat})

    (since,) = chat.looked_since
    assert 0 <= since - (began - asked) <= PATIENCE * 1000
    assert chat.shown == []


async def test_what_waits_for_its_turn_when_the_bridge_ends_is_in_no_doubt() -> None:
    server, chat = Server(posts=deque([claimed(body={"text": "hello"})])), Chat()
    waits = asyncio.Event()
    chat.on_charges = waits.set
    buckets = Buckets(clock=lambda: 0.0)
    chat.limit = (Charge("full", 1.0),)
    buckets.take(chat.limit)

    running = asyncio.create_task(outbox_of(server, chat, bots={"bot-1": chat}, buckets=buckets).run())
    await asyncio.wait_for(waits.wait(), PATIENCE)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert chat.shown == []
    assert [told.result for told in server.settled] == ["later"]


def outbox_of(server: Server, chat: Chat, *, bots: dict[str, Chat], buckets: Buckets) -> Outbox:
    return Outbox(
        client=cast(Client, server),
        platform=cast(Platform, chat),
        bots=cast(Any, bots),
        buckets=buckets,
        emoji="",
        changed=lambda: None,
    )


async def carry_out(server: Server, chat: Chat, *, bots: dict[str, Chat]) -> None:
    """Until something was said of a post."""
    outbox = outbox_of(server, chat, bots=bots, buckets=Buckets(clock=lambda: 0.0))
    running = asyncio.create_task(outbox.run())
    try:
        await asyncio.wait_for(server.is_settled.wait(), PATIENCE)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
