"""Whether a socket that answers pings still brings events: pure bookkeeping over moments it is given.

Every post of the bot comes back as an event. One that does not come back, while nothing else comes either, tells of a
socket that is deaf. An app without message events has no echoes at all; it is suspected once and then believed.
"""

from __future__ import annotations

from collections import OrderedDict, deque

ECHO_WITHIN = 30.0  # seconds; an echo usually takes less than one
MOST_CHATS = 20
MOST_HEARD = 1_000


class Pulse:
    """Moments are monotonic seconds. One per connection, it outlives sockets."""

    def __init__(self, *, echo_within: float = ECHO_WITHIN) -> None:
        self._echo_within = echo_within
        self._expected: dict[str, float] = {}  # ts of own posts: when they were posted
        self._heard: deque[str] = deque(maxlen=MOST_HEARD)  # ts of messages the socket brought
        self._chats: OrderedDict[str, None] = OrderedDict()
        self._last_event = 0.0
        self.has_echoes = False
        self.ahead = 0.0  # seconds
        self._has_suspected = False

    def connected(self, now: float) -> None:
        """A new socket: what the old one owed is not held against it."""
        self._expected.clear()
        self._last_event = now

    def posted(self, chat: str, ts: str, now: float) -> None:
        if ts not in self._heard:
            self._expected[ts] = now
        self._remember(chat)

    def heard(self, now: float, *, chat: str = "", ts: str = "", is_own: bool = False, ahead: float = 0.0) -> None:
        """Any event; with the chat and `ts` of its message, if it has one. `is_own`: an echo of the bot's post.

        `ahead`: seconds by which `ts` is ahead of our clock; Slack's own clock is ahead by the most of them.
        """
        self._last_event = now
        self.has_echoes = self.has_echoes or is_own
        if ts:
            self._heard.append(ts)
            self.ahead = max(self.ahead, ahead)
            self._expected.pop(ts, None)
        if chat:
            self._remember(chat)

    def is_deaf(self, now: float) -> bool:
        """An echo is overdue and nothing came since it was due. True once per such post."""
        for ts, posted_at in list(self._expected.items()):
            if now - posted_at < self._echo_within:
                continue
            del self._expected[ts]
            if self._last_event < posted_at and (self.has_echoes or not self._has_suspected):
                self._has_suspected = True
                return True
        return False

    def quiet_for(self, now: float) -> float:
        return now - self._last_event

    def was_heard(self, ts: str) -> bool:
        return ts in self._heard

    @property
    def chats(self) -> tuple[str, ...]:
        """Where something was last, newest first."""
        return tuple(reversed(self._chats))

    def _remember(self, chat: str) -> None:
        self._chats[chat] = None
        self._chats.move_to_end(chat)
        if len(self._chats) > MOST_CHATS:
            self._chats.popitem(last=False)
