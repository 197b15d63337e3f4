"""Lark and Feishu as a platform. Importing this loads nothing of the SDK."""

from __future__ import annotations

from collections.abc import Mapping

from pal_server.bridges.lark import limits
from pal_server.bridges.lark.markdown import measure
from pal_server.bridges.platform import (
    BadCredentials,
    BotSettings,
    Capabilities,
    Checked,
    Connection,
    Credential,
    Shown,
)

SAME_KEY_FOR = 3_300.0  # seconds; Lark promises an hour


class Lark:
    """The `Platform`; one for both hosts, which `BotSettings.base_url` tells apart."""

    name = "lark"
    label = "Lark/Feishu"
    credentials = (
        Credential(name="app_id", label="App ID (cli_…)", secret=False),
        Credential(name="app_secret", label="App Secret"),
    )
    options = (Credential(name="replies", label="Answers in groups: thread or quote", secret=False, required=False),)
    capabilities = Capabilities(forms=True, find=True, same_key=True, same_key_for=SAME_KEY_FOR, read_back=True)
    limits = limits.LIMITS
    working = "Typing"

    def measure(self, text: str) -> int:
        return measure(text)

    def app_id(self, secrets: Mapping[str, str]) -> str:
        return secrets.get("app_id", "")

    async def check(self, bot: BotSettings) -> Checked:
        from pal_server.bridges.lark.doctor import check

        return await check(bot)

    async def open(self, bot: BotSettings) -> Connection:
        from pal_server.bridges.lark.connection import LarkConnection

        if not (bot.secrets.get("app_id") or bot.app_id).strip() or not bot.secrets.get("app_secret", "").strip():
            raise BadCredentials("App ID or App Secret is missing")
        return LarkConnection(bot)

    def guide(self) -> str:
        from pal_server.bridges.lark.guide import GUIDE

        return GUIDE

    async def create_app(self, name: str, *, base_url: str | None, show: Shown) -> Mapping[str, str]:
        from pal_server.bridges.lark.registration import create_app

        return await create_app(name, base_url=base_url, show=show)


PLATFORM = Lark()
