"""Whether an app can do its work: real round trips over the API and over a socket, and what to fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pal_server.bridges.lark.api import Api, Lost, NotLeft
from pal_server.bridges.lark.connection import LarkConnection
from pal_server.bridges.lark.hosts import FEISHU, LARK, host_of
from pal_server.bridges.lark.needs import CALLBACKS, EVENTS, INSTEAD, MUST, SCOPES
from pal_server.bridges.platform import BadCredentials, BotSettings, Checked, Dropped, Finding

SECRETS_AT = "App ID and App Secret stand under “Credentials & Basic Info” of the app"


async def check(bot: BotSettings) -> Checked:
    """Credentials, bot, scopes, socket. Never raises for a bad answer."""
    host = host_of(bot.base_url)
    app_id = (bot.secrets.get("app_id") or bot.app_id).strip()
    if not app_id or not bot.secrets.get("app_secret", "").strip():
        missing = Finding(what="credentials", ok=False, text="App ID or App Secret is missing", advice=SECRETS_AT)
        return Checked(ok=False, app_id=app_id, findings=(missing,))
    api = Api(origin=host.api, app_id=app_id, secret=bot.secrets["app_secret"])
    try:
        found = await _bot(api, bot)
        if not found.ok:
            return found
        scopes = await _scopes(api)
        socket = await _socket(bot)
        ok = socket.ok and all(finding.ok or finding.what not in MUST for finding in scopes)
        return replace(found, ok=ok, findings=(*found.findings, *scopes, socket, _events()))
    finally:
        await api.close()


async def _bot(api: Api, bot: BotSettings) -> Checked:
    """Whether the credentials are good and the app has a bot."""

    def refused(text: str, advice: str) -> Checked:
        finding = Finding(what="credentials", ok=False, text=text, advice=advice)
        return Checked(ok=False, app_id=api.app_id, findings=(finding,))

    try:
        answer = await api.call("GET", "/open-apis/bot/v3/info")
    except BadCredentials as error:
        other = await _elsewhere(api, bot)
        return refused(str(error), other or SECRETS_AT)
    except (NotLeft, Lost) as error:
        return refused(str(error), f"is {api.origin} reachable from here?")
    if not answer.is_good:
        return refused(f"{answer.msg} ({answer.code})", "add the feature “Bot” to the app, and publish a version")
    about: Mapping[str, Any] = answer.data.get("bot") or {}
    is_active = about.get("activate_status") == 2
    finding = Finding(
        what="bot",
        ok=is_active,
        text=f"{about.get('app_name')} on {host_of(bot.base_url).name}" + ("" if is_active else ", not active"),
        advice="" if is_active else "publish a version of the app, and have an administrator let it in",
    )
    return Checked(
        ok=True,
        app_id=api.app_id,
        bot_id=str(about.get("open_id") or ""),
        name=str(about.get("app_name") or ""),
        findings=(finding,),
    )


async def _elsewhere(api: Api, bot: BotSettings) -> str:
    """Advice when the app lives on the other host; empty when it does not."""
    if api.origin not in (FEISHU.api, LARK.api):
        return ""
    host = LARK if api.origin == FEISHU.api else FEISHU
    other = Api(origin=host.api, app_id=api.app_id, secret=bot.secrets["app_secret"])
    try:
        answer = await other.call("GET", "/open-apis/bot/v3/info")
    except (BadCredentials, NotLeft, Lost):
        return ""
    finally:
        await other.close()
    return f"this app lives on {host.name}: set its domain to {host.api}" if answer.code is not None else ""


async def _scopes(api: Api) -> tuple[Finding, ...]:
    """One finding for each scope that is needed."""
    try:
        answer = await api.call("GET", "/open-apis/application/v6/scopes")
    except (NotLeft, Lost, BadCredentials) as error:
        return (Finding(what="scopes", ok=False, text=str(error)),)
    if not answer.is_good:
        why = f"Lark does not list this app's scopes ({answer.code}); compare them with the guide"
        return (Finding(what="scopes", ok=True, text=why),)
    granted = {
        str(scope.get("scope_name")) for scope in answer.data.get("scopes") or [] if scope.get("grant_status") == 1
    }
    return tuple(_scope(name, purpose, granted) for name, purpose in SCOPES.items())


def _scope(name: str, purpose: str, granted: set[str]) -> Finding:
    if name in granted or INSTEAD.get(name) in granted:
        return Finding(what=name, ok=True, text=purpose)
    advice = "add it under “Permissions & Scopes”, then publish a version"
    return Finding(what=name, ok=False, text=f"missing: needed to {purpose}", advice=advice)


async def _socket(bot: BotSettings) -> Finding:
    """A socket that is opened, pinged and closed. Events that come meanwhile are refused, so that they come again."""
    connection = LarkConnection(bot)
    try:
        took = await connection.try_socket()
    except (BadCredentials, Dropped) as error:
        advice = "choose “Receive events through persistent connection”, under “Events & Callbacks”"
        return Finding(what="socket", ok=False, text=str(error), advice=advice)
    finally:
        await connection.close()
    return Finding(what="socket", ok=True, text=f"open, and answered a ping within {took * 1000:.0f} ms")


def _events() -> Finding:
    """Lark tells nobody what an app is subscribed to, so this can only be said."""
    wanted = ", ".join((*EVENTS, *CALLBACKS))
    text = "if the bot hears nothing: subscribe to " + wanted
    return Finding(what="events", ok=True, text=text)
