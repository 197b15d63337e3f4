"""DingTalk as a platform: what it can do, its limits, its credentials."""

from __future__ import annotations

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

from . import guide, markdown
from .posts import TEXT

ANSWERS = ("", "message", "card")


class DingTalk:
    name = "dingtalk"
    label = "DingTalk"
    credentials = (
        Credential(name="client_id", label="Client ID (AppKey, ding…)", secret=False),
        Credential(name="client_secret", label="Client Secret (AppSecret)"),
    )
    options = (
        Credential(name="robot_code", label="robot code, where it is not the Client ID", secret=False, required=False),
        Credential(name="card_template", label="a card template of your own (….schema)", secret=False, required=False),
        Credential(
            name="answers",
            label="message, or card: an answer that can be looked up when it is unsure whether it arrived",
            secret=False,
            required=False,
        ),
        Credential(name="test_user", label="user id of somebody pal doctor may write to", secret=False, required=False),
    )
    capabilities = Capabilities(edit_text=False, delete=False, threads=False, find=True)
    limits = Limits(text=TEXT, edit_every=2.0)
    working = "🤔Thinking"

    def measure(self, text: str) -> int:
        return markdown.measure(text)

    def app_id(self, secrets: Mapping[str, str]) -> str:
        return secrets.get("client_id", "")

    async def check(self, bot: BotSettings) -> Checked:
        from .checking import check

        return await check(bot)

    async def open(self, bot: BotSettings) -> Connection:
        if not bot.secrets.get("client_id") or not bot.secrets.get("client_secret"):
            raise BadCredentials("a DingTalk app has a Client ID and a Client Secret, and both are needed")
        if bot.options.get("answers", "") not in ANSWERS:
            raise BadCredentials('the answers of a DingTalk bot are "message" or "card"')
        from .connection import DingTalkConnection

        return DingTalkConnection(bot)

    def guide(self) -> str:
        return guide.GUIDE

    async def create_app(self, name: str, *, base_url: str | None, show: Shown) -> Mapping[str, str]:
        """DingTalk's apps are made in its console; `guide` says how."""
        raise CannotCreate("a DingTalk app is made in its developer console, as the guide says")
