"""The `cursor` runtime: Cursor CLI over ACP.

Its program cannot be installed from a package registry and needs its maker's service, so it is tested with lines from
its documentation alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pal_daemon.runtimes.acp_client.dialect import Dialect
from pal_daemon.runtimes.acp_client.runtime import AcpRuntime
from pal_daemon.runtimes.base import Capabilities
from pal_daemon.runtimes.profile import Mode
from pal_daemon.runtimes.way_in import BY_KEY, OUT, UNKNOWN, Login, Seen, WayIn, ask_program, key_in

LOGIN = ("CURSOR_API_KEY", "CURSOR_AUTH_TOKEN")


class CursorRuntime(AcpRuntime):
    name = "cursor"
    programs = ("cursor-agent", "agent")  # the longer name cannot be somebody else's
    arguments = ("acp",)
    remedy = "curl https://cursor.com/install -fsS | bash"
    capabilities = Capabilities(
        resume=True, interrupt=True, permissions=True, questions=True, plan=True, images=True, tool_events=True
    )
    dialect = Dialect(
        modes={Mode.ASK: ("agent",), Mode.READ_ONLY: ("ask", "plan"), Mode.PLAN: ("plan",)},
    )
    login = LOGIN
    way_in = WayIn(
        programs=("cursor-agent", "agent"),
        home=lambda home: {},  # it is not known to have a variable for that: accounts differ by their key
        look=lambda program, env: _look(program, env),
        key="CURSOR_API_KEY",
        begin=("login",),
        end=("logout",),
        reads=LOGIN,
    )

    def login_method(self, env: Mapping[str, str]) -> str | None:
        return "cursor_login"


def _look(program: Path | None, env: Mapping[str, str]) -> Seen:
    if key_in(env, *LOGIN):
        return BY_KEY
    answer = None if program is None else ask_program(program, "status", env=env)
    if answer is None:
        return UNKNOWN
    return Seen(login=Login.IN, method="subscription") if answer[0] == 0 and "Logged in" in answer[1] else OUT
