"""Where DingTalk lives: two hosts, or one origin in place of both; and which addresses are its own."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

API = "https://api.dingtalk.com"
OLD = "https://oapi.dingtalk.com"  # uploads, people, session webhooks
OWN = (".dingtalk.com", ".aliyuncs.com")  # hosts DingTalk serves its own things from
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """`other` is set when another origin than DingTalk's own stands in for all of it."""

    api: str
    old: str
    other: str = ""

    def is_own(self, url: str) -> bool:
        """Whether an address that an event named may be called: an event must not send us just anywhere."""
        parts = urlsplit(url)
        if self.other:
            return url == self.other or url.startswith(self.other + "/")
        return parts.scheme in ("https", "wss") and (parts.hostname or "").endswith(OWN)

    def socket(self, endpoint: str) -> bool:
        """Whether a socket may be opened there; in place of DingTalk also without encryption."""
        return urlsplit(endpoint).scheme in (("ws", "wss") if self.other else ("wss",))


def hosts_of(base_url: str | None) -> Hosts:
    if not base_url:
        return Hosts(api=API, old=OLD)
    origin = base_url.rstrip("/")
    return Hosts(api=origin, old=origin, other=origin)


def proxy_for(url: str) -> str | None:
    """The proxy the environment names for this address, its `NO_PROXY` heeded; this computer needs none."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in LOOPBACK or proxy_bypass(host):
        return None
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return getproxies().get(scheme)
