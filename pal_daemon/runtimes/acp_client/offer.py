"""What an agent that speaks ACP offers: the answer to a session nobody says anything in, and the commands it tells
right after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pal_daemon.runtimes.acp_client.handshake import FIRST, render_initialize
from pal_daemon.runtimes.jsonrpc import (
    METHOD_NOT_FOUND,
    Failure,
    Notice,
    Request,
    Result,
    parse_line,
    render_error,
    render_request,
)
from pal_daemon.runtimes.offer import ENTRIES, TALK_FOR, CannotTell, Command, Model, Offer, Said, clip, talk

LOGIN, OPEN = FIRST + 1, FIRST + 2
COMMANDS_WITHIN = 3.0  # seconds after the session is there; agents tell theirs soon, or have none


class _Listener:
    def __init__(self, *, name: str, folder: Path, login: str | None) -> None:
        self._name = name
        self._folder = str(folder)
        self._login = login
        self.models: tuple[Model, ...] | None = None
        self.commands: tuple[Command, ...] | None = None
        self.is_open = False

    def wait_for(self) -> float:
        return COMMANDS_WITHIN if self.is_open else TALK_FOR

    def react(self, line: bytes) -> bytes | None:
        match parse_line(line):
            case Result(id=id, result=answer) if id == FIRST:
                offered = [one.get("id") for one in _objects(_part(answer, "authMethods"))]
                if self._login is not None and self._login in offered:
                    return render_request(LOGIN, "authenticate", {"methodId": self._login})
                return self._open()
            case Result(id=id) if id == LOGIN:
                return self._open()
            case Result(id=id, result=answer) if id == OPEN:
                self.is_open = True
                self.models = _models(answer)
                if self.commands is not None:
                    raise Said
            case Failure(message=message):
                raise CannotTell(f"{self._name} says: {clip(message, limit=300)}")
            case Request(id=id, method=method):
                return render_error(id, METHOD_NOT_FOUND, f"pal has no {method} here")
            case Notice(method="session/update", params={"update": {"availableCommands": list(commands)}}):
                self.commands = tuple(_command(one) for one in _objects(commands) if one.get("name"))
                if self.is_open:
                    raise Said
        return None

    def _open(self) -> bytes:
        return render_request(OPEN, "session/new", {"cwd": self._folder, "mcpServers": []})


def read_offer(argv: Sequence[str], *, env: Mapping[str, str], folder: Path, login: str | None) -> Offer:
    """Raises CannotTell. An agent that tells no commands soon has none to tell."""
    listener = _Listener(name=Path(argv[0]).name, folder=folder, login=login)
    try:
        talk(argv, env=env, folder=folder, first=render_initialize(), react=listener.react, wait_for=listener.wait_for)
    except CannotTell:
        if not listener.is_open:
            raise
    return Offer(models=listener.models, commands=listener.commands)


def _models(answer: object) -> tuple[Model, ...] | None:
    """By whichever way the agent offers them."""
    for option in _objects(_part(answer, "configOptions")):
        if option.get("category") == "model":
            values = _objects(option.get("options"))
            current = option.get("currentValue")
            return tuple(
                _model(value.get("value"), value.get("name"), current) for value in values if value.get("value")
            )
    models = _part(answer, "models")
    known = _objects(_part(models, "availableModels"))
    if not known:
        return None
    current = _part(models, "currentModelId")
    return tuple(_model(one.get("modelId"), one.get("name"), current) for one in known if one.get("modelId"))


def _model(id: object, name: object, current: object) -> Model:
    return Model(id=clip(id, limit=200), name=clip(name, limit=200), is_default=id == current)


def _command(command: Mapping[str, Any]) -> Command:
    hint = _part(command.get("input"), "hint")
    return Command(
        name=clip(command["name"], limit=200),
        description=clip(command.get("description")),
        hint=clip(hint, limit=200),
    )


def _part(given: object, name: str) -> object:
    return given.get(name) if isinstance(given, dict) else None


def _objects(given: object) -> list[dict[str, Any]]:
    return [part for part in given[:ENTRIES] if isinstance(part, dict)] if isinstance(given, list) else []
