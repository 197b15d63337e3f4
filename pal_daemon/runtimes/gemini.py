"""The `gemini` runtime: Google's Gemini CLI over ACP."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from pal_daemon.runtimes.acp_client.dialect import Dialect, SecondPrompt
from pal_daemon.runtimes.acp_client.runtime import AcpRuntime, home_of
from pal_daemon.runtimes.base import Capabilities, Context
from pal_daemon.runtimes.gemini_settings import SHELL, settle, system_settings
from pal_daemon.runtimes.profile import Account
from pal_daemon.runtimes.shelf import Shelf
from pal_daemon.runtimes.way_in import BY_KEY, OUT, Login, Seen, WayIn, key_in, read_json
from pal_server.contract.deliveries import Work

HEAD = b'{"sessionId":'  # how the first line of a record begins
MINUTE = "%Y-%m-%dT%H-%M"  # as in the names of its session files


LOGIN = (
    "GEMINI_API_KEY",
    "GEMINI_CLI_HOME",
    "GOOGLE_API_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_GENAI_USE_GCA",
    "GOOGLE_GENAI_USE_VERTEXAI",
)
QUIET = {
    "GEMINI_CLI_NO_RELAUNCH": "true",  # one process instead of two, and signals work
    "GEMINI_CLI_TRUST_WORKSPACE": "true",
    "BASH_ENV": str(SHELL),  # read by the shells of its commands
    **system_settings(),
}
THROUGH = {"PAL_RUN_TOKEN": "GEMINI_CLI_PAL_TOKEN", "PAL_AGENT_KEY": "GEMINI_CLI_PAL_AGENT"}  # SHELL renames them


class GeminiRuntime(AcpRuntime):
    name = "gemini"
    programs = ("gemini",)
    arguments = ("--acp",)
    remedy = "npm install -g @google/gemini-cli"
    oldest = (0, 60)  # older ones know no --acp
    capabilities = Capabilities(
        resume=True,
        interrupt=True,
        permissions=True,
        plan=True,
        images=True,
        tool_events=True,
        usage=True,
        servers=True,
        terminal=True,
    )
    resuming = ("--resume",)
    way_in = WayIn(
        programs=("gemini",),
        home=lambda home: {"GEMINI_CLI_HOME": home},
        look=lambda program, env: _look(env),
        key="GEMINI_API_KEY",
        begin=(),
        quiet=QUIET,
        reads=LOGIN,
    )
    shelf = Shelf(
        skills=(".gemini/skills", ".agents/skills"),
        home_skills=lambda env: (_home(env) / "skills", _home(env).parent / ".agents" / "skills"),
    )
    dialect = Dialect(
        inlines_paths=False,
        second_prompt=SecondPrompt.REPLACES,
        replays_late=True,
        stays_with_servers=True,  # (0.61.0)
        noise=re.compile(r"\[MODE_UPDATE\] \w+"),  # a change of mode leaks into the answer
    )
    login = LOGIN
    quiet = QUIET

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._now = now

    def command(self, work: Work, account: Account, env: Mapping[str, str]) -> tuple[str, ...]:
        words = super().command(work, account, env)
        return (*words, "-m", work.agent.model) if work.agent.model else words

    def environment(self, work: Work, account: Account, context: Context) -> dict[str, str]:
        env = {of_shell: context.env[name] for name, of_shell in THROUGH.items() if name in context.env}
        home = home_of(account)
        if home is None:
            return env
        if account.is_home_ours:
            settle(Path(home))
        return env | {"GEMINI_CLI_HOME": home}

    def login_method(self, env: Mapping[str, str]) -> str | None:
        """A key alone is not taken: somebody has to have chosen to use it."""
        return "gemini-api-key" if not _chosen(env) and env.get("GEMINI_API_KEY") else None

    def session(self, work: Work, env: Mapping[str, str]) -> tuple[str | None, str | None]:
        """The session whose record is still there.

        A process that loads a session first begins a record of the same name, with the current minute in it, and so
        empties the one it is about to load when that is of this minute (0.61.0). A record of this minute is therefore
        made one of the minute before.

        What loading left behind is taken away before every start, whoever's it is: the program's own clean-up takes a
        record without a talk for a broken one and deletes all of the same name with it, the talk too (0.61.0).
        """
        _take_away_leftovers(_home(env))
        native = work.native_session
        if native is None:
            return None, None
        records = sorted(_home(env).glob(f"tmp/*/chats/session-*-{native[:8]}.jsonl")) if _is_uuid(native) else []
        if not records:
            return None, "its record is gone from this computer"
        now = self._now()
        first = records[0]
        minute = now.strftime(MINUTE)
        if minute in first.name:
            before = (now - timedelta(minutes=1)).strftime(MINUTE)
            first.rename(first.with_name(first.name.replace(minute, before)))
        return native, None


def _take_away_leftovers(home: Path) -> None:
    """Records in which nobody has said anything, beside one of the same session in which somebody has."""
    sessions: dict[tuple[Path, str], list[Path]] = {}
    for record in home.glob("tmp/*/chats/session-*.jsonl"):
        sessions.setdefault((record.parent, record.stem.rpartition("-")[2]), []).append(record)
    for records in sessions.values():
        silent = [record for record in records if len(records) > 1 and _is_silent(record)]
        for record in silent if len(silent) < len(records) else ():
            with contextlib.suppress(OSError):  # another user's: the program's clean-up cannot delete it either
                record.unlink()


def _is_silent(record: Path) -> bool:
    """Whether it holds only how its session began: a head, and the context that the program itself gives first."""
    try:
        with record.open("rb") as lines:
            return not any(_has_words(line) for line in lines)
    except OSError:  # somebody else took it away, or keeps it from us
        return False


def _has_words(line: bytes) -> bool:
    """Whether somebody may have said something in it. What is said is a line of its own, with an id, or one of several
    messages that are set at once; of those the program's own context is one, alone.
    """
    if line.startswith(HEAD):
        return False
    try:
        match json.loads(line):
            case {"$set": {"messages": [*messages]}}:
                return len(messages) > 1
            case {"$set": _}:
                return False
    except ValueError:  # cut short, or a newer form
        return True
    return True


def _look(env: Mapping[str, str]) -> Seen:
    """By its files: the program itself says it only by failing."""
    if (_home(env) / "oauth_creds.json").is_file():
        return Seen(login=Login.IN, method="subscription")
    return BY_KEY if _chosen(env) or key_in(env, "GEMINI_API_KEY", "GOOGLE_API_KEY") else OUT


def _chosen(env: Mapping[str, str]) -> bool:
    """Whether somebody has chosen in its settings how it logs in."""
    match read_json(_home(env) / "settings.json"):
        case {"security": {"auth": {"selectedType": chosen}}}:
            return bool(chosen)
        case _:
            return False


def _home(env: Mapping[str, str]) -> Path:
    return Path(env.get("GEMINI_CLI_HOME") or env.get("HOME", "/")) / ".gemini"


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
