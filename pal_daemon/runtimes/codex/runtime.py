"""The `codex` runtime: OpenAI's Codex, driven through its app-server.

The sandbox is Codex's own. What a mode allows is said to it for every turn: a plan mode alone binds only the model.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

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
from pal_daemon.runtimes.codex.offer import call_skill, read_offer
from pal_daemon.runtimes.codex.reader import CodexReader, Task, render_initialize
from pal_daemon.runtimes.codex.transcript import retell
from pal_daemon.runtimes.codex.way_in import LOGIN, WAY_IN, home_in
from pal_daemon.runtimes.git_folders import commit_folders
from pal_daemon.runtimes.lean_environment import lean_environment
from pal_daemon.runtimes.offer import CannotTell, Offer
from pal_daemon.runtimes.pictures import pictures_of
from pal_daemon.runtimes.profile import Account, Mode, account_of, given_names, mode_of
from pal_daemon.runtimes.program_probe import VersionProbe, need_program, need_version
from pal_daemon.runtimes.shelf import Shelf
from pal_server.contract.deliveries import Work

PROGRAM = "codex"
REMEDY = "npm install -g @openai/codex"
OLDEST = (0, 160)  # experimental parts of the app-server that pal uses are younger than its name
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra")
QUIET = ("check_for_update_on_startup=false", "analytics.enabled=false", "feedback.enabled=false")
APPROVALS = {
    Mode.ASK: "untrusted",  # all but reading is asked; what a person allows runs outside of the sandbox
    Mode.ACCEPT_EDITS: "untrusted",
    Mode.AUTO: "on-request",  # the model asks for what its sandbox does not let it do
    Mode.BYPASS: "never",
    Mode.READ_ONLY: "never",
    Mode.PLAN: "never",
}
SANDBOXES = {Mode.BYPASS: "danger-full-access", Mode.READ_ONLY: "read-only", Mode.PLAN: "read-only"}
POLICIES = {
    "danger-full-access": "dangerFullAccess",
    "read-only": "readOnly",
    "workspace-write": "workspaceWrite",
}
# Its tools get what the agent gets, but for keys; without this `pal cli` would lose its run's token.
SHELL_ENVIRONMENT = {
    "inherit": "all",
    "ignore_default_excludes": True,
    "exclude": ["*_API_KEY", "*_SECRET", "*_SECRET_KEY", "*_ACCESS_KEY", "*_PASSWORD"],
}


class CodexRuntime:
    name = "codex"
    way_in = WAY_IN
    shelf = Shelf(
        skills=(".agents/skills", ".codex/skills"),
        home_skills=lambda env: (home_in(env) / "skills", Path(env.get("HOME", "/")) / ".agents" / "skills"),
    )
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
        sandbox=True,
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
        return read_offer(program, arguments=(*_quiet_words(), *_more(args)[0]), env=env, folder=folder)

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        account = account_of(work)
        env = _environment(work, account, context)
        program = need_program(account.bin or PROGRAM, path=env.get("PATH"), remedy=REMEDY)
        need_version(self._versions.read(program, env=env), at_least=OLDEST, program=program, remedy=REMEDY)
        return LaunchSpec(
            argv=(str(program), "app-server", *_quiet_words(), *_more(account.args)[0]),
            env=env,
            is_env_whole=True,
            input=render_initialize(),
            memo=msgspec.to_builtins(_task(work, context)),
        )

    def interactive(self, work: Work, context: Context) -> LaunchSpec:
        account = account_of(work)
        env = _environment(work, account, context)
        program = need_program(account.bin or PROGRAM, path=env.get("PATH"), remedy=REMEDY)
        session = work.native_session
        if session is None or not _rollouts(session, env):
            raise CannotStart("spawn", f"the conversation of {work.agent.key} is gone from this computer")
        words = [str(program), "resume", session, *_quiet_words(), *_words(_terminal_settings(work, context))]
        words += ["--model", work.agent.model] if work.agent.model else []
        return LaunchSpec(argv=(*words, *_more(account.args)[0]), env=env, is_env_whole=True)

    def reader(self) -> Reader:
        return CodexReader()

    def retell(self, session: str, *, env: Mapping[str, str], since: int, until: int) -> Iterator[Retold]:
        for file in _rollouts(session, env):
            yield from retell(file, since=since, until=until)


def _rollouts(session: str, env: Mapping[str, str]) -> list[Path]:
    """The program's own records of a session; its id is never part of a pattern unless it is one."""
    if not session.replace("-", "").isalnum():
        return []
    return list(home_in(env).glob(f"sessions/*/*/*/rollout-*-{session}.jsonl"))


def _environment(work: Work, account: Account, context: Context) -> dict[str, str]:
    has_account = work.agent.account is not None or bool(account.home or account.env)
    env = lean_environment(context.env, given=given_names(work), own=() if has_account else LOGIN)
    if account.home:
        env["CODEX_HOME"] = os.path.expanduser(account.home)
    env["TMPDIR"] = str(context.scratch)
    return env


def _terminal_settings(work: Work, context: Context) -> dict[str, Any]:
    """What a run's thread and turns are told, by the names of the program's configuration.

    In a terminal the program has no policy `untrusted` (0.169: "no longer supported"). Where commands are to be asked
    it may only read by itself there, and asks the person in front of it for more.
    """
    sandbox, approval = _limits(work, mode_of(work))
    if approval == "untrusted":
        sandbox, approval = "read-only", "on-request"
    settings: dict[str, Any] = {"sandbox_mode": sandbox, "approval_policy": approval}
    policy = _turn(work, context, sandbox=sandbox, approval=approval)["sandboxPolicy"]
    if sandbox == "workspace-write":
        settings["sandbox_workspace_write.network_access"] = policy["networkAccess"]
        settings["sandbox_workspace_write.writable_roots"] = policy["writableRoots"]
    return settings | {f"shell_environment_policy.{name}": value for name, value in SHELL_ENVIRONMENT.items()}


def _words(settings: Mapping[str, Any]) -> list[str]:
    """JSON's words, numbers and lists are TOML's, too."""
    return [
        word for name, value in settings.items() for word in ("-c", f"{name}={json.dumps(value, ensure_ascii=False)}")
    ]


def _more(args: Sequence[str]) -> tuple[list[str], list[Path]]:
    """An account's arguments without `--add-dir DIR`, and those folders: the program's server does not know that flag,
    and what may be written is told to it with each turn.
    """
    rest: list[str] = []
    folders: list[Path] = []
    words = iter(args)
    for word in words:
        flag, is_joined, folder = word.partition("=")
        if flag == "--add-dir" and (folder := folder if is_joined else next(words, "")):
            folders.append(Path(folder).expanduser())
        else:
            rest.append(word)
    return rest, folders


def _quiet_words() -> tuple[str, ...]:
    return tuple(word for setting in QUIET for word in ("-c", setting))


def _task(work: Work, context: Context) -> Task:
    mode, effort, notices = mode_of(work), work.agent.effort, []
    if effort is not None and effort not in EFFORTS:
        notices.append(f"The effort {effort} is none Codex knows, so it was left out.")
        effort = None
    if context.missing:
        notices.append(NOT_HERE.format(", ".join(context.missing)))
    sandbox, approval = _limits(work, mode)
    return Task(
        prompt=work.prompt if work.slash is None else work.prompt + call_skill(work.slash),
        thread={
            "cwd": str(context.folder),
            "approvalPolicy": approval,
            "sandbox": sandbox,
            "config": {"shell_environment_policy": SHELL_ENVIRONMENT, **_servers(context)},
            **({"model": work.agent.model} if work.agent.model else {}),
        },
        turn=_turn(work, context, sandbox=sandbox, approval=approval),
        approved=_turn(work, context, sandbox="workspace-write", approval=APPROVALS[Mode.ASK]),
        session=work.native_session,
        recap=work.recap,
        model=work.agent.model,
        effort=effort,
        mode=mode,
        notices=notices,
        pictures=[picture.path for picture in pictures_of(work)],
        skills=None if context.skills is None else str(context.skills / ".claude" / "skills"),
    )


def _servers(context: Context) -> dict[str, Any]:
    """Servers of tools. What pal's own can do the agent may do anyway, so it is not asked about."""
    servers: dict[str, dict[str, Any]] = {
        name: {"command": argv[0], "args": list(argv[1:])} for name, argv in context.servers.items()
    }
    if "pal" in servers:
        servers["pal"]["default_tools_approval_mode"] = "approve"
    return {"mcp_servers": servers} if servers else {}


def _limits(work: Work, mode: Mode) -> tuple[str, str]:
    """Sandbox and approval policy: the agent's own settings, where its mode leaves a choice."""
    settings = work.agent.settings
    sandbox, approval = SANDBOXES.get(mode, "workspace-write"), APPROVALS[mode]
    if mode.is_locked or mode is Mode.BYPASS:
        return sandbox, approval
    wanted = settings.get("sandbox")
    if wanted in ("read-only", "workspace-write"):
        sandbox = str(wanted)
    if settings.get("approval") in ("untrusted", "on-request"):
        approval = str(settings["approval"])
    return sandbox, approval


def _turn(work: Work, context: Context, *, sandbox: str, approval: str) -> dict[str, Any]:
    policy: dict[str, Any] = {"type": POLICIES[sandbox]}
    if sandbox == "workspace-write":
        more = _more(account_of(work).args)[1]
        committed = [part for folder in (context.folder, *more) for part in commit_folders(folder)]
        policy["writableRoots"] = [str(folder) for folder in (*more, *committed)]
        policy["networkAccess"] = bool(work.agent.settings.get("network", False))
    return {"approvalPolicy": approval, "sandboxPolicy": policy}
