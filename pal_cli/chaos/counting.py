"""What the chats and pal's books say once nothing is on its way any more: lost, doubled, doubtful, marked."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from time import monotonic

from pal_cli.chaos.chats import Pal, Storm, stored_events
from pal_cli.chaos.side import Json, Shown
from pal_server.client.sync import ApiProblem, Unreachable

MARK = "(may be a repeat)"  # what a repeat that cannot be excluded says of itself
INTERRUPTED = "interrupted"  # what the card of a run says that nobody knows the end of
SETTLE_WITHIN = 480.0  # seconds; leases may have to end, and what failed often is tried again after five minutes
CALM_EVERY = 10.0  # seconds
LOOK_EVERY = 0.25  # seconds: platforms and pal share no signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything at one moment: what the chats show, and of which words pal says what."""

    texts: list[str]
    cards: list[Shown]
    interrupted: set[str]
    doubtful: set[str]
    failed: set[str]
    on_their_way: int
    untold: set[str]
    rerun: int


async def settle(pal: Pal, storm: Storm) -> Seen:
    """Wait until every word is answered, or said to be interrupted, and no post is on its way; what there is then, or
    after `SETTLE_WITHIN`.
    """
    give_up_at = monotonic() + SETTLE_WITHIN
    calm_again = monotonic() + CALM_EVERY
    while True:
        try:
            seen = await look(pal, storm)
        except (ApiProblem, Unreachable):
            if monotonic() > give_up_at:
                raise
            await asyncio.sleep(LOOK_EVERY)
            continue
        if (not seen.on_their_way and not missing(storm, seen)) or monotonic() > give_up_at:
            return seen
        if monotonic() > calm_again:
            calm_again = monotonic() + CALM_EVERY
            for side in storm.sides:
                await side.calm()
            await storm.say_again(await asyncio.to_thread(stored_events, pal))
        await asyncio.sleep(LOOK_EVERY)


async def look(pal: Pal, storm: Storm) -> Seen:
    untold: dict[str, str] = {}
    for side in storm.sides:
        untold |= await side.untold()
    books = await asyncio.to_thread(_Books, pal)
    words = storm.words
    stored = await asyncio.to_thread(stored_events, pal)
    return Seen(
        texts=[text for side in storm.sides for text in await side.texts()],
        cards=[card for side in storm.sides for card in await side.cards()],
        interrupted={word for word in words if any(word in text for text in books.interrupted)},
        doubtful=books.words_of_posts(words, state="doubtful"),
        failed=books.words_of_posts(words, state="failed"),
        on_their_way=sum(post["state"] in ("pending", "sending") for post in books.posts),
        untold={word for word, event in untold.items() if event not in stored},
        rerun=books.rerun,
    )


def missing(storm: Storm, seen: Seen) -> list[str]:
    """Words without an answer and without a run that is known to be interrupted, and questions in no word of which
    anybody was told.
    """
    answered = {word for word in storm.words if any(word in text for text in seen.texts)} | seen.interrupted
    unheard = [one.words[-1] for one in storm.asked if not answered.intersection(one.words)]
    lost = [word for word in storm.words if word not in answered and word not in seen.untold]
    return sorted({*unheard, *lost})


def count(storm: Storm, seen: Seen) -> dict[str, int]:
    """What each number means, `pal chaos --help` says."""
    plain = [text for text in seen.texts if MARK not in text]
    marked = {word for word in storm.words if any(word in text and MARK in text for text in seen.texts)}
    marked |= {card.word for card in seen.cards if MARK in card.text}
    said_so = {card.word for card in seen.cards if INTERRUPTED in card.text}
    shown = Counter(card.word for card in seen.cards)
    return {
        "lost": len(missing(storm, seen)),
        "doubled": sum(sum(word in text for text in plain) > 1 for word in storm.words)
        + sum(shown[word] > 1 and word not in seen.doubtful for word in storm.words),
        "doubtful": len(seen.doubtful),
        "doubtful_unmarked": len(seen.doubtful - marked),
        "marked_without_doubt": len(marked - seen.doubtful),
        "interrupted": len(seen.interrupted),
        "interrupted_silently": len(seen.interrupted - said_so),
        "failed_posts": len(seen.failed),
        "silent_reruns": seen.rerun,
        "unsettled": seen.on_their_way,
        "told_to_nobody": len(seen.untold),
    }


class _Books:
    """What pal has written down, read once."""

    def __init__(self, pal: Pal) -> None:
        self._pal = pal
        self.posts = pal.all_of("posts")
        self._deliveries = {one["id"]: one for one in pal.all_of("deliveries")}
        ended = [one for one in self._deliveries.values() if one["status"] == "interrupted"]
        self.interrupted = [self._content(one["message"]) for one in ended]
        self.rerun = sum(many > 1 for many in Counter(run["delivery"] for run in pal.all_of("runs")).values())

    def words_of_posts(self, words: list[str], *, state: str) -> set[str]:
        """The words that posts in this state are about: by the answer they show, or by what their card is of."""
        about = [self._about(post) for post in self.posts if post["state"] == state]
        return {word for word in words if any(word in text for text in about)}

    def _about(self, post: Json) -> str:
        message = post["message"]
        if message is None and post["delivery"] in self._deliveries:
            message = self._deliveries[post["delivery"]]["message"]
        return "" if message is None else self._content(message)

    def _content(self, message: int) -> str:
        return str(self._pal.call("GET", f"/api/messages/{message}")["message"]["content"])
