"""Do these credentials work? Real round trips, in the order in which things go wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import aiohttp

from pal_server.bridges.outbound import Refused, Why
from pal_server.bridges.platform import BotSettings, Checked, Finding

from .manifest import NEEDED, SCOPES
from .redaction import redacted
from .web import Failed, Web

Json = dict[str, Any]

GREETING_WITHIN = 8.0  # seconds
ECHO_WITHIN = 8.0  # seconds
INSTALL = "open the app at https://api.slack.com/apps"


async def check(bot: BotSettings) -> Checked:
    """Bot token, scopes, app token, socket, that both are of one app, and a post that comes back as an event."""
    web = Web(token=bot.secrets.get("bot_token", ""), base_url=bot.base_url, log=logging.getLogger("pal.bridge.slack"))
    found: list[Finding] = []
    try:
        return await _check(bot, web, found)
    finally:
        await web.close()


async def _check(bot: BotSettings, web: Web, found: list[Finding]) -> Checked:
    try:
        who = await web.call("auth.test")
    except Failed as failed:
        advice = f"{INSTALL}, Install App, and copy the Bot User OAuth Token (xoxb-…)"
        return _wrong(found, "bot token", failed, bot, advice=advice)
    if not who.get("bot_id"):
        found.append(
            Finding(what="bot token", ok=False, text="this token is a person's", advice="use the one with xoxb-")
        )
        return Checked(ok=False, findings=tuple(found))
    name, user = str(who.get("user") or ""), str(who["user_id"])
    found.append(Finding(what="bot token", ok=True, text=f"{name} in {who.get('team')}"))
    found += _scopes(web.scopes)
    app = await _app_of(web, str(who["bot_id"]), found)
    known = Checked(ok=False, bot_id=user, app_id=app, name=name)
    try:
        url = str((await web.call("apps.connections.open", token=bot.secrets.get("app_token", "")))["url"])
    except Failed as failed:
        advice = (
            f"{INSTALL}, switch on Socket Mode, and under Basic Information make an App-Level Token (xapp-…) with the "
            "scope connections:write"
        )
        return _wrong(found, "app token", failed, bot, advice=advice, known=known)
    found.append(Finding(what="app token", ok=True, text="Slack opens Socket Mode for it"))
    socket_app = await _socket(web, url, bot, found, bot_id=str(who["bot_id"]))
    if app and socket_app and socket_app != app:
        text = f"the app token is of {socket_app}, the bot token of {app}"
        advice = "take both tokens from the same app; with tokens of two apps everything connects and nothing is heard"
        found.append(Finding(what="same app", ok=False, text=text, advice=advice))
    are_scopes_there = web.scopes is None or all(scope in web.scopes for scope in NEEDED)
    is_same = not (app and socket_app and app != socket_app)
    return Checked(
        ok=bool(socket_app is not None and is_same and are_scopes_there),
        bot_id=user,
        app_id=app or socket_app or "",
        name=name,
        findings=tuple(found),
    )


def _scopes(scopes: frozenset[str] | None) -> list[Finding]:
    if scopes is None:
        return [Finding(what="scopes", ok=True, text="Slack does not say which the token has")]
    missing = [scope for scope in SCOPES if scope not in scopes]
    if not missing:
        return [Finding(what="scopes", ok=True, text=f"all {len(SCOPES)}")]
    return [
        Finding(
            what=f"scope {scope}",
            ok=False,
            text=f"missing: {SCOPES[scope]}",
            advice=f"{INSTALL}, OAuth & Permissions, Bot Token Scopes: add {scope}, then install the app again",
        )
        for scope in missing
    ]


async def _app_of(web: Web, bot_id: str, found: list[Finding]) -> str:
    try:
        return str(((await web.call("bots.info", bot=bot_id)).get("bot") or {}).get("app_id") or "")
    except Failed as failed:
        if not (isinstance(failed.outcome, Refused) and failed.outcome.why is Why.SCOPE):
            found.append(Finding(what="app of the bot token", ok=False, text=failed.reason))
        return ""


async def _socket(web: Web, url: str, bot: BotSettings, found: list[Finding], *, bot_id: str) -> str | None:
    """Opens the socket and sees Slack greet. Nothing that comes is acknowledged, so a running bridge gets it again."""
    try:
        async with web.session.ws_connect(url, proxy=web.proxy) as socket:
            async with asyncio.timeout(GREETING_WITHIN):
                hello = await _next(socket, "hello")
            found.append(Finding(what="socket", ok=True, text="Slack greets"))
            await _round_trip(web, socket, bot, found, others=int(hello.get("num_connections") or 1) - 1, bot_id=bot_id)
            return str((hello.get("connection_info") or {}).get("app_id") or "")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as broken:
        advice = (
            "the socket goes to wss-primary.slack.com and others of slack.com: does a proxy or firewall cut WebSockets?"
        )
        found.append(Finding(what="socket", ok=False, text=f"no greeting: {type(broken).__name__}", advice=advice))
        return None


async def _round_trip(
    web: Web,
    socket: aiohttp.ClientWebSocketResponse,
    bot: BotSettings,
    found: list[Finding],
    *,
    others: int,
    bot_id: str,
) -> None:
    """Post where it is allowed, and see the post come back as an event."""
    channel = bot.options.get("test_channel")
    if not channel:
        text = "not tried: no channel is set for it"
        advice = "give the bot the option test_channel, a channel it is in, or write to it and look whether it answers"
        found.append(Finding(what="round trip", ok=True, text=text, advice=advice))
        return
    began = time.monotonic()
    try:
        posted = await web.call("chat.postMessage", channel=channel, text="pal doctor: one moment, this goes away.")
    except Failed as failed:
        advice = f"invite the bot into the channel: /invite in {channel}" if failed.code == "not_in_channel" else ""
        found.append(Finding(what="round trip", ok=False, text=failed.reason, advice=advice))
        return
    try:
        async with asyncio.timeout(ECHO_WITHIN):
            await _echo(socket, str(posted["ts"]))
        took = round((time.monotonic() - began) * 1000)
        found.append(Finding(what="round trip", ok=True, text=f"a post came back as an event after {took} ms"))
    except TimeoutError:
        found.append(_no_echo(others))
    finally:
        try:
            await web.call("chat.delete", channel=posted["channel"], ts=posted["ts"])
        except Failed as failed:
            found.append(Finding(what="clean-up", ok=False, text=f"the test message stays: {failed.reason}"))


def _no_echo(others: int) -> Finding:
    if others > 0:
        text = "the post did not come back here; the running bridge has a socket of its own and may have got it"
        return Finding(
            what="round trip", ok=True, text=text, advice="stop the bridge to be sure, or look at its status"
        )
    advice = f"{INSTALL}, Event Subscriptions, bot events: add message.channels and message.groups, then install again"
    return Finding(what="round trip", ok=False, text="the post did not come back as an event", advice=advice)


async def _next(socket: aiohttp.ClientWebSocketResponse, kind: str) -> Json:
    while True:
        said: Json = json.loads(await socket.receive_str())
        if said.get("type") == kind:
            return said


async def _echo(socket: aiohttp.ClientWebSocketResponse, ts: str) -> None:
    while True:
        said = await _next(socket, "events_api")
        if ((said.get("payload") or {}).get("event") or {}).get("ts") == ts:
            return


def _wrong(
    found: list[Finding], what: str, failed: Failed, bot: BotSettings, *, advice: str, known: Checked | None = None
) -> Checked:
    text = redacted(failed.reason, bot.secrets.values())
    findings = (*found, Finding(what=what, ok=False, text=text, advice=advice))
    if known is None:
        return Checked(ok=False, findings=findings)
    return Checked(ok=False, bot_id=known.bot_id, app_id=known.app_id, name=known.name, findings=findings)
