"""What Claude Code offers: the answer to its first request, without any model being asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pal_daemon.runtimes.claude_code import control
from pal_daemon.runtimes.offer import ENTRIES, CannotTell, Command, Model, Offer, Said, clip, talk


def read_offer(program: Path, *, protocol: Sequence[str], env: Mapping[str, str], folder: Path) -> Offer:
    """Raises CannotTell."""
    found: list[Offer] = []

    def react(line: bytes) -> None:
        try:
            said = msgspec.json.decode(line)
        except msgspec.MsgspecError:
            return
        match said:
            case {"type": "control_response", "response": {"request_id": control.INITIALIZE, "response": dict(answer)}}:
                found.append(_offer(answer))
                raise Said
            case {"type": "control_response", "response": {"request_id": control.INITIALIZE, "error": error}}:
                raise CannotTell(f"{program.name} says: {clip(error, limit=300)}")

    talk((program, *protocol), env=env, folder=folder, first=control.render_initialize(), react=react)
    return found[0]


def _offer(answer: Mapping[str, Any]) -> Offer:
    models = [
        Model(
            id=clip(model["value"], limit=200),
            name=clip(model.get("displayName"), limit=200),
            efforts=tuple(clip(word, limit=50) for word in model.get("supportedEffortLevels") or ())[:20],
            is_default=model["value"] == "default",
        )
        for model in _objects(answer.get("models"))
        if model.get("value")
    ]
    commands = [
        Command(
            name=clip(command["name"], limit=200),
            description=clip(command.get("description")),
            hint=clip(command.get("argumentHint"), limit=200),
        )
        for command in _objects(answer.get("commands"))
        if command.get("name")
    ]
    return Offer(models=tuple(models), commands=tuple(commands))


def _objects(given: object) -> list[dict[str, Any]]:
    return [part for part in given[:ENTRIES] if isinstance(part, dict)] if isinstance(given, list) else []
