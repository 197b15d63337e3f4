"""The `http` runtime: one request for each message, the answer's body is the agent's. Only for agents an administrator
allowed it for: the request stands in the agent's command.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from pal_daemon.runtimes.base import CannotStart, Capabilities, Context, Discovery, LaunchSpec, Reader, Surroundings
from pal_daemon.runtimes.http.request_line import fill, parse_request_line
from pal_daemon.runtimes.lean_environment import lean_environment
from pal_daemon.runtimes.profile import account_of, given_names
from pal_daemon.runtimes.program_lines import ProgramReader
from pal_server.contract.deliveries import Work

PROGRAM = Path(__file__).with_name("program.py")


class HttpRuntime:
    name = "http"
    capabilities = Capabilities()

    def discover(self, surroundings: Surroundings) -> Discovery:
        return Discovery(is_available=True, version="1")

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        agent = work.agent
        if not agent.command_allowed or not agent.command:
            raise CannotStart(
                "spawn", f"{agent.key} may make no requests: an administrator gives it one with --command"
            )
        try:
            line = parse_request_line(agent.command, env=account_of(work).env)
        except ValueError as error:
            raise CannotStart("spawn", f"the request of {agent.key} cannot be made: {error}") from error
        has_body = line.method not in ("GET", "DELETE")
        headers = {"Content-Type": "application/json", **line.headers} if has_body else dict(line.headers)
        task = {
            "method": line.method,
            "url": line.url,
            "headers": headers,
            "body": fill(line.body, _values(work, context)) if has_body else None,
            "timeout": line.timeout,
            "hosts": list(line.hosts),
        }
        return LaunchSpec(
            argv=(context.python, "-I", "-S", str(PROGRAM)),
            env=lean_environment(context.env, given=given_names(work)),
            is_env_whole=True,
            input=msgspec.json.encode(task) + b"\n",
            close_input=True,
        )

    def reader(self) -> Reader:
        return ProgramReader()


def _values(work: Work, context: Context) -> dict[str, object]:
    return {
        "prompt": work.prompt,
        "content": work.content,
        "agent": work.agent.key,
        "room": work.room_name,
        "topic": work.topic,
        "message": work.message,
        "run": context.run,
    }
