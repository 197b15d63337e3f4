"""Calls of DingTalk's APIs, each tried once, and what became of them in words of pal.

The SDK's own calls block the loop, have no timeout, and tell of failures in the log alone; these are ours. There are
two dialects: `api.dingtalk.com` says what is wrong with its status and a code, `oapi.dingtalk.com` with `errcode`.
"""

from __future__ import annotations

import logging
from typing import Any

import aiohttp

from pal_server.bridges.outbound import Doubtful, Limited, Refused, Unsent, Why
from pal_server.bridges.platform import BadCredentials, Dropped

from .hosts import Hosts, hosts_of, proxy_for
from .redaction import redacted
from .tokens import Tokens

Json = dict[str, Any]

CALL_WITHIN = 9.0  # seconds for one call; a send has 15, with a token before it
TOKEN_WITHIN = 4.0
CONNECT_WITHIN = 4.0
GUESS = 2.0  # seconds to wait when DingTalk does not say, which is always
SILENCE = 600.0  # seconds a conversation is closed to the session webhook after too many answers
HEADER = "x-acs-dingtalk-access-token"

STALE = {"40001", "40014", "42001", "88"}  # the old dialect's words for a token it will not have
TOO_FAST = {"90002", "90018", "90019", "90020", "90024", "90026"}
SILENCED = "130101"
NO_SESSION = "300001"
OLD_WHY = {"50002": Why.SCOPE, "60011": Why.SCOPE, "60020": Why.SCOPE, "460101": Why.TOO_LONG, "300001": Why.GONE}
WORDS = (  # (part of a code in small letters, what it means); the first that fits
    ("permissiondenied", Why.SCOPE),
    ("cardnotexist", Why.GONE),
    ("cardtemplate", Why.CARD),
    ("templateunpublished", Why.CARD),
    ("contentunsafe", Why.INVALID),
    ("toolong", Why.TOO_LONG),
    ("notingroup", Why.CLOSED),
    ("robotnotexist", Why.CLOSED),
    ("robot.notexist", Why.CLOSED),
    ("conversation", Why.CLOSED),
    ("authfailed", Why.CREDENTIALS),
    ("clientid", Why.CREDENTIALS),
    ("appkey", Why.CREDENTIALS),
    ("ipnotin", Why.CREDENTIALS),
    ("authentication", Why.CREDENTIALS),
)


class Failed(Exception):
    """A call without a good answer. `outcome` is what it was for a send; `code` DingTalk's word, empty without one."""

    def __init__(self, outcome: Limited | Unsent | Refused | Doubtful, *, code: str = "", data: Json | None = None):
        super().__init__(code or str(outcome))
        self.outcome = outcome
        self.code = code
        self.data: Json = data or {}

    @property
    def why(self) -> Why | None:
        return self.outcome.why if isinstance(self.outcome, Refused) else None

    @property
    def reason(self) -> str:
        match self.outcome:
            case Limited(after=after):
                return f"DingTalk says too fast, wait {after:g} s"
            case Unsent(reason=reason) | Refused(reason=reason) | Doubtful(reason=reason):
                return reason

    def for_listening(self) -> Exception:
        """The same for somebody who holds a socket or asks whether the bot is alive."""
        return BadCredentials(self.reason) if self.why in (Why.CREDENTIALS, Why.SCOPE) else Dropped(self.reason)


class Stale(Failed):
    """The token was refused, so certainly nothing happened: worth another with a new one."""


class Web:
    """One app's calls."""

    def __init__(self, *, client_id: str, client_secret: str, base_url: str | None, log: logging.Logger) -> None:
        self.hosts: Hosts = hosts_of(base_url)
        self.log = log
        self.tokens = Tokens(self._token)
        self.client_id = client_id
        self._client_secret = client_secret
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """Made inside the running loop; one for all calls of this bot."""
        if self._session is None or self._session.closed:
            limits = aiohttp.ClientTimeout(total=CALL_WITHIN, sock_connect=CONNECT_WITHIN)
            self._session = aiohttp.ClientSession(timeout=limits, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def call(self, method: str, path: str, body: Json) -> Json:
        """`api.dingtalk.com` with the token. Raises Failed. A refused token is renewed, once."""

        async def once(token: str) -> Json:
            return await self._api(method, path, body, headers={HEADER: token})

        return await self._with_token(once)

    async def old(self, path: str, *, params: Json | None = None, body: Any = None) -> Json:
        """`oapi.dingtalk.com` with the token in the query; `body` is JSON, or a function that makes a form."""

        async def once(token: str) -> Json:
            sent = {"data": body()} if callable(body) else {"json": body}
            return await self._old(f"{self.hosts.old}{path}", params={**(params or {}), "access_token": token}, **sent)

        return await self._with_token(once)

    async def answer(self, session: str, body: Json) -> Json:
        """A session webhook: no token, and nothing comes back that names the message."""
        if not self.hosts.is_own(session):
            raise Failed(Refused(why=Why.INVALID, reason="the address to answer to is none of DingTalk's"))
        return await self._old(session, json=body)

    async def ticket(self, subscriptions: list[Json], *, agent: str) -> Json:
        """`{"endpoint", "ticket"}`: good for one socket within 90 seconds, or to prove the credentials."""
        body = {
            "clientId": self.client_id,
            "clientSecret": self._client_secret,
            "subscriptions": subscriptions,
            "ua": agent,
            "localIp": "",
        }
        return await self._api("POST", "/v1.0/gateway/connections/open", body)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _with_token(self, once: Any) -> Json:
        for is_last in (False, True):
            token = await self.tokens.get()
            try:
                found: Json = await once(token)
                return found
            except Stale as stale:
                self.tokens.forget(token)
                if is_last:
                    raise Failed(stale.outcome, code=stale.code, data=stale.data) from stale
        raise AssertionError("either returned or raised")

    async def _token(self) -> tuple[str, float]:
        """Nothing was sent yet: whatever goes wrong here is no doubt."""
        body = {"appKey": self.client_id, "appSecret": self._client_secret}
        limits = aiohttp.ClientTimeout(total=TOKEN_WITHIN, sock_connect=CONNECT_WITHIN)
        try:
            told = await self._api("POST", "/v1.0/oauth2/accessToken", body, timeout=limits)
            return str(told["accessToken"]), float(told.get("expireIn") or 7200)
        except KeyError as odd:
            raise Failed(Unsent(reason="DingTalk gave no access token")) from odd
        except Failed as failed:
            match failed.outcome:
                case Doubtful(reason=reason):
                    raise Failed(Unsent(reason=reason), code=failed.code) from failed
                case Refused(reason=reason) if failed.why is not Why.SCOPE:
                    refused = Refused(why=Why.CREDENTIALS, reason=reason)
                    raise Failed(refused, code=failed.code, data=failed.data) from failed
            raise

    async def _api(self, method: str, path: str, body: Json, **more: Any) -> Json:
        status, told, headers = await self._request(method, f"{self.hosts.api}{path}", json=body, **more)
        if 200 <= status < 300 and told is not None:
            return told
        raise self._clean(failed(status, told or {}, retry_after=headers.get("Retry-After")))

    async def _old(self, url: str, **more: Any) -> Json:
        status, told, headers = await self._request("POST", url, **more)
        code = str((told or {}).get("errcode", ""))
        if status == 200 and told is not None and code in ("0", ""):
            return told
        if status != 200 or not code:
            raise self._clean(failed(status, told or {}, retry_after=headers.get("Retry-After")))
        raise self._clean(failed_old(code, told or {}))

    async def _request(self, method: str, url: str, **more: Any) -> tuple[int, Json | None, Any]:
        """Status, body if it is an object, headers."""
        try:
            async with self.session.request(method, url, proxy=proxy_for(url), allow_redirects=False, **more) as answer:
                raw = await answer.read()
                try:
                    told = await answer.json(content_type=None) if raw else {}
                except ValueError:
                    told = None
                return answer.status, told if isinstance(told, dict) else None, answer.headers
        except (aiohttp.ClientError, OSError, TimeoutError) as broken:
            raise Failed(_broken(broken)) from broken

    def _clean(self, failed: Failed) -> Failed:
        """DingTalk repeats in its answers what it was sent."""
        outcome = failed.outcome
        if isinstance(outcome, Refused):
            clean = redacted(outcome.reason, (self._client_secret,))
            failed.outcome = Refused(why=outcome.why, reason=clean)
        return failed


def failed(status: int, told: Json, *, retry_after: str | None = None) -> Failed:
    """What an answer that is not good means. A 4xx did nothing; a 5xx, or an answer that is none, may have."""
    code, message = str(told.get("code") or told.get("errcode") or ""), str(told.get("message") or "")
    small = code.lower()
    if status == 429 or "qpslimit" in small or "throttl" in small or "toofast" in small:
        return Failed(Limited(after=_seconds(retry_after)), code=code, data=told)
    if status == 401 or small in ("invalidauthentication", "invalidtoken"):
        refused = Refused(why=Why.CREDENTIALS, reason=_sentence(status, code, message))
        return Stale(refused, code=code, data=told)
    if not 400 <= status < 500 or status == 408:
        return Failed(Doubtful(reason=_sentence(status, code, "")), code=code, data=told)
    why = next((why for part, why in WORDS if part in small), Why.INVALID)
    return Failed(Refused(why=why, reason=_refusal(status, code, told)), code=code, data=told)


def failed_old(code: str, told: Json) -> Failed:
    """The same of the old dialect, by its number."""
    text = f"DingTalk says {code}: {str(told.get('errmsg') or '')[:200]}"
    if code in STALE:
        return Stale(Refused(why=Why.CREDENTIALS, reason=text), code=code, data=told)
    if code == SILENCED:
        return Failed(Limited(after=SILENCE), code=code, data=told)
    if code in TOO_FAST:
        return Failed(Limited(after=GUESS), code=code, data=told)
    if code == "-1":
        return Failed(Doubtful(reason=text), code=code, data=told)
    return Failed(Refused(why=OLD_WHY.get(code, Why.INVALID), reason=text), code=code, data=told)


def scopes_of(told: Json) -> str:
    """The permissions DingTalk says are missing."""
    detail = told.get("accessdenieddetail") or told.get("accessDeniedDetail") or {}
    return ", ".join(str(scope) for scope in detail.get("requiredScopes") or ()) if isinstance(detail, dict) else ""


def _refusal(status: int, code: str, told: Json) -> str:
    if scopes := scopes_of(told):
        return f"the DingTalk app lacks the permission {scopes} ({code}): add it, then publish a new version of the app"
    return _sentence(status, code, str(told.get("message") or ""))


def _sentence(status: int, code: str, message: str) -> str:
    words = f"DingTalk answered {status} {code}".strip()
    return f"{words}: {message[:200]}" if message and message != code else words


def _seconds(retry_after: str | None) -> float:
    try:
        return max(1.0, float(retry_after or GUESS))
    except ValueError:
        return GUESS


def _broken(error: Exception) -> Unsent | Doubtful:
    """Before a connection stood nothing can have happened; afterwards anything can."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Unsent(reason=f"DingTalk could not be reached: {type(error).__name__}")
    return Doubtful(reason=f"the answer was lost: {type(error).__name__}")
