"""Which paths somebody means by a few letters, best first. Pure.

Letters count without case. What is named so comes before what begins so, what holds it, what has it in its folders, and
what has its letters in order; of equals the shorter path, then the alphabet. Several words have to be there all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_ABBREVIATION = 64  # letters; nobody abbreviates with more


@dataclass(frozen=True, slots=True)
class Listed:
    """Paths and the same in small letters, made once for many questions."""

    paths: Sequence[str]
    small: Sequence[str]

    @classmethod
    def of(cls, paths: Iterable[str]) -> Listed:
        given = tuple(paths)
        return cls(given, tuple(path.lower() for path in given))


def rank(listed: Listed, query: str, *, limit: int) -> list[str]:
    """At most `limit` paths; without a query the first ones as they are listed."""
    words = query.lower().split()
    if not words:
        return list(listed.paths[:limit])
    found = [number for number, path in enumerate(listed.small) if all(word in path for word in words)]
    tiers = [(*_tier(listed.small[number], words[-1]), listed.small[number], number) for number in found]
    best = [listed.paths[number] for *_, number in sorted(tiers)[:limit]]
    if len(best) < limit:
        best += _scattered(listed, "".join(words), known=set(found), limit=limit - len(best))
    return best


def _tier(path: str, word: str) -> tuple[int, int]:
    name = path.rpartition("/")[2]
    if name == word or name.rpartition(".")[0] == word or path == word:
        tier = 0
    elif name.startswith(word):
        tier = 1
    elif word in name:
        tier = 2
    else:
        tier = 3
    return tier, len(path)


def _scattered(listed: Listed, letters: str, *, known: set[int], limit: int) -> list[str]:
    """Paths that have the letters in this order, closest together first."""
    if len(letters) > _ABBREVIATION:
        return []
    # Each part ends before the next letter, so a path is read once, whatever it holds.
    parts = (f"{re.escape(letter)}[^{re.escape(after)}]*" for letter, after in pairwise(letters))
    pattern = re.compile("".join(parts) + re.escape(letters[-1]))
    found: list[tuple[int, int, str, int]] = []
    for number, path in enumerate(listed.small):
        if number not in known and (match := pattern.search(path)):
            found.append((match.end() - match.start(), len(path), path, number))
    return [listed.paths[number] for *_, number in sorted(found)[:limit]]
