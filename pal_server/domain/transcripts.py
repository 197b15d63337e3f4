"""The log of a run as what it says, however it was cut into events, so that two of them can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .runs import RunEvent

HIDDEN = "[redacted]"  # what computers put in the place of a secret
ENDED = "ended"  # the state of the server's own last event of a run that did not end well


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    digest: str
    hidden: int  # secrets that were taken out
    said: int  # characters of messages
    calls: int  # of tools

    def has_at_least(self, other: Reading) -> bool:
        """Whether it tells no less of what was said and done."""
        return self.said >= other.said and self.calls >= other.calls


def read(events: Iterable[RunEvent]) -> Reading:
    """SHA-256 (hex) of kinds, lanes, texts and data in order. Texts that were joined or divided on the way are alike;
    times and numbers do not count, nor does what the server itself added.
    """
    hashed = hashlib.sha256()
    hidden = words = calls = 0
    for said in _joined(events):
        words += len(said[3]) if said[0] == "message" else 0
        calls += said[0] == "tool_call"
        for part in said:
            hidden += part.count(HIDDEN)
            encoded = part.encode("utf-8", "surrogatepass")
            hashed.update(len(encoded).to_bytes(8, "big") + encoded)
    return Reading(digest=hashed.hexdigest(), hidden=hidden, said=words, calls=calls)


def is_servers_own(event: RunEvent) -> bool:
    """Whether no program said it: `close_events` made it."""
    return event.kind == "status" and f'"state":"{ENDED}"' in event.data


def _joined(events: Iterable[RunEvent]) -> Iterator[tuple[str, str, str, str]]:
    last: tuple[str, str, str] | None = None
    texts: list[str] = []
    for event in events:
        if is_servers_own(event):
            continue
        what = (event.kind, event.lane, event.data)
        if last is not None and (what != last or event.text is None):
            yield (*last, "".join(texts))
            texts = []
        last = what
        texts.append(event.text or "")
    if last is not None:
        yield (*last, "".join(texts))
