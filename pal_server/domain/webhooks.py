"""A person's webhook: an address of theirs that is told what their browser would be told."""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pal_server.errors import Invalid

URL_LIMIT = 2000  # characters
PAUSES = (5_000, 30_000, 120_000, 600_000, 3_600_000, 6 * 3_600_000)  # milliseconds before each further attempt
KEPT_FOR = 2 * 86_400_000  # milliseconds after which nobody wants to hear it any more
# Behind these stands an IPv4 address that the network's own translator chooses.
TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """`needs`, `mentions` and `runs` say what it is told. `error` is why the newest post did not arrive."""

    user_id: str
    workspace_id: str
    url: str
    needs: bool
    mentions: bool
    runs: bool
    position: int
    created_at: int
    error: str | None = None
    failed_at: int | None = None

    def fact(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "needs": self.needs,
            "mentions": self.mentions,
            "runs": self.runs,
            "created_at": self.created_at,
            "error": self.error,
            "failed_at": self.failed_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPost:
    """Something to be told, until it is or nobody wants to hear it any more."""

    id: int
    user_id: str
    url: str
    sealed: str
    body: str
    attempts: int
    created_at: int


def parse_url(url: str) -> str:
    """An http address without a name and password in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise Invalid(f"url is no address: {exc}", field="url") from exc
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > URL_LIMIT:
        raise Invalid("url is an http or https address", field="url")
    if parts.username or parts.password or port == 0:
        raise Invalid("url has no name, password or port 0 in it", field="url")
    return url


def is_outside(address: str) -> bool:
    """Whether an IP address is one of the open internet, also where it is written within another kind."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in TRANSLATED):
            return False
        ip = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1] or ip
    return ip.is_global and not ip.is_multicast


def may_reach(host: str, addresses: Iterable[str], *, allowed: frozenset[str]) -> bool:
    """Whether a server may be asked to post there: every address is outside, or the operator has named the host."""
    return host.lower() in allowed or all(is_outside(address) for address in addresses)


def sign(secret: str, *, at: int, body: str) -> str:
    """What the receiver computes too: `t` is the second it was signed at, so that no old post can be played again."""
    seconds = at // 1000
    digest = hmac.new(secret.encode(), f"{seconds}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def next_attempt(*, attempts: int, created_at: int, now: int) -> int | None:
    """When a post that did not arrive is tried again; None when it is given up."""
    if attempts > len(PAUSES) or now - created_at > KEPT_FOR:
        return None
    return now + PAUSES[attempts - 1]
