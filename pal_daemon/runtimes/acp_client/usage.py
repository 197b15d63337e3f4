"""Tokens and money of one run, from what agents say at the end of a prompt and on the way. Pure.

Costs are told as the session's so far, so a run's own is a difference; where its beginning is unknown it is left out
instead of booked twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pal_daemon.runtimes.acp_client.transcript import Transcript
from pal_daemon.runtimes.base import Event
from pal_server.contract.runs import Usage


class UsageCount:
    """Fed with the answer to every prompt of the run."""

    def __init__(self, *, is_of_last_call: bool) -> None:
        self.cost_before: float | None = None  # US dollars of the session when the run began; None is unknown
        self.model: str | None = None
        self._is_of_last_call = is_of_last_call
        self._input: int | None = None
        self._output: int | None = None
        self._cached: int | None = None

    def add(self, result: Mapping[str, Any]) -> None:
        counts, model = _counts(result)
        self.model = model or self.model
        if self._is_of_last_call or counts is None:
            return
        self._input = (self._input or 0) + counts[0]
        self._output = (self._output or 0) + counts[1]
        self._cached = (self._cached or 0) + counts[2]

    def cost(self, transcript: Transcript) -> float | None:
        if transcript.cost is None or self.cost_before is None:
            return None
        return max(0.0, transcript.cost - self.cost_before)

    def event(self, transcript: Transcript) -> Event | None:
        """None when the agent told nothing at all."""
        data = {
            "input_tokens": self._input,
            "output_tokens": self._output,
            "cached_tokens": self._cached,
            "cost_usd": self.cost(transcript),
            "context_used": transcript.context_used,
            "context_size": transcript.context_size,
        }
        if all(value is None for value in data.values()):
            return None
        return Event(kind="usage", data=data | {"model": self.model})

    def total(self, transcript: Transcript) -> Usage | None:
        cost = self.cost(transcript)
        if self._input is None and cost is None:
            return None
        return Usage(input_tokens=self._input, output_tokens=self._output, cost_usd=cost)


def _counts(result: Mapping[str, Any]) -> tuple[tuple[int, int, int] | None, str | None]:
    """Input, output and cached tokens, and the model, wherever the agent puts them."""
    meta = result.get("_meta")
    quota = meta.get("quota") if isinstance(meta, dict) else None
    quota = quota if isinstance(quota, dict) else {}
    models = quota.get("model_usage")
    model = models[0].get("model") if isinstance(models, list) and models and isinstance(models[0], dict) else None
    usage, tokens = result.get("usage"), quota.get("token_count")
    if isinstance(usage, dict):
        return (_count(usage, "inputTokens"), _count(usage, "outputTokens"), _count(usage, "cachedReadTokens")), model
    if isinstance(tokens, dict):
        return (_count(tokens, "input_tokens"), _count(tokens, "output_tokens"), 0), model
    return None, model


def _count(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    return value if isinstance(value, int) else 0
