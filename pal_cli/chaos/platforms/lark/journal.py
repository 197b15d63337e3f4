"""Everything that happened on the platform, numbered; tests read it and wait for it."""

from __future__ import annotations

import asyncio
from typing import Any

Json = dict[str, Any]


class Journal:
    """Entries `{"n", "kind", …}`, n from 1 without holes."""

    def __init__(self) -> None:
        self._entries: list[Json] = []
        self._more = asyncio.Event()

    def write(self, kind: str, **facts: Any) -> None:
        self._entries.append({"n": len(self._entries) + 1, "kind": kind, **facts})
        self._more.set()
        self._more = asyncio.Event()

    async def after(self, n: int, *, wait_for: float) -> list[Json]:
        """Entries after `n`; waits up to `wait_for` seconds for the first of them."""
        if len(self._entries) <= n:
            try:
                await asyncio.wait_for(self._more.wait(), wait_for)
            except TimeoutError:
                return []
        return self._entries[n:]
