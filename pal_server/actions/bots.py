"""Bots: bound to agents by admins, held by bridges, watched by everybody.

Credentials come here sealed and leave sealed: only the edge opens them, for the bridge that holds the bot's lease.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pal_server.actions import access, audit
from pal_server.domain import bots as rules
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.bots import Bot, BotState, parse_options, parse_outside, parse_platform
from pal_server.domain.keep import KEEP, Keep
from pal_server.domain.pages import OLDEST, Page, page_of, parse_limit, parse_place, render_place
from pal_server.domain.tokens import TokenKind
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound, about
from pal_server.storage import bots, inbound, links, posts, tokens
from pal_server.storage.inbound import InboundEvent
from pal_server.storage.tx import Tx

CHANGED = "bots"  # the wake-up for whoever starts bridges
READ_BACK_PLACES = 50  # places a bridge looks into after a gap
WAITING = 1_000  # events whose files a bridge is told to fetch when it begins
READ_BACK_FOR = 7 * 24 * 3_600_000  # milliseconds before the gap in which somebody spoke there


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is wanted of one bot; `sealed` None keeps the credential there is."""

    platform: str
    app_id: str
    sealed: str | None
    agent: str | Keep | None = KEEP
    label: str | Keep = KEEP
    name: str | Keep = KEEP
    bot_id: str | Keep = KEEP
    base_url: str | Keep | None = KEEP
    options: dict[str, str] | Keep = KEEP
    notify_chat: str | Keep | None = KEEP
    from_file: bool = False
    where: str = ""  # in the file, for who reads of an error
    rebind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a bridge says of a bot it holds."""

    id: str
    lease_id: str
    revision: int
    listening: bool
    error: str | None = None
    heard_at: int | None = None
    deaf_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A bot under the lease of the bridge that asked, what it left unfinished, and where people spoke lately."""

    bot: Bot
    waiting: tuple[InboundEvent, ...]
    places: tuple[links.Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    held: tuple[Held, ...]
    taken: tuple[str, ...]  # bots another bridge has


def save(tx: Tx, *, actor: Actor, entry: Entry, is_draft: bool = False) -> Bot:
    """Bind, move or change one bot. As a draft it takes effect with the next reload of its platform."""
    access.need(actor, Role.ADMIN)
    if is_draft:
        return _save_draft(tx, actor=actor, entry=entry)
    bot = _apply(tx, actor=actor, entry=entry)
    _announce(tx, actor=actor, bot=bot)
    return bot


def reload(tx: Tx, *, actor: Actor, platform: str, entries: Sequence[Entry], from_file: bool) -> list[Bot]:
    """Apply what waits and what stands in the file, all or nothing: an error leaves everything as it was.

    With a file, bots that it named before and names no more are unbound; their credentials stay.
    """
    access.need(actor, Role.ADMIN)
    parse_platform(platform)
    for bot in bots.of_platform(tx, platform, workspace_id=actor.workspace_id):
        if bot.draft is not None:
            with about(f"what was saved for {bot.app_id}"):
                _apply(tx, actor=actor, entry=_entry_of(bot))
    named = set()
    for entry in entries:
        with about(entry.where or entry.app_id):
            named.add(_apply(tx, actor=actor, entry=entry).id)
    for bot in bots.of_platform(tx, platform, workspace_id=actor.workspace_id):
        if from_file and bot.from_file and bot.id not in named and bot.agent is not None:
            _put(tx, replace(bot, agent=None, state=BotState.UNBOUND, from_file=False), was=bot)
    tx.wake(CHANGED)
    tx.wake(f"bridge:{platform}")
    loaded = bots.of_platform(tx, platform, workspace_id=actor.workspace_id)
    audit.record(
        tx, actor=actor, action="bots.reloaded", target=platform, detail={"bots": len(loaded), "file": from_file}
    )
    return loaded


def unbind(tx: Tx, *, actor: Actor, ref: str) -> Bot:
    """Take it from its agent; the credential stays."""
    access.need(actor, Role.ADMIN)
    bot = get(tx, actor=actor, ref=ref)
    if bot.agent is None:
        return bot
    free = _put(tx, replace(bot, agent=None, state=BotState.UNBOUND, error=None), was=bot)
    _announce(tx, actor=actor, bot=free, action="bot.unbound", before=bot.agent)
    return free


def unbind_of_agent(tx: Tx, *, actor: Actor, agent: str, platform: str | None = None) -> list[Bot]:
    """The same for all of an agent's; for the deletion of the agent too."""
    mine = bots.all_of_agent(tx, agent, workspace_id=actor.workspace_id)
    return [unbind(tx, actor=actor, ref=bot.id) for bot in mine if platform in (None, bot.platform)]


def forget(tx: Tx, *, actor: Actor, ref: str) -> Bot:
    """Unbind it and drop its credential. What was said through it stays."""
    access.need(actor, Role.ADMIN)
    bot = get(tx, actor=actor, ref=ref)
    gone = _put(
        tx,
        replace(bot, agent=None, state=BotState.UNBOUND, sealed="", draft=None, error=None, from_file=False),
        was=bot,
    )
    _announce(tx, actor=actor, bot=gone, action="bot.forgotten", before=bot.agent)
    return gone


def get(tx: Tx, *, actor: Actor, ref: str) -> Bot:
    """By id, or by an app id that one platform alone has."""
    _need_reader(actor)
    bot = bots.get(tx, ref, workspace_id=actor.workspace_id)
    if bot is None or not _is_in_scope(actor, bot.platform):
        raise NotFound(f"there is no bot {ref}", bot=ref)
    return bot


def by_app(tx: Tx, *, actor: Actor, platform: str, app_id: str) -> Bot:
    _need_reader(actor)
    bot = bots.by_app(tx, app_id, workspace_id=actor.workspace_id, platform=platform)
    if bot is None or not _is_in_scope(actor, platform):
        raise NotFound(f"there is no {platform} bot of the app {app_id}", app=app_id)
    return bot


def list_page(tx: Tx, *, actor: Actor, platform: str | None, after: str | None, limit: int) -> Page[Bot]:
    """In order of adding."""
    _need_reader(actor)
    count = parse_limit(limit)
    place = parse_place(after, default=OLDEST)
    found = bots.list_page(tx, workspace_id=actor.workspace_id, platform=platform or "", place=place, limit=count + 1)
    found = [rules.as_it_stands(bot, now=tx.now) for bot in found]
    return page_of(found, limit=count, cursor=lambda bot: render_place(bot.created_at, bot.id))


def drafts(tx: Tx, *, actor: Actor, platform: str) -> list[Entry]:
    """What waits for a reload, to be checked before it is applied."""
    access.need(actor, Role.ADMIN)
    waiting = bots.of_platform(tx, platform, workspace_id=actor.workspace_id)
    return [_entry_of(bot) for bot in waiting if bot.draft is not None]


def beat(tx: Tx, *, actor: Actor, platform: str, holder: str, reports: Sequence[Report]) -> Beat:
    """A bridge lives: its bots stay its own, others that nobody holds become so, and what it says of them is kept."""
    need_bridge(actor, platform)
    told = {report.id: report for report in reports}
    held, taken = [], []
    for known in bots.of_platform(tx, platform, workspace_id=actor.workspace_id):
        if known.agent is None or not known.sealed or not rules.may_hold(known, bridge=actor.id):
            continue
        bot = bots.get_locked(tx, known.id, workspace_id=actor.workspace_id)
        assert bot is not None, "a bot is never removed"
        if bot.is_held(now=tx.now) and bot.holder != holder:
            taken.append(bot.id)
            continue
        leased = rules.lease(bot, holder=holder, lease_id=tx.new_id("lease"), now=tx.now)
        report = told.get(bot.id)
        if report is not None and report.lease_id != leased.lease_id:
            report = None
        now = _as_reported(leased, report=report)
        bots.put(tx, now, was=bot)
        if (now.state, now.error, now.deaf_since) != (bot.state, bot.error, bot.deaf_since):
            tx.emit("bot.changed", workspace_id=bot.workspace_id, data=now.fact())
        begins = report is None or report.revision != now.revision  # not only under a new lease: an answer may be lost
        left = inbound.waiting(tx, bot_id=bot.id, limit=WAITING) if begins else []
        spoken = (now.deaf_since or tx.now) - READ_BACK_FOR  # nobody is heard in the gap itself, however long it is
        recent = links.recent(tx, bot_id=bot.id, since=spoken, limit=READ_BACK_PLACES) if begins else []
        held.append(Held(bot=now, waiting=tuple(left), places=tuple(recent)))
    return Beat(held=tuple(held), taken=tuple(taken))


def let_go(tx: Tx, *, actor: Actor, platform: str, holder: str) -> int:
    """A bridge ends in good order: another one may hold its bots at once. How many they were."""
    need_bridge(actor, platform)
    return free_of(tx, workspace_id=actor.workspace_id, platform=platform, holder=holder)


def free_of(tx: Tx, *, workspace_id: str, platform: str, holder: str) -> int:
    """For the server's own bridges, whose death it sees: nobody waits for the leases of a dead one.

    What it was sending is in doubt at once: whoever holds the bot next asks the platform, and then goes on.
    """
    mine = [
        bot
        for bot in bots.of_platform(tx, platform, workspace_id=workspace_id)
        if bot.holder == holder and bot.lease_id is not None
    ]
    for bot in mine:
        deaf_since = rules.unheard_since(bot) or tx.now
        free = replace(bot, holder=None, lease_id=None, lease_until=None, deaf_since=deaf_since)
        bots.put(tx, free, was=bot)
        posts.end_leases(tx, bot_id=bot.id)
    return len(mine)


def mark_deaf(tx: Tx, *, workspace_id: str) -> int:
    """Bots whose bridge has gone silent say so; how many."""
    lapsed = bots.lapsed(tx, workspace_id=workspace_id)
    for bot in lapsed:
        state = BotState.ERROR if bot.state is BotState.LISTENING else bot.state
        why = "its bridge is silent: see the server's log, or start one with `pal bridge run`"
        deaf = replace(bot, state=state, error=bot.error or why, deaf_since=rules.unheard_since(bot))
        bots.put(tx, deaf, was=bot)
        tx.emit("bot.changed", workspace_id=bot.workspace_id, data=deaf.fact())
    return len(lapsed)


def platforms(tx: Tx, *, workspace_id: str) -> list[str]:
    """Those with a bot that somebody should listen for."""
    return bots.platforms(tx, workspace_id=workspace_id)


def held(tx: Tx, *, actor: Actor, id: str, lease_id: str) -> Bot:
    """A bot the bridge holds; `LeaseLost` when it does not."""
    bot = bots.get(tx, id, workspace_id=actor.workspace_id)
    if bot is None:
        raise NotFound(f"there is no bot {id}", bot=id)
    need_bridge(actor, bot.platform)
    rules.need_lease(bot, lease_id=lease_id, now=tx.now)
    return bot


def need_bridge(actor: Actor, platform: str) -> None:
    """Only a bridge's token, and of the platforms it is for."""
    if actor.kind is not ActorKind.BRIDGE or not _is_in_scope(actor, platform):
        raise Forbidden(f"this needs a bridge's token for {platform}")


def _need_reader(actor: Actor) -> None:
    if actor.kind is not ActorKind.BRIDGE:
        access.need(actor, Role.VIEWER)


def _is_in_scope(actor: Actor, platform: str) -> bool:
    mine = [scope for scope in actor.scopes if scope.startswith("platform:")]
    return actor.kind is not ActorKind.BRIDGE or not mine or f"platform:{platform}" in mine


def _apply(tx: Tx, *, actor: Actor, entry: Entry) -> Bot:
    platform = parse_platform(entry.platform)
    app_id = parse_outside(entry.app_id, field="app_id")
    found = bots.by_app(tx, app_id, workspace_id=actor.workspace_id, platform=platform)
    if found is None:
        if entry.sealed is None:
            raise NotFound(f"there is no {platform} bot of the app {app_id}: give its credentials", app=app_id)
        found = _new(tx, actor=actor, platform=platform, app_id=app_id)
    sealed = found.sealed if entry.sealed is None else entry.sealed
    if not sealed:
        raise Invalid(f"the credential of {app_id} was dropped: give it again", field="credentials", app=app_id)
    agent = _bound_to(tx, actor=actor, entry=entry, bot=found)
    options = found.options if isinstance(entry.options, Keep) else parse_options(entry.options)
    _need_known_holder(tx, actor=actor, options=options, was=found.options)
    changed = replace(
        found,
        sealed=sealed,
        draft=None,
        agent=agent,
        label=found.label if isinstance(entry.label, Keep) else entry.label.strip()[:100],
        name=found.name if isinstance(entry.name, Keep) else entry.name[:100],
        bot_id=found.bot_id if isinstance(entry.bot_id, Keep) else entry.bot_id,
        base_url=found.base_url if isinstance(entry.base_url, Keep) else _parse_url(entry.base_url),
        options=options,
        notify_chat=found.notify_chat if isinstance(entry.notify_chat, Keep) else entry.notify_chat or None,
        from_file=entry.from_file or found.from_file,
        state=BotState.UNBOUND if agent is None else BotState.UNVERIFIED,
        error=None,
    )
    return _put(tx, changed, was=found)


def _need_known_holder(tx: Tx, *, actor: Actor, options: dict[str, str], was: dict[str, str]) -> None:
    """A bot that is held by a token nobody has would be held by nobody."""
    holder = options.get(rules.HELD_BY)
    if holder is None or holder == was.get(rules.HELD_BY):
        return
    token = tokens.get(tx, holder, workspace_id=actor.workspace_id)
    if token is None or token.kind is not TokenKind.BRIDGE:
        what = f"options.{rules.HELD_BY} is the id of a bridge's token, and {holder} is none"
        raise Invalid(f"{what}: `pal console tokens list` has them", field="options")


def _bound_to(tx: Tx, *, actor: Actor, entry: Entry, bot: Bot) -> str | None:
    if isinstance(entry.agent, Keep):
        return bot.agent
    if entry.agent is None:
        return None
    agent = access.agent(tx, actor, entry.agent).key
    if bot.agent not in (None, agent) and not entry.rebind:
        raise Conflict(
            f"this {bot.platform} bot is bound to {bot.agent}: rebind to move it", bot=bot.id, agent=bot.agent
        )
    other = bots.of_agent(tx, agent, workspace_id=actor.workspace_id, platform=bot.platform)
    if other is not None and other.id != bot.id:
        if not entry.rebind:
            raise Conflict(
                f"{agent} has a {bot.platform} bot already, {other.app_id}: rebind to move it to {bot.app_id}",
                bot=other.id,
                app=other.app_id,
            )
        _put(tx, replace(other, agent=None, state=BotState.UNBOUND, error=None), was=other)
    return agent


def _new(tx: Tx, *, actor: Actor, platform: str, app_id: str) -> Bot:
    bot = Bot(
        id=tx.new_id("bot"),
        workspace_id=actor.workspace_id,
        platform=platform,
        app_id=app_id,
        sealed="",
        draft=None,
        agent=None,
        label="",
        name="",
        bot_id="",
        base_url=None,
        options={},
        notify_chat=None,
        from_file=False,
        revision=1,
        state=BotState.UNBOUND,
        error=None,
        heard_at=None,
        deaf_since=None,
        holder=None,
        lease_id=None,
        lease_until=None,
        fence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    bots.insert(tx, bot)
    return bot


def _put(tx: Tx, bot: Bot, *, was: Bot) -> Bot:
    """Store what changes how a bridge connects; the one that holds it sees a new revision."""
    if bot == was:
        return bot
    changed = replace(bot, revision=was.revision + 1, updated_at=tx.now)
    bots.put(tx, changed, was=was)
    tx.emit("bot.changed", workspace_id=bot.workspace_id, data=changed.fact())
    return changed


def _announce(tx: Tx, *, actor: Actor, bot: Bot, action: str = "bot.bound", before: str | None = None) -> None:
    tx.wake(CHANGED)
    tx.wake(f"bridge:{bot.platform}")
    audit.record(
        tx,
        actor=actor,
        action=action,
        target=bot.id,
        detail={"platform": bot.platform, "app": bot.app_id, "agent": bot.agent or before},
    )


def _save_draft(tx: Tx, *, actor: Actor, entry: Entry) -> Bot:
    platform = parse_platform(entry.platform)
    app_id = parse_outside(entry.app_id, field="app_id")
    found = bots.by_app(tx, app_id, workspace_id=actor.workspace_id, platform=platform)
    if found is None:
        found = _new(tx, actor=actor, platform=platform, app_id=app_id)
    if not isinstance(entry.agent, Keep) and entry.agent is not None:
        access.agent(tx, actor, entry.agent)
    wanted: dict[str, Any] = {
        name: getattr(entry, name) for name in _DRAFTED if not isinstance(getattr(entry, name), Keep)
    }
    draft = replace(found, draft=json.dumps(wanted), updated_at=tx.now)
    bots.put(tx, draft, was=found)
    tx.emit("bot.changed", workspace_id=draft.workspace_id, data=draft.fact())
    audit.record(tx, actor=actor, action="bot.drafted", target=draft.id, detail={"app": app_id, "platform": platform})
    return draft


def _entry_of(bot: Bot) -> Entry:
    assert bot.draft is not None
    return Entry(platform=bot.platform, app_id=bot.app_id, **json.loads(bot.draft))


def _as_reported(bot: Bot, *, report: Report | None) -> Bot:
    if report is None:
        return bot
    state = BotState.LISTENING if report.listening else BotState.ERROR if report.error else bot.state
    return replace(
        bot,
        state=state,
        error=report.error and report.error[:1_000],
        heard_at=report.heard_at or bot.heard_at,
        deaf_since=report.deaf_since if report.listening else report.deaf_since or bot.deaf_since,
    )


def _parse_url(url: str | None) -> str | None:
    if url is None or not url.strip():
        return None
    if not url.startswith(("http://", "https://")) or any(sign.isspace() for sign in url) or len(url) > 500:
        raise Invalid("base_url is an http address", field="base_url")
    return url.rstrip("/")


_DRAFTED = (
    "sealed",
    "agent",
    "label",
    "name",
    "bot_id",
    "base_url",
    "options",
    "notify_chat",
    "from_file",
    "rebind",
)
