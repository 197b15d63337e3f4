"""What the SDK would take from the environment behind our back, taken out of its reach.

It obeys `HTTPS_PROXY` and `HTTP_PROXY` for every host, `NO_PROXY` never, and reads them again for each request; and
`SLACK_…` variables change what its app does (a client id and secret switch it to OAuth and drop the token). So the
bridge process loses these variables once, and each client is told the proxy that is right for its address.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
MEDDLING = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_VERIFICATION_TOKEN",
    "SLACK_CLIENT_ID",
    "SLACK_CLIENT_SECRET",
    "SLACK_SCOPES",
    "SLACK_USER_SCOPES",
)
_proxies: dict[str, str] = {}  # by scheme; what the environment said before it was cleared


def proxy_for(url: str) -> str | None:
    """The proxy for this address, by the environment this process was started with and its `NO_PROXY`."""
    _proxies.update({scheme: proxy for scheme, proxy in getproxies().items() if scheme in ("http", "https")})
    for name in (*PROXIES, *MEDDLING):
        os.environ.pop(name, None)
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(host):
        return None
    return _proxies.get(parts.scheme) or _proxies.get("https")
