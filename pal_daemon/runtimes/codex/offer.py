"""Which models Codex has, and which skills, which are what can be called by name: it knows no commands, and a text that
begins with a slash is only text to it. `call_skill` says how pal passes such a call on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pal_daemon.runtimes.codex.reader import FIRST, render_initialize
from pal_daemon.runtimes.jsonrpc import Failure, Result, parse_line, render_notice, render_request
from pal_daemon.runtimes.offer import ENTRIES, CannotTell, Command, Model, Offer, Said, clip, talk

MODELS, SKILLS = FIRST + 1, FIRST + 2


def read_offer(program: Path, *, arguments: Sequence[str], env: Mapping[str, str], folder: Path) -> Offer:
    """Raises CannotTell."""
    models: list[Model] = []
    commands: list[Command] = []

    def react(line: bytes) -> bytes | None:
        match parse_line(line):
            case Result(id=id) if id == FIRST:
                return render_notice("initialized") + render_request(MODELS, "model/list", {})
            case Result(id=id, result={"data": list(told)}) if id == MODELS:
                models.extend(_model(model) for model in told[:ENTRIES] if _is_shown(model))
                return render_request(SKILLS, "skills/list", {"cwds": [str(folder)]})
            case Result(id=id, result={"data": list(places)}) if id == SKILLS:
                commands.extend(_skills(places))
                raise Said
            case Failure(id=id) if id == SKILLS:  # an older one: its models are worth having all the same
                raise Said
            case Failure(message=message):
                raise CannotTell(f"{program.name} says: {clip(message, limit=300)}")
        return None

    talk((program, "app-server", *arguments), env=env, folder=folder, first=render_initialize(), react=react)
    return Offer(models=tuple(models), commands=tuple(commands))


def call_skill(slash: str) -> str:
    """What is added to a prompt so that the program uses the skill that a person called as a command."""
    name = slash.removeprefix("/").split(maxsplit=1)[0]
    return f"\nThe message calls a skill of yours: ${name}\n"


def _skills(places: list[object]) -> list[Command]:
    """Those that are switched on, of the folder, the home and the program itself."""
    found = [skill for place in places if isinstance(place, dict) for skill in place.get("skills") or ()]
    return [
        Command(name=clip(skill["name"], limit=200), description=clip(skill.get("description"), limit=500))
        for skill in found[:ENTRIES]
        if isinstance(skill, dict) and skill.get("name") and skill.get("enabled") is not False
    ]


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
