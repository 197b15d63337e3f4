"""Calls of Slack's Web API, each tried once, and what became of them in words of pal.

The SDK's client would repeat a post whose answer was lost, and post twice; ours repeats nothing. Its `timeout` is
ignored when it is given a session, so the session has the limits.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import aiohttp

from pal_server.bridges.outbound import Doubtful, Limited, Refused, Unsent, Why
from pal_server.bridges.platform import BadCredentials, Dropped

from .environment import proxy_for

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

Json = dict[str, Any]

BASE_URL = "https://slack.com/api/"
TIMEOUT = 12.0  # seconds for one call; a send has 15
CONNECT_TIMEOUT = 5.0  # seconds
GUESS = 5.0  # seconds to wait when Slack does not say

CREDENTIALS = {
    "invalid_auth",
    "not_authed",
    "token_revoked",
    "token_expired",
    "account_inactive",
    "org_login_required",
    "not_allowed_token_type",
    "ekm_access_denied",
    "team_access_not_granted",
    "link_disabled",
    "app_uninstalled",
}
CLOSED = {
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "user_not_found",
    "user_disabled",
    "cannot_dm_bot",
    "messages_tab_disabled",
    "not_in_dm",
}
GONE = {"message_not_found", "thread_not_found", "cant_update_message", "file_not_found", "file_deleted"}
UNSURE = {"internal_error", "fatal_error", "service_unavailable", "team_added_to_org"}  # it may have happened


class Failed(Exception):
    """A call without a good answer. `outcome` is what it was for a send; `code` Slack's word, empty without one."""

    def __init__(self, outcome: Limited | Unsent | Refused | Doubtful, *, code: str = "", data: Json | None = None):
        super().__init__(code or str(outcome))
        self.outcome = outcome
        self.code = code
        self.data: Json = data or {}

    @property
    def reason(self) -> str:
        match self.outcome:
            case Limited(after=after):
                return f"Slack says too fast, wait {after:g} s"
            case Unsent(reason=reason) | Refused(reason=reason) | Doubtful(reason=reason):
                return reason

    def for_listening(self) -> Exception:
        """The same for somebody who holds a socket or asks whether the bot is alive."""
        if isinstance(self.outcome, Refused) and self.outcome.why in (Why.CREDENTIALS, Why.SCOPE):
            return BadCredentials(self.reason)
        return Dropped(self.reason)


class Web:
    """One bot's calls. `scopes` is what Slack last said the token may, None before the first answer."""

    def __init__(self, *, token: str, base_url: str | None, log: logging.Logger) -> None:
        self.base_url = (base_url or BASE_URL).rstrip("/") + "/"
        self.proxy = proxy_for(self.base_url)
        self.scopes: frozenset[str] | None = None
        self._token = token
        self.log = log
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None

    @property
    def client(self) -> AsyncWebClient:
        """The SDK's client, made inside the running loop."""
        if self._client is None or self._session is None or self._session.closed:
            from slack_sdk.web.async_client import AsyncWebClient

            limits = aiohttp.ClientTimeout(total=TIMEOUT, sock_connect=CONNECT_TIMEOUT)
            self._session = aiohttp.ClientSession(timeout=limits, cookie_jar=aiohttp.DummyCookieJar())
            self._client = AsyncWebClient(
                token=self._token,
                base_url=self.base_url,
                session=self._session,
                proxy=self.proxy,
                retry_handlers=[],
                logger=self.log,
            )
        return self._client

    @property
    def session(self) -> aiohttp.ClientSession:
        """For bytes that do not go through the SDK."""
        session = self.client.session
        assert session is not None  # given to the client above
        return session

    async def call(self, method: str, *, token: str | None = None, **args: object) -> Json:
        """One try. `chat.*` goes as JSON, most others in the query, where Slack wants them. Raises Failed."""
        from slack_sdk.errors import SlackApiError

        given = {name: value for name, value in args.items() if value is not None}
        client = self.client
        headers = {"Authorization": f"Bearer {token}"} if token else None
        try:
            if method.startswith(("chat.", "views.", "assistant.")):
                answer = await client.api_call(method, json=given, headers=headers)
            else:
                answer = await client.api_call(method, params=_flat(given), headers=headers)
        except SlackApiError as refused:
            raise self._failed(refused.response) from refused
        except (aiohttp.ClientError, OSError, TimeoutError) as broken:
            raise Failed(_broken(broken)) from broken
        except Exception as odd:  # the SDK trips over answers that are no JSON
            raise Failed(Doubtful(reason=f"an answer of Slack that is none: {type(odd).__name__}")) from odd
        self._note(answer.headers)
        data = answer.data
        return dict(data) if isinstance(data, dict) else {}

    def _note(self, headers: Mapping[str, str]) -> None:
        said = headers.get("x-oauth-scopes")
        if said is not None:
            self.scopes = frozenset(part.strip() for part in said.split(",") if part.strip())

    def _failed(self, response: Any) -> Failed:
        """`response` is the SDK's, or aiohttp's own when the body could not be read; its data may be text."""
        headers = getattr(response, "headers", None) or {}
        self._note(headers)
        status = int(getattr(response, "status_code", None) or getattr(response, "status", 0) or 0)
        data = getattr(response, "data", None)
        told: Json = data if isinstance(data, dict) else {}
        return failed(status, told, retry_after=headers.get("Retry-After"))

    async def close(self) -> None:
        session, self._session, self._client = self._session, None, None
        if session is not None:
            await session.close()


def failed(status: int, told: Json, *, retry_after: str | None) -> Failed:
    """What an answer that is not good means. A 429 and a refusal did nothing; a 5xx may have done it."""
    code = str(told.get("error") or "")
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return Failed(Limited(after=_seconds(retry_after)), code="ratelimited", data=told)
    if status >= 500 or not code or code in UNSURE:
        return Failed(Doubtful(reason=f"Slack answered {status} {code}".strip()), code=code, data=told)
    if code in ("request_timeout", "accesslimited"):
        return Failed(Unsent(reason=f"Slack says {code}"), code=code, data=told)
    return Failed(Refused(why=why_of(code), reason=_sentence(code, told)), code=code, data=told)


def why_of(code: str) -> Why:
    if code in CREDENTIALS:
        return Why.CREDENTIALS
    if code in CLOSED:
        return Why.CLOSED
    if code in GONE:
        return Why.GONE
    known = {
        "missing_scope": Why.SCOPE,
        "no_permission": Why.SCOPE,
        "msg_too_long": Why.TOO_LONG,
        "invalid_blocks": Why.CARD,
        "invalid_blocks_format": Why.CARD,
        "msg_blocks_too_long": Why.CARD,
        "edit_window_closed": Why.TOO_LATE,
        "unknown_method": Why.UNABLE,
    }
    return known.get(code, Why.INVALID)


def _sentence(code: str, told: Json) -> str:
    if code == "missing_scope":
        return f"the Slack app lacks the scope {told.get('needed')} (missing_scope): add it and install the app again"
    messages = (told.get("response_metadata") or {}).get("messages") or []
    return f"Slack says {code}" + (f": {'; '.join(str(message) for message in messages)[:300]}" if messages else "")


def _seconds(retry_after: str | None) -> float:
    try:
        return max(1.0, float(retry_after or GUESS))
    except ValueError:
        return GUESS


def _broken(error: Exception) -> Unsent | Doubtful:
    """Before a connection stood nothing can have happened; afterwards anything can."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Unsent(reason=f"Slack could not be reached: {type(error).__name__}")
    return Doubtful(reason=f"the answer was lost: {type(error).__name__}")


def _flat(args: Mapping[str, object]) -> Json:
    return {name: int(value) if isinstance(value, bool) else value for name, value in args.items()}
