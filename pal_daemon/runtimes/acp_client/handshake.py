"""From `initialize` to the prompt: which requests of ours bring an agent there, one after the other. Pure.

A session that cannot be continued is followed by a fresh one, with a word about it. A model the agent does not know
ends the run, because going on with another one would be a lie; an effort it does not know is dropped with a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from pal_daemon.runtimes.acp_client.dialect import Dialect
from pal_daemon.runtimes.afresh import begun_afresh
from pal_daemon.runtimes.base import Event
from pal_daemon.runtimes.capping import cap_text
from pal_daemon.runtimes.jsonrpc import Failure, Result, render_request
from pal_daemon.runtimes.profile import Mode
from pal_daemon.runtimes.program_probe import parse_version

PROTOCOL = 1
FIRST = 1  # id of the first request; it is what stdin begins with
AUTH_REQUIRED = -32000
NOTICE_CHARS = 2000


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The memo: what the reader has to know of the work."""

    prompt: str
    recap: str = ""  # told before the prompt in a fresh conversation in place of an earlier one
    is_command: bool = False  # of the agent's own: it may begin with a slash
    folder: str
    login: str | None = None  # the `authenticate` method wanted before a session, if the agent offers it
    session: str | None = None  # the agent's own id of the conversation to go on with
    fresh_because: str | None = None  # why that conversation is not continued, when we know before we ask
    model: str | None = None
    effort: str | None = None
    mode: Mode = Mode.ASK
    servers: list[dict[str, Any]] = []  # of tools, as `session/new` takes them
    notices: list[str] = []
    pictures: list[dict[str, str]] = []  # blocks of the prompt, where the agent takes them


class HandshakeFailed(Exception):
    """There will be no turn. `kind` is a word of `Run.error_kind`."""

    def __init__(self, message: str, *, kind: str = "agent") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to be made; `what` says how its answer is understood."""

    what: str
    method: str
    params: dict[str, Any]


def render_initialize() -> bytes:
    """No file system and no terminal of ours: the agent works on its own."""
    return render_request(
        FIRST,
        "initialize",
        {
            "protocolVersion": PROTOCOL,
            "clientInfo": {"name": "pal", "title": "pal", "version": "1"},
            "clientCapabilities": {
                "fs": {"readTextFile": False, "writeTextFile": False},
                "terminal": False,
                "elicitation": {"form": {}},
            },
        },
    )


WORD_JOINER = "\u2060"
PATH_MARK = re.compile(r"(?<!\w)@(?=\S)")


def safe_prompt(text: str, dialect: Dialect, *, is_command: bool = False) -> str:
    """Text that is only text: some agents run what begins with a slash, and some read files named with an @.

    The character put behind such an @ is seen by nobody and keeps it from being followed by a path.
    """
    if dialect.inlines_paths:
        text = PATH_MARK.sub(f"@{WORD_JOINER}", text)
    is_mistaken = text.lstrip().startswith("/") and not is_command
    return f"This is a message, not a command:\n{text}" if is_mistaken else text


class Handshake:
    """Fed with the answers to its own calls, in order; `calls` come out, then the session is ready."""

    def __init__(self, task: Task, dialect: Dialect) -> None:
        self.session: str | None = None
        self.can_steer = False  # by the extension `_session/steering`
        self.version = ""
        self.is_resumed = False
        self.is_fresh = False  # although an earlier conversation was wanted
        self.model: str | None = None
        self._task = task
        self._dialect = dialect
        self._agent: Mapping[str, Any] = {}
        self._settings: list[Call] = []

    @property
    def takes_pictures(self) -> bool:
        return bool(_dig(self._agent, "agentCapabilities", "promptCapabilities", "image"))

    def begun(self, answer: Result | Failure) -> tuple[list[Event], Call]:
        """After `initialize`. Raises HandshakeFailed."""
        if isinstance(answer, Failure):
            raise HandshakeFailed(f"the agent refused to begin: {answer.message}")
        self._agent = answer.result if isinstance(answer.result, dict) else {}
        version = self._agent.get("protocolVersion")
        if version != PROTOCOL:
            raise HandshakeFailed(f"the agent speaks version {version} of the protocol, pal {PROTOCOL}")
        self.can_steer = bool(_dig(self._agent, "_meta", "steering", "supported"))
        info = _dig(self._agent, "agentInfo")
        self.version = str(info.get("version") or "") if isinstance(info, dict) else ""
        self._check_age()
        event = Event(
            kind="status",
            data={
                "state": "session",
                "program": str(info.get("name") or "") if isinstance(info, dict) else "",
                "version": self.version,
            },
        )
        notices = [_notice(text) for text in self._task.notices]
        login = self._task.login
        if login is not None and login in _ids(self._agent.get("authMethods")):
            return [event, *notices], Call(what="login", method="authenticate", params={"methodId": login})
        events, call = self.opening()
        return [event, *notices, *events], call

    def opening(self) -> tuple[list[Event], Call]:
        """The session: continued where that is possible."""
        wanted = self._task.session
        events = []
        if wanted is None and self._task.fresh_because:
            events.append(self._fresh(self._task.fresh_because))
        if wanted is not None and _dig(self._agent, "agentCapabilities", "sessionCapabilities", "resume") is not None:
            return events, self._open("session/resume", wanted)
        if wanted is not None and _dig(self._agent, "agentCapabilities", "loadSession"):
            return events, self._open("session/load", wanted)
        if wanted is not None:
            events.append(self._fresh("this agent cannot continue a conversation"))
        return events, self._open("session/new", None)

    def opened(self, answer: Result | Failure, *, wanted: str | None) -> tuple[list[Event], Call | None]:
        """After the session was asked for; None when nothing is to be set. Raises HandshakeFailed."""
        if isinstance(answer, Failure):
            if wanted is None:
                is_auth = answer.code in (AUTH_REQUIRED, 401, 403)
                raise HandshakeFailed(f"no session: {answer.message}", kind="auth" if is_auth else "agent")
            return [self._fresh(answer.message)], self._open("session/new", None)
        told = answer.result if isinstance(answer.result, dict) else {}
        self.is_resumed = wanted is not None
        self.session = wanted or str(told.get("sessionId") or "")
        if not self.session:
            raise HandshakeFailed("the agent gave its session no name")
        if _has_no_models(told):
            raise HandshakeFailed("the agent has no model to choose: nobody is logged in", kind="auth")
        events = self._plan_settings(told)
        return events, self.next_setting()

    def next_setting(self) -> Call | None:
        return self._settings.pop(0) if self._settings else None

    def set(self, answer: Result | Failure, *, what: str) -> list[Event]:
        """After a setting. Raises HandshakeFailed for a model that is not there."""
        if isinstance(answer, Result):
            return []
        if what == "model":
            raise HandshakeFailed(f"the agent does not take the model {self._task.model}: {answer.message}")
        return [_notice(f"The {what} was not taken: {answer.message}")]

    def _check_age(self) -> None:
        found = parse_version(self.version)
        if found and self._dialect.oldest and found < self._dialect.oldest:
            oldest = ".".join(str(number) for number in self._dialect.oldest)
            raise HandshakeFailed(
                f"the program is too old: it is {self.version}, pal needs {oldest} or newer", kind="old_program"
            )

    def _open(self, method: str, session: str | None) -> Call:
        params: dict[str, Any] = {"cwd": self._task.folder, "mcpServers": self._task.servers}
        if session is not None:
            params["sessionId"] = session
        return Call(what="open" if session is None else "continue", method=method, params=params)

    def _plan_settings(self, told: Mapping[str, Any]) -> list[Event]:
        """Model, effort and mode, by whichever way the agent offers."""
        events: list[Event] = []
        options = [option for option in told.get("configOptions") or () if isinstance(option, dict)]
        by_category = {option.get("category"): option for option in reversed(options)}
        models = told.get("models") if isinstance(told.get("models"), dict) else None
        model = by_category.get("model")
        self.model = str((model or {}).get("currentValue") or (models or {}).get("currentModelId") or "") or None
        if self._task.model and self._task.model != self.model:
            events += self._plan_model(model, has_models=models is not None)
        if self._task.effort:
            events += self._plan_effort(by_category.get("thought_level"))
        events += self._plan_mode(told, by_category.get("mode"))
        return events

    def _plan_model(self, option: Mapping[str, Any] | None, *, has_models: bool) -> list[Event]:
        if option is not None:
            self._settings.append(self._config("model", option, self._task.model))
        elif has_models:
            params = {"sessionId": self.session, "modelId": self._task.model}
            self._settings.append(Call(what="model", method="session/set_model", params=params))
        else:
            return [_dropped("model", self._task.model, "this agent offers no choice of models")]
        self.model = self._task.model
        return []

    def _plan_effort(self, option: Mapping[str, Any] | None) -> list[Event]:
        if option is None:
            return [_dropped("effort", self._task.effort, "this agent has no such setting")]
        known = [value.get("value") for value in option.get("options") or () if isinstance(value, dict)]
        if self._task.effort not in known:
            return [_dropped("effort", self._task.effort, f"it knows {', '.join(map(str, known))}")]
        self._settings.append(self._config("effort", option, self._task.effort))
        return []

    def _plan_mode(self, told: Mapping[str, Any], option: Mapping[str, Any] | None) -> list[Event]:
        """The agent's mode for the policy. Without one the policy still holds: what it forbids is refused by us."""
        modes = told.get("modes") if isinstance(told.get("modes"), dict) else None
        if modes is not None:
            known, current = _ids(modes.get("availableModes")), modes.get("currentModeId")
        elif option is not None:
            known = [str(value.get("value")) for value in option.get("options") or () if isinstance(value, dict)]
            current = option.get("currentValue")
        else:
            return []
        wanted = next((mode for mode in self._dialect.modes.get(self._task.mode, ()) if mode in known), None)
        if wanted is None or wanted == current:
            return []
        if modes is not None:
            params = {"sessionId": self.session, "modeId": wanted}
            self._settings.append(Call(what="mode", method="session/set_mode", params=params))
        elif option is not None:
            self._settings.append(self._config("mode", option, wanted))
        return []

    def _fresh(self, reason: str) -> Event:
        self.is_fresh = True
        return begun_afresh(reason, has_recap=bool(self._task.recap))

    def _config(self, what: str, option: Mapping[str, Any], value: str | None) -> Call:
        params = {"sessionId": self.session, "configId": option.get("id"), "value": value}
        return Call(what=what, method="session/set_config_option", params=params)


def _has_no_models(told: Mapping[str, Any]) -> bool:
    """It offers a choice and nothing to choose from."""
    options = told.get("configOptions")
    choices = [option for option in options if isinstance(option, dict)] if isinstance(options, list) else []
    return any(option.get("category") == "model" and option.get("options") == [] for option in choices)


def _dropped(what: str, value: str | None, reason: str) -> Event:
    return _notice(f"The {what} {value} was dropped: {reason}.")


def _notice(text: str) -> Event:
    return Event(kind="status", text=cap_text(text, limit=NOTICE_CHARS), data={"state": "notice"})


def _ids(given: object) -> list[str]:
    return [str(part.get("id")) for part in given if isinstance(part, dict)] if isinstance(given, list) else []


def _dig(given: Any, *names: str) -> Any:
    for name in names:
        given = given.get(name) if isinstance(given, dict) else None
    return given
