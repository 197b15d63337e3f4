"""What a person is told in a chat outside: which bot writes to them there, and how much of it at a time."""

from dataclasses import dataclass, replace
from typing import Any

WINDOW = 10 * 60_000  # milliseconds in which at most `AT_MOST` things are told singly
AT_MOST = 10  # more of them are counted, and told as one line when the window is over
QUOTED = 300  # characters of what was said, asked or went wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatNotices:
    """`needs`, `mentions` and `runs` say what is told. `chat` is the person as the bot's platform is written to.

    `told` and `held` count what was told singly since `window_at` and what was not; `newest_key` is of the last post.
    """

    user_id: str
    workspace_id: str
    bot_id: str
    identity_id: str
    chat: str
    needs: bool
    mentions: bool
    runs: bool
    position: int
    window_at: int
    told: int
    held: int
    newest_key: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPlace:
    """A bot that can write to this person, and who they are there."""

    bot: str
    platform: str
    name: str
    agent: str
    identity: str
    person: str

    def fact(self) -> dict[str, Any]:
        return {
            "bot": self.bot,
            "platform": self.platform,
            "name": self.name,
            "agent": self.agent,
            "identity": self.identity,
            "person": self.person,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person has chosen. `error` is why they are not told now, or why the newest post did not arrive."""

    notices: ChatNotices
    place: ChatPlace | None
    error: str | None

    def fact(self) -> dict[str, Any]:
        return {
            "place": None if self.place is None else self.place.fact(),
            "needs": self.notices.needs,
            "mentions": self.notices.mentions,
            "runs": self.notices.runs,
            "created_at": self.notices.created_at,
            "error": self.error,
        }


def admit(notices: ChatNotices, *, now: int) -> tuple[ChatNotices, bool]:
    """Count one more thing; whether it is told by itself. While something is held nothing overtakes it."""
    if notices.held == 0 and now - notices.window_at >= WINDOW:
        notices = replace(notices, window_at=now, told=0)
    if notices.held or notices.told >= AT_MOST:
        return replace(notices, held=notices.held + 1), False
    return replace(notices, told=notices.told + 1), True


def let_go(notices: ChatNotices, *, now: int) -> ChatNotices | None:
    """What is held is told as one line, which opens the next window; None while it is held still."""
    if not notices.held or now - notices.window_at < WINDOW:
        return None
    return replace(notices, window_at=now, told=1, held=0)


def words_of(told: dict[str, Any]) -> str:
    """One thing, as `news.news_of` tells it."""
    match told["kind"]:
        case "needs":
            head = f"**{told['agent'] or 'pal'}** waits for you"
        case "mention":
            head = f"**{told['from'] or 'somebody'}** mentioned you"
        case _:
            head = f"**{told['agent']}** {_ENDED.get(str(told['status']), 'has ended')}"
    quoted = _quote(str(told["title"]))
    return "\n\n".join(part for part in (head, quoted, f"[Open]({told['url']})") if part)


def summary_of(count: int, *, base_url: str) -> str:
    """What was held."""
    return f"**{count} more** since then: [see them]({base_url}/needs)"


def greeting(base_url: str) -> str:
    return (
        f"From now on I tell you here what needs you in pal, as [your settings]({base_url}/settings/notifications) say."
    )


def _quote(words: str) -> str:
    plain = " ".join(words.split())
    return f"> {plain[:QUOTED]}{'…' if len(plain) > QUOTED else ''}" if plain else ""


_ENDED = {"succeeded": "is done", "failed": "failed", "interrupted": "was interrupted"}
