"""The `gemini` runtime: Google's Gemini CLI over ACP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pal_daemon.runtimes.acp_dialect import Dialect, SecondPrompt
from pal_daemon.runtimes.acp_runtime import AcpRuntime, home_of
from pal_daemon.runtimes.base import Capabilities
from pal_daemon.runtimes.profile import Account
from pal_server.contract.deliveries import Work

SETTINGS = Path(__file__).with_name("gemini_settings.json")  # these win over the user's
MINUTE = "%Y-%m-%dT%H-%M"  # as in the names of its session files


class GeminiRuntime(AcpRuntime):
    name = "gemini"
    programs = ("gemini",)
    arguments = ("--acp",)
    remedy = "npm install -g @google/gemini-cli"
    oldest = (0, 60)  # older ones know no --acp
    capabilities = Capabilities(resume=True, interrupt=True, permissions=True, plan=True, tool_events=True, usage=True)
    dialect = Dialect(
        second_prompt=SecondPrompt.REPLACES,
        noise=re.compile(r"\[MODE_UPDATE\] \w+"),  # a change of mode leaks into the answer
    )
    login = (
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
    quiet = {
        "GEMINI_CLI_NO_RELAUNCH": "true",  # one process instead of two, and signals work
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
        "GEMINI_CLI_SYSTEM_SETTINGS_PATH": str(SETTINGS),
    }

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._now = now

    def command(self, work: Work, account: Account, env: Mapping[str, str]) -> tuple[str, ...]:
        words = super().command(work, account, env)
        return (*words, "-m", work.agent.model) if work.agent.model else words

    def environment(self, work: Work, account: Account) -> dict[str, str]:
        home = home_of(account)
        return {} if home is None else {"GEMINI_CLI_HOME": home}

    def session(self, work: Work, env: Mapping[str, str]) -> tuple[str | None, str | None]:
        """Only a session file that is there and not of this very minute: within its first minute the program fails to
        load a session and empties its file.
        """
        native = work.native_session
        if native is None:
            return None, None
        home = Path(env.get("GEMINI_CLI_HOME") or env.get("HOME", "/")) / ".gemini"
        files = list(home.glob(f"tmp/*/chats/session-*-{native[:8]}.jsonl")) if native[:8].isalnum() else []
        if not files:
            return None, "its record is gone from this computer"
        minute = self._now().strftime(MINUTE)
        if any(minute in file.name for file in files):
            return None, "it began less than a minute ago, and Gemini CLI would damage its record"
        return native, None
