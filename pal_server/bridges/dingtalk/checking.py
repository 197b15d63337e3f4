"""Do these credentials work? Real calls, in the order in which things go wrong, and none that anybody would notice.

No socket is opened: DingTalk gives each message to one of an app's sockets and to no other, so a socket of ours could
take one from the bridge that runs. What an app may do DingTalk does not list; each permission is tried out with a call
that can have no effect, because what it names does not exist.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from pal_server.bridges.outbound import Why
from pal_server.bridges.platform import BotSettings, Checked, Finding

from . import posts, sdk
from .connection import robot_of
from .guide import CONSOLE, NEEDED, PERMISSIONS
from .redaction import redacted
from .web import Failed, Web, scopes_of

Json = dict[str, Any]

NOBODY = "pal-doctor-asks-for-nothing"  # of no card, file, message or person
TOPICS = [{"type": "CALLBACK", "topic": topic} for topic in (sdk.MESSAGES, sdk.PRESSES)]
ADD = f"open the app at {CONSOLE}, Permissions: apply for it, then publish a new version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A call without effect, which only the permission can make fail as forbidden."""

    permission: str
    method: str
    path: str
    body: Json


async def check(bot: BotSettings) -> Checked:
    """Token, Stream mode, permissions, and a message to somebody where that is allowed."""
    web = Web(
        client_id=bot.secrets.get("client_id", ""),
        client_secret=bot.secrets.get("client_secret", ""),
        base_url=bot.base_url,
        log=logging.getLogger("pal.bridge.dingtalk"),
    )
    found: list[Finding] = []
    try:
        is_ok = await _check(bot, web, found)
    finally:
        await web.close()
    app = bot.secrets.get("client_id", "")
    return Checked(ok=is_ok, bot_id=robot_of(bot).code if is_ok else "", app_id=app, name="", findings=tuple(found))


async def _check(bot: BotSettings, web: Web, found: list[Finding]) -> bool:
    try:
        await web.tokens.get()
        found.append(Finding(what="credentials", ok=True, text="DingTalk gives a token for them"))
        await web.ticket(TOPICS, agent="pal")
        found.append(Finding(what="stream", ok=True, text="DingTalk gives a ticket for Stream mode"))
    except Failed as failed:
        what, advice = ("stream", _STREAM) if found else ("credentials", _CREDENTIALS)
        found.append(Finding(what=what, ok=False, text=_clean(failed, bot), advice=advice))
        return False
    missing = [await _probe(bot, web, probe, found) for probe in _probes(bot)]
    await _greet(bot, web, found)
    return not any(name in NEEDED for name in missing)


_CREDENTIALS = f"open the app at {CONSOLE}, Credentials & basic information, and copy Client ID and Client Secret again"
_STREAM = f"open the app at {CONSOLE}, Robot: choose Stream mode, then publish a new version of the app"


def _probes(bot: BotSettings) -> tuple[Probe, ...]:
    code = robot_of(bot).code
    nothing = {"robotCode": code, "processQueryKeys": [NOBODY]}
    card = {"outTrackId": NOBODY, "cardData": {"cardParamMap": {}}, "cardUpdateOptions": {"updateCardDataByKey": True}}
    return (
        Probe(
            permission="qyapi_robot_sendmsg", method="POST", path="/v1.0/robot/otoMessages/batchRecall", body=nothing
        ),
        Probe(permission="Card.Instance.Write", method="PUT", path="/v1.0/card/instances", body=card),
        Probe(permission="qyapi_get_member", method="POST", path="/topapi/v2/user/get", body={"userid": NOBODY}),
    )


async def _probe(bot: BotSettings, web: Web, probe: Probe, found: list[Finding]) -> str:
    """The permission's name if it is missing, else nothing."""
    what = f"permission {probe.permission}"
    try:
        if probe.path.startswith("/topapi"):
            await web.old(probe.path, body=probe.body)
        else:
            await web.call(probe.method, probe.path, probe.body)
    except Failed as failed:
        if failed.why is Why.SCOPE:
            text = f"missing{_others(failed, probe)}: {PERMISSIONS[probe.permission]}"
            found.append(Finding(what=what, ok=False, text=text, advice=ADD))
            return probe.permission
        if failed.why in (None, Why.CREDENTIALS):
            found.append(Finding(what=what, ok=False, text=_clean(failed, bot), advice="try again in a minute"))
            return ""
        if failed.why is Why.CLOSED:
            advice = f"open the app at {CONSOLE}, Robot: is it switched on and published? Its code is shown there"
            found.append(Finding(what="robot", ok=False, text=_clean(failed, bot), advice=advice))
            return probe.permission
    found.append(Finding(what=what, ok=True, text="there"))
    return ""


def _others(failed: Failed, probe: Probe) -> str:
    """DingTalk may call it by another name than the console."""
    named = scopes_of(failed.data)
    return f" ({named})" if named and named != probe.permission else ""


async def _greet(bot: BotSettings, web: Web, found: list[Finding]) -> None:
    """A real message, where somebody may be written to."""
    person = bot.options.get("test_user")
    if not person:
        text = "not tried: nobody is set to be written to"
        advice = "set the option test_user of the bot to a user id, or write to the bot and look whether it answers"
        found.append(Finding(what="round trip", ok=True, text=text, advice=advice))
        return
    try:
        await posts.tell(web, person, "pal doctor: this bot can write to you.", robot=robot_of(bot))
        found.append(Finding(what="round trip", ok=True, text=f"a message went to {person}"))
    except Failed as failed:
        found.append(Finding(what="round trip", ok=False, text=_clean(failed, bot)))


def _clean(failed: Failed, bot: BotSettings) -> str:
    return redacted(failed.reason, [bot.secrets.get("client_secret", "")])
