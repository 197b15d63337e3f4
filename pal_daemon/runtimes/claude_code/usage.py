"""What a run of Claude Code has used. Booked per turn: the program's totals are the session's, across resumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pal_daemon.runtimes.base import Event
from pal_server.contract.runs import Usage

INPUTS = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
CONTEXT = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


class Spending:
    """Sums of one run. `input_tokens` counts all of the input, `cached_tokens` the part that was read from a cache."""

    def __init__(self) -> None:
        self._input = 0
        self._output = 0
        self._cost = 0.0
        self._is_known = False
        self._context = 0

    @property
    def usage(self) -> Usage | None:
        if not self._is_known:
            return None
        return Usage(input_tokens=self._input, output_tokens=self._output, cost_usd=round(self._cost, 6))

    def note_context(self, usage: object) -> None:
        """The newest model call says how full the context is."""
        if isinstance(usage, dict):
            self._context = int(sum(_number(usage, name) for name in CONTEXT))

    def book(self, result: Mapping[str, Any]) -> Event | None:
        """What this turn has cost; None when the model was not asked."""
        models = result.get("model_usage_since_last_result")
        if not isinstance(models, dict) or not models:
            return None
        spent = [usage for usage in models.values() if isinstance(usage, dict)]
        taken = int(sum(_number(usage, name) for usage in spent for name in INPUTS))
        given = int(sum(_number(usage, "outputTokens") for usage in spent))
        cost = sum(_number(usage, "costUSD") for usage in spent)
        self._input, self._output, self._cost = self._input + taken, self._output + given, self._cost + cost
        self._is_known = True
        data = {
            "input_tokens": taken,
            "output_tokens": given,
            "cached_tokens": int(sum(_number(usage, "cacheReadInputTokens") for usage in spent)),
            "cost_usd": round(cost, 6),
            "context_used": self._context,
            "context_size": int(max((_number(usage, "contextWindow") for usage in spent), default=0)),
            "model": ", ".join(models),
        }
        return Event(kind="usage", data=data)


def _number(usage: Mapping[str, Any], name: str) -> float:
    value = usage.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
