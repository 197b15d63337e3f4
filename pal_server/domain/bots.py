"""Bots: our apps on outside chats, each bound to one agent; and who outside may use them."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pal_server.domain.names import parse_label
from pal_server.errors import Conflict, Invalid, LeaseLost

LEASE_FOR = 30_000  # milliseconds a bridge may be silent before another one may hold its bots
TAKEN_WITHIN = 20_000  # milliseconds after a change of a bot in which a bridge comes for it
TEXT_LIMIT = 500  # characters of an id or name of a platform
OPTIONS_LIMIT = 50
QUOTA_MAX = 100_000  # messages an hour

_PLATFORM = re.compile(r"[a-z][a-z0-9]{0,31}")
HELD_BY = "held_by"  # the option that names the only bridge token, by its id, whose bridge may hold the bot
PROMPT = "prompt"  # the option in which {text} and {sender} stand for what was said, and by whom
_SLOT = re.compile(r"\{(text|sender)\}")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")


class BotState(StrEnum):
    UNVERIFIED = "unverified"  # saved; nobody has connected with it yet
    LISTENING = "listening"  # a bridge has it open
    ERROR = "error"  # the platform will not have it, or its bridge is gone
    UNBOUND = "unbound"  # its credential is kept, no agent has it


class Standing(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"
    ASKED = "asked"  # talked to a bot, was refused once, may be let in


class Level(StrEnum):
    TALK = "talk"  # say things, answer questions
    OPERATE = "operate"  # and stop runs, approve, try again
    OWN = "own"  # and choose models


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """`sealed` is opened by nobody but the edge, for the bridge that holds the lease."""

    id: str
    workspace_id: str
    platform: str
    app_id: str
    sealed: str
    draft: str | None
    agent: str | None
    label: str
    name: str
    bot_id: str
    base_url: str | None
    options: dict[str, str]
    notify_chat: str | None
    from_file: bool
    revision: int
    state: BotState
    error: str | None
    heard_at: int | None
    deaf_since: int | None
    holder: str | None
    lease_id: str | None
    lease_until: int | None
    fence: int
    created_at: int
    updated_at: int

    def is_held(self, *, now: int) -> bool:
        return self.lease_until is not None and self.lease_until > now

    def fact(self) -> dict[str, Any]:
        """The bot as others see it: no credential."""
        return {
            "id": self.id,
            "platform": self.platform,
            "app_id": self.app_id,
            "agent": self.agent,
            "label": self.label,
            "name": self.name,
            "bot_id": self.bot_id,
            "base_url": self.base_url,
            "options": self.options,
            "notify_chat": self.notify_chat,
            "from_file": self.from_file,
            "waits_for_reload": self.draft is not None,
            "state": self.state,
            "error": self.error,
            "heard_at": self.heard_at,
            "deaf_since": self.deaf_since,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody on a platform."""

    id: str
    workspace_id: str
    platform: str
    external_id: str
    name: str
    standing: Standing
    level: Level
    quota: int | None
    user_id: str | None = None  # the user of pal this is, when somebody has said so
    user: str | None = None  # that user's name
    created_at: int

    def fact(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "platform": self.platform,
            "external_id": self.external_id,
            "name": self.name,
            "standing": self.standing,
            "level": self.level,
            "quota": self.quota,
            "user": self.user,
            "created_at": self.created_at,
        }

    def may(self, level: Level) -> bool:
        return self.standing is Standing.ALLOWED and _RANK[self.level] >= _RANK[level]


def may_hold(bot: Bot, *, bridge: str) -> bool:
    """Whether a bridge with the token of that id may listen for the bot: any, unless the bot names its only one."""
    return bot.options.get(HELD_BY, bridge) == bridge


def as_it_stands(bot: Bot, *, now: int) -> Bot:
    """With the reason why nobody listens for it, where no bridge says any: nobody holds it, and none came for long."""
    if bot.agent is None or bot.error or bot.is_held(now=now) or now - bot.updated_at < TAKEN_WITHIN:
        return bot
    state = BotState.ERROR if bot.state is BotState.LISTENING else bot.state
    which = f" with the token {bot.options[HELD_BY]}" if HELD_BY in bot.options else ""
    why = f"no bridge{which} listens for it: see the server's log, or start one with `pal bridge run {bot.platform}`"
    return replace(bot, state=state, error=why)


def lease(bot: Bot, *, holder: str, lease_id: str, now: int) -> Bot:
    """Give the bot's connection to a bridge, or keep it with the one that has it. `Conflict` while another one does."""
    if bot.is_held(now=now) and bot.holder != holder:
        raise Conflict("another bridge listens for this bot", bot=bot.id, until=bot.lease_until)
    if bot.is_held(now=now) and bot.lease_id is not None:
        return replace(bot, lease_until=now + LEASE_FOR)
    return replace(
        bot,
        holder=holder,
        lease_id=lease_id,
        lease_until=now + LEASE_FOR,
        fence=bot.fence + 1,
        deaf_since=unheard_since(bot),
    )


def unheard_since(bot: Bot) -> int | None:
    """From when on nobody knows what was said, now that its bridge is gone; None when no bridge ever had it.

    Not from when its lease ran out or its death was noticed: it may have died right after it was last heard of.
    """
    if bot.deaf_since is not None or bot.lease_until is None:
        return bot.deaf_since
    return bot.lease_until - LEASE_FOR


def need_lease(bot: Bot, *, lease_id: str, now: int) -> None:
    """`LeaseLost` unless that lease is the bot's current one and has not run out."""
    if bot.lease_id != lease_id or not bot.is_held(now=now):
        raise LeaseLost("this bot's connection is no longer yours", bot=bot.id)


def parse_platform(name: str) -> str:
    if not _PLATFORM.fullmatch(name):
        raise Invalid("platform is a word of small letters", field="platform", value=name[:64])
    return name


def parse_outside(text: str, *, field: str) -> str:
    """An id of a platform: any text on one line, taken as it is."""
    if not text.strip() or len(text) > TEXT_LIMIT or not text.isprintable():
        raise Invalid(f"{field} has 1 to {TEXT_LIMIT} characters that can be shown", field=field)
    return text.strip()


def parse_fields(fields: dict[str, str], *, field: str) -> dict[str, str]:
    """Credentials or options: names of small letters, values of any text. No value is in a message."""
    if len(fields) > OPTIONS_LIMIT:
        raise Invalid(f"{field} has more than {OPTIONS_LIMIT} entries", field=field, limit=OPTIONS_LIMIT)
    for name, value in fields.items():
        if not _FIELD.fullmatch(name) or not value.strip() or len(value) > 10_000 or "\0" in value:
            raise Invalid(f"{field}.{name[:64]} is empty or no name of a setting", field=field)
    return {name: value.strip() for name, value in fields.items()}


def parse_options(options: dict[str, str]) -> dict[str, str]:
    """Options of a bot; a prompt without its text would leave the agent without the message."""
    parsed = parse_fields(options, field="options")
    if PROMPT in parsed and "{text}" not in parsed[PROMPT]:
        raise Invalid(
            "options.prompt has {text} where the message shall stand, and {sender} for the name", field="options"
        )
    return parsed


def prompt_text(bot: Bot, *, sender: str, text: str) -> str:
    """What the bot's agent is told of a message. What stands in a name or a text is never a slot."""
    said = {"text": text, "sender": sender}
    return _SLOT.sub(lambda slot: said[slot[1]], bot.options.get(PROMPT, "{text}"))


def parse_name(name: str) -> str:
    """A display name of an outside person, whatever letters it has."""
    return parse_label(name, field="name")


def parse_level(level: str) -> Level:
    if level not in list(Level):
        raise Invalid(f"level is one of {', '.join(Level)}", field="level", value=level)
    return Level(level)


def parse_quota(quota: int | None) -> int | None:
    if quota is not None and not 1 <= quota <= QUOTA_MAX:
        raise Invalid(f"quota is 1 to {QUOTA_MAX} messages an hour", field="quota", value=quota)
    return quota


_RANK = {Level.TALK: 0, Level.OPERATE: 1, Level.OWN: 2}
