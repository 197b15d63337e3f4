"""The `claude-code` runtime: Anthropic's Claude Code, driven by stream-json both ways with permissions on stdio."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from pal_daemon.runtimes.afresh import remind
from pal_daemon.runtimes.base import (
    NOT_HERE,
    CannotStart,
    Capabilities,
    Context,
    Discovery,
    LaunchSpec,
    Reader,
    Retold,
    Surroundings,
)
from pal_daemon.runtimes.claude_code import control
from pal_daemon.runtimes.claude_code.leftovers import remove_leftovers
from pal_daemon.runtimes.claude_code.offer import read_offer
from pal_daemon.runtimes.claude_code.reader import ClaudeReader
from pal_daemon.runtimes.claude_code.transcript import retell
from pal_daemon.runtimes.claude_code.way_in import LOGIN, QUIET, WAY_IN, home_in
from pal_daemon.runtimes.lean_environment import lean_environment
from pal_daemon.runtimes.offer import CannotTell, Offer
from pal_daemon.runtimes.pictures import pictures_of
from pal_daemon.runtimes.profile import Account, Mode, account_of, given_names, mode_of
from pal_daemon.runtimes.program_probe import VersionProbe, need_program, need_version
from pal_daemon.runtimes.shelf import Shelf
from pal_server.contract.deliveries import Work

PROGRAM = "claude"
REMEDY = "npm install -g @anthropic-ai/claude-code (with Node 22 or newer; an older one installs an older version)"
OLDEST = (2, 1, 300)  # knows `client_composed`; older ones run a message that begins with a slash as a command

PROTOCOL = (
    *("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
    *("--permission-prompt-tool", "stdio", "--include-partial-messages"),
    "--strict-mcp-config",  # a server in the project's .mcp.json would be started without asking
)
SETTINGS = {"useAutoModeDuringPlan": False}  # what a plan asks for comes to us, not to a classifier
# A key of its environment would be one of its tools', so it asks for it, by a program.
SHOW_KEY = "import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])"
TALKATIVE = {
    "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1",
    "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",
    "ENABLE_TOOL_SEARCH": "false",
}
# What the program reads of the daemon's own environment. Logins only for agents without an account of their own.
OWN = (
    *QUIET,
    "IS_SANDBOX",
    "CLAUDE_CODE_MAX_RETRIES",
    "BASH_DEFAULT_TIMEOUT_MS",
    "BASH_MAX_TIMEOUT_MS",
    "DISABLE_PROMPT_CACHING",
)
MODES = {
    Mode.ASK: "default",
    Mode.ACCEPT_EDITS: "acceptEdits",
    Mode.AUTO: "auto",
    Mode.BYPASS: "bypassPermissions",
    Mode.READ_ONLY: "default",  # the reader refuses; the tools that only write are not even offered
    Mode.PLAN: "plan",
}
WRITERS = "Edit,MultiEdit,Write,NotebookEdit"
EFFORTS = ("low", "medium", "high", "xhigh", "max")
GONE = "it is gone from this computer"


class ClaudeCodeRuntime:
    name = "claude-code"
    way_in = WAY_IN
    shelf = Shelf(skills=(".claude/skills",), home_skills=lambda env: (home_in(env) / "skills",))
    capabilities = Capabilities(
        resume=True,
        live_input=True,
        interrupt=True,
        permissions=True,
        questions=True,
        plan=True,
        images=True,
        tool_events=True,
        usage=True,
        effort=True,
        skills=True,
        servers=True,
        terminal=True,
    )

    def __init__(self) -> None:
        self._versions = VersionProbe()

    def discover(self, surroundings: Surroundings) -> Discovery:
        return self._versions.discover((PROGRAM,), surroundings, oldest=OLDEST, remedy=REMEDY)

    def offer(self, program: Path | None, *, env: Mapping[str, str], folder: Path, args: Sequence[str]) -> Offer:
        if program is None:
            raise CannotTell(f"{PROGRAM} is not on this computer: {REMEDY}")
        return read_offer(program, protocol=(*PROTOCOL, *_settled(), *args), env=env, folder=folder)

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        account = account_of(work)
        env = _environment(work, account, context)
        program = need_program(account.bin or PROGRAM, path=env.get("PATH"), remedy=REMEDY)
        need_version(self._versions.read(program, env=env), at_least=OLDEST, program=program, remedy=REMEDY)
        mode = mode_of(work)
        _need_leave(mode, work, env)
        notices: list[str] = []
        lost: dict[str, object] | None = None
        prompt = work.prompt
        session, is_fresh = _session(work, env)
        if is_fresh and work.native_session is not None:
            lost = {"reason": GONE, "recap": bool(work.recap) and work.slash is None}
            prompt = remind(prompt, recap=work.recap)
        if remove_leftovers(context.folder):
            notices.append("hooks of an older system were taken out of .claude/settings.local.json")
        effort = work.agent.effort
        if effort is not None and effort not in EFFORTS:
            notices.append(f"the effort {effort} is none Claude Code knows, so it was left out")
            effort = None
        if context.missing:
            notices.append(NOT_HERE.format(", ".join(context.missing)))
        key = _key_program(work, account, context)
        words = [str(program), *PROTOCOL, *_settled(key), *_equipped(context), "--permission-mode", MODES[mode]]
        words += ["--session-id" if is_fresh else "--resume", session]
        words += ["--model", work.agent.model] if work.agent.model else []
        words += ["--effort", effort] if effort else []
        words += ["--disallowedTools", WRITERS] if mode is Mode.READ_ONLY else []
        name = control.name_input(context.run, "launch")
        said = control.render_text(prompt, uuid=name, pictures=pictures_of(work))
        if work.slash is not None:
            said = control.render_command(work.slash, uuid=name)
        return LaunchSpec(
            argv=(*words, *account.args),
            env=env,
            is_env_whole=True,
            input=control.render_initialize() + said,
            memo={
                "run": context.run,
                "mode": mode,
                "model": work.agent.model,
                "effort": effort,
                "notices": notices,
                "lost": lost,
            },
        )

    def interactive(self, work: Work, context: Context) -> LaunchSpec:
        account = account_of(work)
        env = _environment(work, account, context)
        program = need_program(account.bin or PROGRAM, path=env.get("PATH"), remedy=REMEDY)
        session, is_fresh = _session(work, env)
        if is_fresh:
            raise CannotStart("spawn", f"the conversation of {work.agent.key} is gone from this computer")
        mode = mode_of(work)
        _need_leave(mode, work, env)
        words = [str(program), "--resume", session, "--strict-mcp-config", "--permission-mode", MODES[mode]]
        words += _settled(key) if (key := _key_program(work, account, context)) else []
        words += ["--model", work.agent.model] if work.agent.model else []
        words += ["--effort", work.agent.effort] if work.agent.effort in EFFORTS else []
        words += ["--disallowedTools", WRITERS] if mode is Mode.READ_ONLY else []
        return LaunchSpec(argv=(*words, *account.args), env=env, is_env_whole=True)

    def reader(self) -> Reader:
        return ClaudeReader()

    def retell(self, session: str, *, env: Mapping[str, str], since: int, until: int) -> Iterator[Retold]:
        if _is_uuid(session):
            for file in home_in(env).glob(f"projects/*/{session}.jsonl"):
                yield from retell(file, since=since, until=until)


def _need_leave(mode: Mode, work: Work, env: Mapping[str, str]) -> None:
    """The program does not start as root when nothing is to be asked, unless it is told that it is in a sandbox."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if mode is Mode.BYPASS and is_root and env.get("IS_SANDBOX") != "1" and not work.agent.settings.get("isolation"):
        raise CannotStart(
            "spawn",
            "Claude Code does not run as root in the mode bypass: run the daemon as another user, take another mode, or"
            " set IS_SANDBOX=1 in the agent's account where nothing on this computer is worth keeping",
        )


def _settled(key_program: str | None = None) -> list[str]:
    return ["--settings", json.dumps(SETTINGS | ({"apiKeyHelper": key_program} if key_program else {}))]


def _key_program(work: Work, account: Account, context: Context) -> str | None:
    """What tells the program a key that is kept on this computer; None without one.

    Not where it is isolated: it may not see our file there.
    """
    if account.key_file is None or WAY_IN.key not in account.key_names or work.agent.settings.get("isolation"):
        return None
    return shlex.join((context.python, "-I", "-S", "-c", SHOW_KEY, account.key_file, WAY_IN.key))


def _equipped(context: Context) -> list[str]:
    """The profile's skills and tool servers, as the program takes them."""
    words = ["--add-dir", str(context.skills)] if context.skills is not None else []
    if context.servers:
        servers = {name: {"command": argv[0], "args": list(argv[1:])} for name, argv in context.servers.items()}
        words += ["--mcp-config", json.dumps({"mcpServers": servers})]
    return words


def _environment(work: Work, account: Account, context: Context) -> dict[str, str]:
    has_account = work.agent.account is not None or bool(account.home or account.env)
    own = OWN if has_account else (*OWN, *LOGIN)
    env = lean_environment(context.env, given=given_names(work), own=own)
    if account.home:
        env["CLAUDE_CONFIG_DIR"] = os.path.expanduser(account.home)
    if WAY_IN.key is not None and _key_program(work, account, context) is not None:
        env.pop(WAY_IN.key, None)
    return env | QUIET | TALKATIVE | {"TMPDIR": str(context.scratch)}


def _session(work: Work, env: Mapping[str, str]) -> tuple[str, bool]:
    """The session to use and whether it is a new one: what cannot be resumed would fail the run."""
    native = work.native_session
    if native is not None and _is_uuid(native) and _has_transcript(native, env):
        return native, False
    return str(uuid4()), True


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _has_transcript(session: str, env: Mapping[str, str]) -> bool:
    return any(_has_words(file) for file in home_in(env).glob(f"projects/*/{session}.jsonl"))


def _has_words(file: Path) -> bool:
    """Whether it has a message: to the program one without is no conversation, today and for ever."""
    try:
        with file.open("rb") as lines:  # one by one: the first message is near the beginning of much
            return any(_type_of(line) in ("user", "assistant") for line in lines)
    except OSError:
        return False


def _type_of(line: bytes) -> object:
    try:
        return msgspec.json.decode(line, type=dict[str, object]).get("type")
    except (msgspec.MsgspecError, RecursionError):
        return None
