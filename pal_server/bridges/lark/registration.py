"""Making an app by scanning a code: the device flow of Lark's accounts host.

Why not the SDK's: it ends with whatever a single poll meets, a lost connection or a proxy's page.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp

from pal_server.bridges.lark.hosts import LARK, host_of, is_own_computer
from pal_server.bridges.lark.needs import CALLBACKS, EVENTS, SCOPES
from pal_server.bridges.platform import BadCredentials, CannotCreate, Dropped, Shown

PATH = "/oauth/v1/app/registration"
ASK_WITHIN = 15.0  # seconds for one request
MOST_FAILED = 10  # polls in a row that may be lost

Json = dict[str, Any]


async def create_app(name: str, *, base_url: str | None, show: Shown) -> Mapping[str, str]:
    """The credentials of a new app, made by whoever scans the code that is shown.

    `app_id` and `app_secret`; `base_url` when it was made on the other host than asked for; `owner_open_id`, the new
    app's id of the person who scanned. `BadCredentials` when that person refused or the code ran out, `Dropped` when
    the host cannot be reached, `CannotCreate` when it makes no apps this way.
    """
    host = host_of(base_url)
    limit = aiohttp.ClientTimeout(total=ASK_WITHIN)
    proxies = not is_own_computer(host.accounts)
    async with aiohttp.ClientSession(timeout=limit, trust_env=proxies) as session:
        started = await _ask(session, host.accounts, {"action": "init"})
        if "client_secret" not in (started.get("supported_auth_methods") or []):
            raise CannotCreate("Lark makes no apps by a code here: make it by hand, as the guide says")
        begun = await _ask(
            session,
            host.accounts,
            {
                "action": "begin",
                "archetype": "PersonalAgent",
                "auth_method": "client_secret",
                "request_user_info": "open_id",
            },
        )
        lives = float(begun.get("expires_in") or begun.get("expire_in") or 600)
        note = "Scan with Lark or Feishu, or open the link in a browser: some clients say that a good link has ended."
        show(link_of(str(begun["verification_uri_complete"]), name=name), note)
        made, accounts = await _poll(session, host.accounts, begun, until=time.monotonic() + lives)
    found = {"app_id": str(made["client_id"]), "app_secret": str(made["client_secret"])}
    who = made.get("user_info") or {}
    if who.get("open_id"):
        found["owner_open_id"] = str(who["open_id"])
    if accounts == LARK.accounts and host != LARK:
        found["base_url"] = LARK.api
    return found


def link_of(link: str, *, name: str) -> str:
    """The link with the app's name and everything it needs, so that nothing is left to set by hand."""
    addons = {
        "scopes": {"tenant": list(SCOPES)},
        "events": {"items": {"tenant": list(EVENTS)}},
        "callbacks": {"items": list(CALLBACKS)},
    }
    packed = gzip.compress(json.dumps(addons, separators=(",", ":")).encode(), mtime=0)
    parts = urlsplit(link)
    query = dict(parse_qsl(parts.query)) | {
        "from": "sdk",
        "tp": "sdk",
        "source": "python-sdk/pal",
        "name": name,
        "addons": base64.urlsafe_b64encode(packed).decode().rstrip("="),
    }
    return urlunsplit(parts._replace(query=urlencode(query)))


async def _poll(session: aiohttp.ClientSession, accounts: str, begun: Json, *, until: float) -> tuple[Json, str]:
    """The app, once somebody has made it, and the host on which."""
    interval = float(begun.get("interval", 5))
    failed = 0
    while time.monotonic() < until:
        try:
            said = await _ask(session, accounts, {"action": "poll", "device_code": str(begun["device_code"])})
            failed = 0
        except Dropped:
            failed += 1
            if failed > MOST_FAILED:
                raise
            said = {"error": "authorization_pending"}
        if said.get("client_id") and said.get("client_secret"):
            return said, accounts
        if (said.get("user_info") or {}).get("tenant_brand") == "lark" and accounts == host_of(None).accounts:
            accounts = LARK.accounts  # whoever scanned belongs to the other host
            continue
        match said.get("error"):
            case "authorization_pending" | None:
                pass
            case "slow_down":
                interval += 5
            case error:
                raise BadCredentials(f"no app was made: {said.get('error_description') or error}")
        await asyncio.sleep(interval)
    raise BadCredentials("no app was made: the code has ended")


async def _ask(session: aiohttp.ClientSession, accounts: str, form: Mapping[str, str]) -> Json:
    """One form-encoded request. `Dropped` when nothing sensible came back."""
    try:
        async with session.post(accounts + PATH, data=dict(form)) as response:
            said = json.loads(await response.read())
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Dropped(f"{accounts} does not answer: {type(error).__name__}") from error
    if not isinstance(said, dict):
        raise Dropped(f"{accounts} does not answer")
    return said
