"""One loopback Slack for all tests of a worker; each test has apps, people and channels of its own in it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from pal_cli.chaos.platforms.process import platform_process
from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack, loopback_slack

# What the SDK would take from the environment behind our back: proxies for every host, tokens, OAuth.
MEDDLING = (
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_CLIENT_ID",
    "SLACK_CLIENT_SECRET",
)


@pytest.fixture(scope="session")
def slack_address() -> Iterator[str]:
    with platform_process("slack") as url:
        yield url


@pytest_asyncio.fixture
async def slack(slack_address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackSlack]:
    for name in MEDDLING:
        monkeypatch.delenv(name, raising=False)
    async with loopback_slack(slack_address) as platform:
        yield platform
        await platform.do("no_faults")
        await platform.do("limits", is_on=True)
