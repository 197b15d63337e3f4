"""Which models Codex has. It knows no commands: a text that begins with a slash is only text to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pal_daemon.runtimes.codex.reader import FIRST, render_initialize
from pal_daemon.runtimes.jsonrpc import Failure, Result, parse_line, render_notice, render_request
from pal_daemon.runtimes.offer import ENTRIES, CannotTell, Model, Offer, Said, clip, talk

LIST = FIRST + 1


def read_offer(program: Path, *, arguments: Sequence[str], env: Mapping[str, str], folder: Path) -> Offer:
    """Raises CannotTell."""
    found: list[Offer] = []

    def react(line: bytes) -> bytes | None:
        match parse_line(line):
            case Result(id=id) if id == FIRST:
                return render_notice("initialized") + render_request(LIST, "model/list", {})
            case Result(id=id, result={"data": list(models)}) if id == LIST:
                found.append(Offer(models=tuple(_model(model) for model in models[:ENTRIES] if _is_shown(model))))
                raise Said
            case Failure(message=message):
                raise CannotTell(f"{program.name} says: {clip(message, limit=300)}")
        return None

    talk((program, "app-server", *arguments), env=env, folder=folder, first=render_initialize(), react=react)
    return found[0]


def _is_shown(model: object) -> bool:
    return isinstance(model, dict) and bool(model.get("id")) and not model.get("hidden")


def _model(model: Mapping[str, Any]) -> Model:
    efforts = model.get("supportedReasoningEfforts")
    words = [effort.get("reasoningEffort") for effort in efforts or () if isinstance(effort, dict)]
    return Model(
        id=clip(model["id"], limit=200),
        name=clip(model.get("displayName"), limit=200),
        efforts=tuple(clip(word, limit=50) for word in words[:20]),
        is_default=model.get("isDefault") is True,
    )
