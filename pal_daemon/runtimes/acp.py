"""The `acp` runtime: any program that speaks the Agent Client Protocol on stdin and stdout.

Which one it is says the agent's account (`--bin`), or the agent's command where an administrator allowed it to run
commands. What it can do is known once it has said so: a card or a steer it does not offer is refused then.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from pal_daemon.runtimes.acp_client.runtime import AcpRuntime
from pal_daemon.runtimes.base import CannotStart, Capabilities, Discovery, Surroundings
from pal_daemon.runtimes.profile import Account
from pal_daemon.runtimes.program_probe import need_program
from pal_server.contract.deliveries import Work


class AnyAcpRuntime(AcpRuntime):
    name = "acp"
    remedy = "install the program, or give the agent an account with --bin, the program that speaks ACP"
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
        servers=True,
    )

    def discover(self, surroundings: Surroundings) -> Discovery:
        return Discovery(is_available=True, note="every agent brings its own program")

    def command(self, work: Work, account: Account, env: Mapping[str, str]) -> tuple[str, ...]:
        words = (account.bin,) if account.bin else _split(work)
        program = need_program(words[0], path=env.get("PATH"), remedy=self.remedy)
        return (str(program), *words[1:])


def _split(work: Work) -> tuple[str, ...]:
    """The agent's command as a shell would split it. Raises CannotStart."""
    agent = work.agent
    if agent.command and not agent.command_allowed:
        raise CannotStart("spawn", f"{agent.key} may not run commands: an administrator has to allow it for this agent")
    try:
        words = tuple(shlex.split(agent.command or ""))
    except ValueError as error:
        raise CannotStart("spawn", f"the command of {agent.key} cannot be read: {error}") from error
    if not words or "\0" in (agent.command or ""):
        raise CannotStart("missing_program", f"{agent.key} has no program: {AnyAcpRuntime.remedy}")
    return words
