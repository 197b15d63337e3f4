"""What every part of one daemon shares. Made once, by the composition root."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pal_daemon.bus import Bus
from pal_daemon.journal import Journal
from pal_daemon.runtimes.registry import Registry
from pal_daemon.settings import Settings

Clock = Callable[[], int]  # UTC milliseconds, for what people read; durations are counted on the monotonic clock


@dataclass(slots=True, kw_only=True)
class House:
    """`computer` and the addresses are known once the daemon is connected and listens."""

    settings: Settings
    bus: Bus
    journal: Journal
    registry: Registry
    clock: Clock
    seal: str = field(repr=False)  # key of the checks of what people are asked
    computer: str = ""
    daemon_url: str = ""
    program_folder: Path | None = None
    tokens: dict[str, int] = field(default_factory=dict)  # hash of a live run's token → run; written by its attempt
    troubles: dict[str, str] = field(default_factory=dict)  # what /health tells: name → sentence


def hash_token(token: str) -> str:
    """How a run's token is known here once the agent has it."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
