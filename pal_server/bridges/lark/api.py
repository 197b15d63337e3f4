"""Lark's HTTP API: our own client with our own token.

Why not the SDK's: its async calls fetch tokens with blocking HTTP, build a TLS context per call, keep a token the
platform has taken back, share tokens between apps of one process, and mix two apps' secrets up under threads.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from pal_server.bridges.lark.errors import TOKEN_CODES, Answer
from pal_server.bridges.lark.hosts import is_own_computer
from pal_server.bridges.platform import BadCredentials

TOKEN_PATH = "/open-apis/auth/v3/tenant_access_token/internal"
LOOKUP_PATH = "/callback/ws/endpoint"
CALL_FOR = 12.0  # seconds for one call; a send gives up after 15
RENEW_BEFORE = 300.0  # seconds before its end a token is not used any more; the platform renews 30 minutes before
MOST_CONNECTIONS = 8  # of one bot at once

Json = dict[str, Any]


class NotLeft(Exception):
    """The request certainly did nothing: no connection, or no token to send it with."""


class Lost(Exception):
    """The request may have done its work: what came back is missing."""


class Api:
    """One app's calls. Made anywhere; the first call ties it to the running loop, `close` ends it."""

    def __init__(self, *, origin: str, app_id: str, secret: str) -> None:
        self.origin = origin
        self.app_id = app_id
        self._secret = secret
        self._session: aiohttp.ClientSession | None = None
        self._token = ""
        self._good_until = 0.0  # monotonic seconds
        self._renewing = asyncio.Lock()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        form: aiohttp.FormData | None = None,
        within: float = CALL_FOR,
    ) -> Answer:
        """One call; once more with a new token if the platform no longer takes the old one. `NotLeft`, `Lost`.

        `form` is given to one call only: a second one with it is not made. Raises `BadCredentials` when the app
        itself is refused.
        """
        answer = await self._call(method, path, query=query, body=body, form=form, within=within)
        if answer.code in TOKEN_CODES and form is None:
            answer = await self._call(method, path, query=query, body=body, form=None, within=within)
        return answer

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        form: aiohttp.FormData | None,
        within: float,
    ) -> Answer:
        token = await self._token_now(within=within)
        async with self._request(method, path, token=token, query=query, body=body, form=form, within=within) as got:
            answer = await read(got)
        if answer.code in TOKEN_CODES:
            self._forget(token)
        return answer

    @asynccontextmanager
    async def download(self, path: str, *, query: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response with its body still to be read, whatever it is. `NotLeft`, `Lost`, `BadCredentials`.

        A token that Lark no longer takes is forgotten here, so that a second call has another.
        """
        token = await self._token_now(within=CALL_FOR)
        async with self._request("GET", path, token=token, query=query, within=None) as response:
            if response.status != 200 and (await read(response)).code in TOKEN_CODES:
                self._forget(token)
            yield response

    async def look_up(self, *, within: float) -> Answer:
        """The address of the socket in `data`. Needs no token. `NotLeft`, `Lost`."""
        body = {"AppID": self.app_id, "AppSecret": self._secret}
        async with self._request("POST", LOOKUP_PATH, body=body, within=within) as response:
            return await read(response)

    # --- the token

    async def _token_now(self, *, within: float) -> str:
        """A token that is good; fetched by one caller for all. `NotLeft`, `BadCredentials`."""
        async with self._renewing:
            if time.monotonic() >= self._good_until:
                try:
                    await self._fetch_token(within=within)
                except Lost as error:
                    raise NotLeft(f"no token: {error}") from error
            return self._token

    async def _fetch_token(self, *, within: float) -> None:
        body = {"app_id": self.app_id, "app_secret": self._secret}
        async with self._request("POST", TOKEN_PATH, body=body, within=within) as response:
            answer = await read(response)
        if answer.code and answer.status < 500 and not _is_slow(answer):
            raise BadCredentials(f"Lark refuses the app: {answer.msg} ({answer.code})")
        if not answer.is_good:
            raise NotLeft(f"no token: HTTP {answer.status}, code {answer.code}")
        lives = float(answer.data.get("expire", 0))
        self._token = str(answer.data.get("tenant_access_token", ""))
        # A short life is used to nine tenths: renewing ahead by a fixed time would fetch a token for each call.
        self._good_until = time.monotonic() + max(lives - RENEW_BEFORE, lives * 0.9 if lives < 2 * RENEW_BEFORE else 0)

    def _forget(self, token: str) -> None:
        if token == self._token:
            self._good_until = 0.0

    # --- the wire

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        form: aiohttp.FormData | None = None,
        within: float | None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Authorization": f"Bearer {token}"} if token else {"locale": "zh"}
        data = form
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        limit = aiohttp.ClientTimeout(total=within, sock_connect=5.0, sock_read=CALL_FOR)
        try:
            async with self._open_session().request(
                method,
                self.origin + path,
                params=query,
                data=json.dumps(body, ensure_ascii=False).encode() if body is not None else data,
                headers=headers,
                timeout=limit,
                allow_redirects=False,
            ) as response:
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotLeft(f"Lark cannot be reached: {_words(error)}") from error
        except TimeoutError as error:
            raise Lost("Lark did not answer in time") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Lost(f"the answer was lost: {_words(error)}") from error

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            # One per bot, kept: no handshake per call, and a bot that hangs takes no other's connections.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS),
                trust_env=not is_own_computer(self.origin),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def read(response: aiohttp.ClientResponse) -> Answer:
    """The answer in a response. Its `data` is the whole body where facts stand beside `code` (token, bot)."""
    raw = await response.read()
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    reset = _seconds(response.headers.get("x-ogw-ratelimit-reset"))
    if not isinstance(body, dict) or not isinstance(body.get("code"), int):
        return Answer(status=response.status, code=None, reset=reset)
    data = body.get("data", body)
    return Answer(
        status=response.status,
        code=body["code"],
        msg=str(body.get("msg", "")),
        data=data if isinstance(data, dict) else {},
        reset=reset,
    )


def _is_slow(answer: Answer) -> bool:
    return answer.status == 429 or answer.code == 99991400


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.1, float(text)) if text else None
    except ValueError:
        return None


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
