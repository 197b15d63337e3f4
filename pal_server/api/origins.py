"""Which web pages may talk to this server: the guard against drive-by pages, DNS rebinding and forged requests.

A page of another site can send requests to a loopback server, with its cookies, and can give its own name our
address. Writes and WebSockets are refused unless the `Host` is a name we answer to and the `Origin`, where a browser
sends one, is this very server.
"""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp.web_request import BaseRequest

from pal_server.errors import Forbidden

OWN_HEADER = "X-Pal-Client"  # a page of another site cannot send it without being asked first, and we never agree

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})
_KEPT = 256  # Host headers whose check is remembered


class Origins:
    """`host` is where the server listens; `allowed` are further names, with or without a port."""

    def __init__(self, *, host: str, allowed: Iterable[str]) -> None:
        self._names = {host.lower(), *_LOOPBACK} - _EVERYWHERE
        self._allowed = {name.lower() for name in allowed}
        self._is_public = host in _EVERYWHERE
        if self._is_public:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        self._known: set[str] = set()

    def check(self, http: BaseRequest, /) -> None:
        """For writes and WebSockets. `Forbidden` when the Host or the Origin is foreign."""
        headers = http.headers
        host = headers.get("Host", "").lower()
        if host not in self._known:
            self._check_host(host)
        origin = headers.get("Origin")
        if origin is None:
            if headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
                raise Forbidden("The request comes from another site.", site=headers["Sec-Fetch-Site"])
            return
        if not self._is_own(origin.lower(), host=host):
            raise Forbidden("The Origin is not this server's.", origin=origin[:200])

    def check_cookie(self, http: BaseRequest, /) -> None:
        """For a write under a cookie, after `check`: something must show that no page of another site made it.

        An Origin (checked before) does, so do Sec-Fetch-Site, our own header, and JSON: a page of another site can send
        none of these unasked. Old browsers send a plain form without any.
        """
        headers = http.headers
        is_shown = (
            "Origin" in headers
            or headers.get("Sec-Fetch-Site") in ("same-origin", "none")
            or OWN_HEADER in headers
            or headers.get("Content-Type", "").lower().startswith("application/json")
        )
        if not is_shown:
            raise Forbidden(f"A write with a cookie needs an Origin or the header {OWN_HEADER}.", header=OWN_HEADER)

    def _check_host(self, host: str) -> None:
        name = _name_of(host)
        is_ours = name in self._names or name in self._allowed or host in self._allowed
        # No page can be served under a bare address that is ours unless we serve it, so addresses are safe to accept.
        if not is_ours and not (self._is_public and _is_address(name)):
            raise Forbidden("The Host is not a name of this server; PAL_ALLOWED_HOSTS adds names.", host=host[:200])
        if len(self._known) < _KEPT:
            self._known.add(host)

    def _is_own(self, origin: str, *, host: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        if parts.scheme not in ("http", "https"):
            return False
        return parts.netloc == host or parts.netloc in self._allowed or _name_of(parts.netloc) in self._allowed


def _name_of(host: str) -> str:
    """Without the port and the brackets of IPv6."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, _, port = host.rpartition(":")
    return name if port.isdigit() else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
