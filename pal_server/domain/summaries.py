"""What of a run fits beside its name: its list, its plan, the files it sent, its cost and how long it took."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from .files import File
from .runs import Run, RunEvent

PLAN_SHOWN = 2_000  # characters; the whole of it is in the run's events


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    todo: tuple[dict[str, Any], ...]  # text and status of each entry
    done: int  # entries that are completed
    plan: str | None
    plan_seq: int | None  # the event that has all of it
    files: tuple[File, ...]
    cost_usd: float | None
    duration_ms: int | None

    def fact(self) -> dict[str, Any]:
        return {
            "todo": list(self.todo),
            "done": self.done,
            "plan": self.plan,
            "plan_seq": self.plan_seq,
            "files": [{"id": f.id, "name": f.name, "mime": f.mime, "size": f.size, "url": f.url} for f in self.files],
            "cost_usd": self.cost_usd,
            "duration_ms": self.duration_ms,
        }


def summary_of(run: Run, *, todo: RunEvent | None, plan: RunEvent | None, files: Sequence[File]) -> Summary:
    entries = _entries(todo)
    usage = run.usage or {}
    cost = usage.get("cost_usd")
    text = None if plan is None or plan.text is None else plan.text
    return Summary(
        todo=tuple(entries),
        done=sum(entry["status"] in ("completed", "done") for entry in entries),
        plan=text if text is None or len(text) <= PLAN_SHOWN else f"{text[:PLAN_SHOWN].rstrip()} …",
        plan_seq=None if plan is None else plan.seq,
        files=tuple(files),
        cost_usd=cost if isinstance(cost, int | float) else None,
        duration_ms=run.fact()["duration_ms"],
    )


def _entries(todo: RunEvent | None) -> list[dict[str, Any]]:
    """What a program says may have any shape: entries without a text are none."""
    told = None if todo is None else msgspec.json.decode(todo.data)
    listed = told.get("entries") if isinstance(told, dict) else None
    found = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [
        {"text": str(entry["text"]), "status": str(entry.get("status") or "pending")}
        for entry in found
        if entry.get("text")
    ]
