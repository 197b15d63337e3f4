"""The `cursor` runtime: Cursor CLI over ACP.

Its program cannot be installed from a package registry and needs its maker's service, so it is tested with lines from
its documentation alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from pal_daemon.runtimes.acp_client.dialect import Dialect
from pal_daemon.runtimes.acp_client.runtime import AcpRuntime
from pal_daemon.runtimes.base import Capabilities
from pal_daemon.runtimes.profile import Mode


class CursorRuntime(AcpRuntime):
    name = "cursor"
    programs = ("cursor-agent", "agent")  # the longer name cannot be somebody else's
    arguments = ("acp",)
    remedy = "curl https://cursor.com/install -fsS | bash"
    capabilities = Capabilities(
        resume=True, interrupt=True, permissions=True, questions=True, plan=True, tool_events=True
    )
    dialect = Dialect(
        modes={Mode.ASK: ("agent",), Mode.READ_ONLY: ("ask", "plan"), Mode.PLAN: ("plan",)},
    )
    login = ("CURSOR_API_KEY", "CURSOR_AUTH_TOKEN")

    def login_method(self, env: Mapping[str, str]) -> str | None:
        return "cursor_login"
