"""Slack as a platform: what it can do, its limits, its credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pal_server.bridges.platform import (
    BadCredentials,
    BotSettings,
    CannotCreate,
    Capabilities,
    Checked,
    Connection,
    Credential,
    Limits,
    Shown,
)

from . import manifest
from .mrkdwn import render
from .posts import TEXT

APP_TOKEN = re.compile(r"xapp-\d+-([A-Z0-9]+)")


class Slack:
    name = "slack"
    label = "Slack"
    credentials = (
        Credential(name="bot_token", label="Bot User OAuth Token (xoxb-…)"),
        Credential(name="app_token", label="App-Level Token (xapp-…)"),
    )
    options = (
        Credential(
            name="test_channel", label="channel in which pal doctor may post and delete", secret=False, required=False
        ),
    )
    capabilities = Capabilities(forms=True, find=True, read_back=True)
    limits = Limits(text=TEXT, edit_every=1.2)
    working = "eyes"

    def measure(self, text: str) -> int:
        return len(render(text))

    def app_id(self, secrets: Mapping[str, str]) -> str:
        found = APP_TOKEN.match(secrets.get("app_token", ""))
        return found[1] if found is not None else ""

    async def check(self, bot: BotSettings) -> Checked:
        from .checking import check

        return await check(bot)

    async def open(self, bot: BotSettings) -> Connection:
        for name, begins in (("bot_token", "xoxb-"), ("app_token", "xapp-")):
            if not bot.secrets.get(name, "").startswith(begins):
                raise BadCredentials(f"the {name.replace('_', ' ')} of a Slack app begins with {begins}")
        from .connection import SlackConnection

        return SlackConnection(bot)

    def guide(self) -> str:
        return manifest.guide()

    async def create_app(self, name: str, *, base_url: str | None, show: Shown) -> Mapping[str, str]:
        """Slack makes apps from a manifest in the browser only; `guide` has it ready."""
        raise CannotCreate("a Slack app is made in the browser, from the manifest that the guide prints")
