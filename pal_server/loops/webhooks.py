"""Tells webhooks what their people want to hear.

Where a server posts to is chosen by people, so it must not become their hand inside the network it stands in: only
addresses of the open internet are reached, looked at where the connection is made, so that no name can change its mind
in between. Redirects are not followed, answers not read, nothing of the server's environment is used.
"""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable
from typing import ClassVar

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from pal_server.actions import webhooks
from pal_server.domain.webhooks import WebhookPost, may_reach, sign
from pal_server.loops.loop import Context, Loop
from pal_server.sealing import unseal

PATIENCE = ClientTimeout(total=10, connect=5)  # seconds
ERROR = 300  # characters of a reason that are kept
INSIDE = "its address is inside a network, which a webhook may not reach"

log = logging.getLogger(__name__)


class Outside(AbstractResolver):
    """Finds addresses of names, and none that a webhook may not reach."""

    def __init__(self, *, allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._found = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._found.resolve(host, port, family)
        if not may_reach(host, (one["host"] for one in found), allowed=self._allowed):
            raise OSError(INSIDE)
        return found

    async def close(self) -> None:
        await self._found.close()


class Webhooks(Loop):
    """While nobody has one it looks only when the first is made."""

    name: ClassVar[str] = "webhooks"
    every: ClassVar[float] = 15.0
    needs_leader: ClassVar[bool] = True

    def __init__(
        self, context: Context, *, url: Callable[[], str], key: bytes, allowed: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(context)
        self._url = url
        self._key = key
        self._allowed = allowed
        self._is_needed = True

    @property
    def keys(self) -> tuple[str, ...]:
        own = f"events:{self.context.workspace_id}"
        return (webhooks.CHANGED, own) if self._is_needed else (webhooks.CHANGED,)

    async def step(self) -> bool:
        store, workspace_id = self.context.store, self.context.workspace_id
        self._is_needed = await store.read(webhooks.exist, workspace_id=workspace_id)
        if not self._is_needed:
            return False
        more = False
        if await store.read(webhooks.any_behind, workspace_id=workspace_id):
            more = await store.write(webhooks.read_on, workspace_id=workspace_id, base_url=self._url())
        posts = await store.read(webhooks.due, workspace_id=workspace_id)
        if posts:
            await self._tell_all(posts)
        return more or len(posts) == webhooks.DUE_LIMIT

    async def _tell_all(self, posts: list[WebhookPost]) -> None:
        connector = TCPConnector(resolver=Outside(allowed=self._allowed), use_dns_cache=False, force_close=True)
        async with ClientSession(connector=connector, timeout=PATIENCE, trust_env=False) as session:
            errors = await asyncio.gather(*(self._tell(session, post) for post in posts))
        for post, error in zip(posts, errors, strict=True):
            await self.context.store.write(webhooks.settle, post=post, error=error)

    async def _tell(self, session: ClientSession, post: WebhookPost) -> str | None:
        """None when the other side took it, else why not."""
        url = URL(post.url)
        host = url.raw_host or ""  # as it will be connected to: signs that are written otherwise are digits there
        if _is_address(host) and not may_reach(host, (host,), allowed=self._allowed):
            return INSIDE  # a name would have been looked at by the resolver
        secret = unseal(self._key, post.sealed, bound=f"webhook:{post.user_id}")["secret"]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "pal-webhook",
            "X-Pal-Signature": sign(secret, at=self.context.clock(), body=post.body),
        }
        try:
            async with session.post(url, data=post.body.encode(), headers=headers, allow_redirects=False) as response:
                return None if response.status < 300 else f"it answered {response.status}"
        except TimeoutError:
            return "it did not answer in time"
        except (ClientError, OSError, ValueError) as exc:
            log.info("a webhook could not be told", extra={"action": "webhook.failed", "post": post.id})
            return str(exc)[:ERROR] or type(exc).__name__


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
