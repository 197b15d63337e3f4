"""Where Lark and Feishu live. One protocol, two hosts; an app lives on one of them."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Host:
    """Origins without a trailing slash."""

    api: str
    accounts: str
    name: str


FEISHU = Host(api="https://open.feishu.cn", accounts="https://accounts.feishu.cn", name="Feishu")
LARK = Host(api="https://open.larksuite.com", accounts="https://accounts.larksuite.com", name="Lark")


def host_of(base_url: str | None) -> Host:
    """The host of that base URL; Feishu without one. Any other origin serves everything itself, as a gateway does."""
    if not base_url:
        return FEISHU
    parts = urlsplit(base_url)
    origin = f"{parts.scheme}://{parts.netloc}"  # a path or slash would make the platform's own paths wrong
    for host in (FEISHU, LARK):
        if origin == host.api:
            return host
    return Host(api=origin, accounts=origin, name=parts.netloc)


def is_own_computer(url: str) -> bool:
    """Whether it is this computer, which no proxy can reach."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
