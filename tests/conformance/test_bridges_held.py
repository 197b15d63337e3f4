"""Who holds a bot, and from when on nobody knows what was said to it."""

from dataclasses import replace

import pytest

from pal_server.actions import bots, tokens
from pal_server.actions.bots import Report
from pal_server.domain.bots import Bot
from pal_server.errors import Invalid
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus
from tests.support.outside import BRIDGE, PLATFORM, Outside, bind, hold, listening, make_outside
from tests.support.stores import Clock


@pytest.fixture
async def bus(store: Store) -> Bus:
    return await make_bus(store)


@pytest.fixture
async def outside(bus: Bus) -> Outside:
    return await make_outside(bus)


async def test_one_bridge_holds_a_bot_until_it_is_silent(outside: Outside, clock: Clock) -> None:
    beat = await outside.bus.store.write(bots.beat, actor=BRIDGE, platform=PLATFORM, holder="other", reports=[])
    assert (beat.held, beat.taken) == ((), (outside.bot.id,))

    clock.advance(31)
    assert await outside.bus.store.write(bots.mark_deaf, workspace_id="w") == 1
    deaf = await outside.bus.store.read(bots.get, actor=outside.bus.people.viewer, ref=outside.bot.id)
    assert (deaf.state, deaf.deaf_since) == ("error", clock() - 31_000)  # when it was heard of last

    beat = await outside.bus.store.write(bots.beat, actor=BRIDGE, platform=PLATFORM, holder="other", reports=[])
    assert [held.bot.fence for held in beat.held] == [outside.bot.fence + 1]


async def test_who_takes_over_learns_from_when_on_nobody_listened(outside: Outside, clock: Clock) -> None:
    heard_of = clock()
    clock.advance(40)

    taken = await hold_unheard(outside, "bridge-2")

    assert taken.deaf_since == heard_of


async def test_a_gap_that_is_still_being_read_back_is_left_to_the_next_bridge(outside: Outside, clock: Clock) -> None:
    since = clock()
    clock.advance(10)
    reading = replace(listening(outside.bot), deaf_since=since)
    beat = await outside.bus.store.write(
        bots.beat, actor=BRIDGE, platform=PLATFORM, holder="bridge-1", reports=[reading]
    )
    clock.advance(31)
    assert await outside.bus.store.write(bots.mark_deaf, workspace_id="w") == 1

    taken = await hold_unheard(outside, "bridge-2")

    assert [(held.bot.state, held.bot.deaf_since) for held in beat.held] == [("listening", since)]
    assert (taken.state, taken.deaf_since) == ("error", since)


async def test_after_weeks_of_silence_it_is_read_back_where_people_spoke_before(outside: Outside, clock: Clock) -> None:
    await outside.hear("go")
    clock.advance(21 * 24 * 3600)

    beat = await outside.bus.store.write(bots.beat, actor=BRIDGE, platform=PLATFORM, holder="bridge-2", reports=[])

    assert [(place.chat, place.thread) for held in beat.held for place in held.places] == [("g1", "t1")]


async def test_what_a_bridge_begins_with_is_told_until_it_says_that_it_has_begun(outside: Outside) -> None:
    """The answer in which it was told may be lost, and a bot that is opened anew begins from nothing."""
    waiting = await outside.hear("look", files=({"key": "k", "name": "a.png", "mime": "image/png", "size": 3},))
    anew = replace(listening(outside.bot), revision=outside.bot.revision - 1)

    told = [await begin(outside, reports) for reports in ([], [], [anew], [listening(outside.bot)])]

    assert told == [([waiting.id], ["g1"])] * 3 + [([], [])]


async def begin(outside: Outside, reports: list[Report]) -> tuple[list[int], list[str]]:
    """Events and chats the bridge that holds the bot is told of."""
    beat = await outside.bus.store.write(bots.beat, actor=BRIDGE, platform=PLATFORM, holder="bridge-1", reports=reports)
    (held,) = beat.held
    return [event.id for event in held.waiting], [place.chat for place in held.places]


async def hold_unheard(outside: Outside, holder: str) -> Bot:
    """The bot as another bridge gets it, before it listens."""
    beat = await outside.bus.store.write(bots.beat, actor=BRIDGE, platform=PLATFORM, holder=holder, reports=[])
    (held,) = beat.held
    return held.bot


async def test_a_bot_that_names_its_bridge_is_held_by_no_other(bus: Bus) -> None:
    await bus.agent("bot")
    token = await bus.store.write(tokens.create, actor=bus.people.admin, name="mine", secret_hash="h", kind="bridge")
    await bind(bus, agent="bot", options={"held_by": token.id})
    mine = replace(BRIDGE, id=token.id)

    refused = await bus.store.write(bots.beat, actor=BRIDGE, platform=PLATFORM, holder="server", reports=[])
    beat = await bus.store.write(bots.beat, actor=mine, platform=PLATFORM, holder="by hand", reports=[])

    assert (refused.held, refused.taken) == ((), ())
    assert [held.bot.holder for held in beat.held] == ["by hand"]


@pytest.mark.parametrize("kind", ["user", None])
async def test_a_bot_is_kept_for_no_token_that_is_no_bridges(bus: Bus, kind: str | None) -> None:
    await bus.agent("bot")
    id = "token_nobody_has"
    if kind is not None:
        made = await bus.store.write(tokens.create, actor=bus.people.admin, name="t", secret_hash="h", kind=kind)
        id = made.id

    with pytest.raises(Invalid, match="pal console tokens list"):
        await bind(bus, agent="bot", options={"held_by": id})


async def test_a_bot_that_no_bridge_comes_for_says_so(bus: Bus, clock: Clock) -> None:
    async def listed() -> tuple[str, str | None]:
        page = await bus.store.read(bots.list_page, actor=bus.people.admin, platform=PLATFORM, after=None, limit=10)
        return page.items[0].state, page.items[0].error

    await bus.agent("bot")
    await bind(bus, agent="bot")
    just_bound = await listed()
    clock.advance(60)
    alone = await listed()
    await hold(bus)
    held = await listed()
    await bus.store.write(bots.let_go, actor=BRIDGE, platform=PLATFORM, holder="bridge-1")
    left = await listed()

    assert just_bound == ("unverified", None)
    assert held == ("listening", None)
    why = "no bridge listens for it: see the server's log, or start one with `pal bridge run chatter`"
    assert (alone, left) == (("unverified", why), ("error", why))
