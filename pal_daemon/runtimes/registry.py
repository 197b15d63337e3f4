"""Which runtimes this installation has: the built-in ones and what other packages add under the entry point group
`pal.runtimes`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import entry_points

from pal_daemon.runtimes.base import Runtime

GROUP = "pal.runtimes"
BUILT_IN = {
    "demo": "pal_daemon.runtimes.demo:DemoRuntime",
    "command": "pal_daemon.runtimes.command:CommandRuntime",
    "http": "pal_daemon.runtimes.http.runtime:HttpRuntime",
    "manual": "pal_daemon.runtimes.manual:ManualRuntime",
    "openai": "pal_daemon.runtimes.openai.runtime:OpenAiRuntime",
    "claude-code": "pal_daemon.runtimes.claude_code.runtime:ClaudeCodeRuntime",
    "codex": "pal_daemon.runtimes.codex.runtime:CodexRuntime",
    "gemini": "pal_daemon.runtimes.gemini:GeminiRuntime",
    "opencode": "pal_daemon.runtimes.opencode:OpenCodeRuntime",
    "cursor": "pal_daemon.runtimes.cursor:CursorRuntime",
    "acp": "pal_daemon.runtimes.acp:AnyAcpRuntime",
}
# Known by name. What a person has to install before an agent of this runtime can work; see `discovery`.
REMEDIES = {
    "claude-code": ("claude", "npm install -g @anthropic-ai/claude-code"),
    "codex": ("codex", "npm install -g @openai/codex"),
    "gemini": ("gemini", "npm install -g @google/gemini-cli"),
    "opencode": ("opencode", "npm install -g opencode-ai"),
    "cursor": ("agent", "curl https://cursor.com/install -fsS | bash"),
    "acp": ("", "give the agent an account with --bin, the program that speaks ACP"),
    "openai": ("", "give the agent an account with the endpoint's address"),
    "neeko": ("neeko", "no public program exists yet"),
    "coco": ("coco", "no public program exists yet"),
}

log = logging.getLogger(__name__)


class Registry:
    """Runtimes by name. A plugin that cannot be loaded is logged and missing, never fatal."""

    def __init__(self, runtimes: dict[str, Runtime]) -> None:
        self._runtimes = runtimes

    def __iter__(self) -> Iterator[Runtime]:
        return iter(self._runtimes.values())

    def get(self, name: str) -> Runtime | None:
        return self._runtimes.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._runtimes)


def load_registry() -> Registry:
    """The built-in runtimes, then plugins; a plugin may not replace a built-in one."""
    runtimes: dict[str, Runtime] = {}
    for name, where in BUILT_IN.items():
        module, _, attribute = where.partition(":")
        runtimes[name] = getattr(import_module(module), attribute)()
    for point in entry_points(group=GROUP):
        if point.name in runtimes:
            log.warning("a plugin named %s is ignored: the name is taken", point.name)
            continue
        runtime = _load(point.name, point.load)
        if runtime is not None:
            runtimes[point.name] = runtime
    return Registry(runtimes)


def missing_note(name: str) -> str:
    """What to tell a person whose agent's runtime is not here."""
    program, remedy = REMEDIES.get(name, ("", ""))
    if program:
        return f"the runtime {name} is not available on this computer; it needs the program {program}: {remedy}"
    if remedy:
        return f"the runtime {name} is not available on this computer: {remedy}"
    return f"no runtime named {name} is installed on this computer; install a package that provides it under {GROUP}"


def _load(name: str, load: Callable[[], object]) -> Runtime | None:
    try:
        made = load()
        runtime = made() if isinstance(made, type) else made
    except Exception:  # an edge: somebody else's code
        log.exception("the runtime plugin %s cannot be loaded", name)
        return None
    if not isinstance(runtime, Runtime):
        log.error("the runtime plugin %s is no runtime", name)
        return None
    return runtime
