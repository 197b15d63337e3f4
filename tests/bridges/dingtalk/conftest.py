"""One loopback DingTalk for all tests of a worker; each test has apps, people and groups of its own in it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk, loopback_dingtalk
from pal_cli.chaos.platforms.process import platform_process

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(scope="session")
def dingtalk_address() -> Iterator[str]:
    with platform_process("dingtalk") as url:
        yield url


@pytest_asyncio.fixture
async def dingtalk(dingtalk_address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackDingTalk]:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    async with loopback_dingtalk(dingtalk_address) as platform:
        yield platform
        await platform.do("no_faults")
        await platform.do("limits", is_on=True)
