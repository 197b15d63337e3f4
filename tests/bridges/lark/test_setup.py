"""Setting a bot up: what a check says, an app made by a code, and the pages that say how."""

import base64
import gzip
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from pal_server.bridges.lark import PLATFORM, registration
from pal_server.bridges.lark.hosts import FEISHU, LARK, Host, host_of
from pal_server.bridges.lark.needs import CALLBACKS, EVENTS, SCOPES
from pal_server.bridges.platform import BadCredentials, BotSettings, CannotCreate, Checked, Dropped
from tests.bridges.lark.bot import a_bot, settings

DOCS = Path(__file__).parents[3] / "docs"
Json = dict[str, Any]


async def checked(lark: LoopbackLark, app: str, **secrets: str) -> Checked:
    bot = settings(lark, app)
    return await PLATFORM.check(replace(bot, secrets={**bot.secrets, **secrets}))


async def test_a_good_app_passes(lark: LoopbackLark, app: str) -> None:
    found = await checked(lark, app)

    assert (found.ok, found.app_id) == (True, app)
    assert found.bot_id == lark.do("app", id=app)["open_id"]
    assert all(finding.ok for finding in found.findings)
    assert {"bot", "socket", *SCOPES} <= {finding.what for finding in found.findings}


async def test_a_check_takes_no_event_from_the_bot(lark: LoopbackLark) -> None:
    """An event goes to any socket of the app; the one of a check refuses it, so it comes again."""
    lark.do("schedule", after=[200, 200, 200, 200])
    async with a_bot(lark) as bot:
        await PLATFORM.check(settings(lark, bot.app))
        await bot.mention("to the bot")

        await bot.ears.events()

        assert (await bot.lark("sockets", app=bot.app))["sockets"] == 1


async def test_a_wrong_secret_is_told_and_not_shown(lark: LoopbackLark, app: str) -> None:
    found = await checked(lark, app, app_secret="very-wrong")

    assert not found.ok
    assert "10014" in found.findings[0].text
    assert "Basic Info" in found.findings[0].advice
    assert "very-wrong" not in repr(found)


async def test_missing_credentials_are_told(lark: LoopbackLark, app: str) -> None:
    found = await checked(lark, app, app_secret=" ")

    assert not found.ok
    assert "missing" in found.findings[0].text
    with pytest.raises(BadCredentials):
        await PLATFORM.open(BotSettings(id="b", app_id="", secrets={}))


async def test_an_unreachable_host_is_told(lark: LoopbackLark, app: str) -> None:
    found = await PLATFORM.check(replace(settings(lark, app), base_url="http://127.0.0.1:9"))

    assert not found.ok
    assert "127.0.0.1:9" in found.findings[0].advice


@pytest.mark.parametrize(
    ("scope", "ok"), [("im:message:send_as_bot", False), ("im:message.reactions:write_only", True)]
)
async def test_a_missing_scope_is_told_and_some_are_a_must(lark: LoopbackLark, app: str, scope: str, ok: bool) -> None:
    lark.do("app", id=app, scopes=[name for name in SCOPES if name != scope])

    found = await checked(lark, app)

    missing = [finding for finding in found.findings if not finding.ok]
    assert [finding.what for finding in missing] == [scope]
    assert "publish" in missing[0].advice
    assert found.ok is ok


async def test_an_app_that_hears_all_needs_not_be_told_of_mentions(lark: LoopbackLark, app: str) -> None:
    names = [name for name in SCOPES if name != "im:message.group_at_msg:readonly"]
    lark.do("app", id=app, scopes=[*names, "im:message.group_msg"])

    assert (await checked(lark, app)).ok


async def test_a_socket_that_is_refused_is_told(lark: LoopbackLark, app: str) -> None:
    lark.do("refuse", status=403, headers={"Handshake-Status": "403", "Handshake-Msg": "not enabled"})

    found = await checked(lark, app)

    socket = next(finding for finding in found.findings if finding.what == "socket")
    assert (found.ok, socket.ok) == (False, False)
    assert "persistent connection" in socket.advice


class Screen:
    """Where a code is shown; the person scans it as soon as it is there."""

    def __init__(self, lark: LoopbackLark, **scan: Any) -> None:
        self.links: list[str] = []
        self._lark = lark
        self._scan = scan

    def __call__(self, link: str, note: str) -> None:
        self.links.append(link)
        self._lark.do("scan", **self._scan)


async def test_an_app_is_made_by_scanning_a_code(lark: LoopbackLark, ann: str) -> None:
    pending = [{"error": "authorization_pending"}, {"error": "authorization_pending"}]
    screen = Screen(lark, person=ann, answers=pending)

    made = await PLATFORM.create_app("Helper", base_url=lark.url, show=screen)

    assert made.keys() == {"app_id", "app_secret", "owner_open_id"}
    query = parse_qs(urlsplit(screen.links[0]).query)
    packed = query["addons"][0]
    addons = json.loads(gzip.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))))
    assert (query["name"], query["from"], query["user_code"]) == (["Helper"], ["sdk"], ["ABCD-EFGH"])
    assert set(addons["scopes"]["tenant"]) == set(SCOPES)
    assert set(addons["events"]["items"]["tenant"]) == set(EVENTS)
    assert addons["callbacks"]["items"] == list(CALLBACKS)
    new = BotSettings(id="b", app_id=made["app_id"], secrets=made, base_url=lark.url)
    assert (await PLATFORM.check(new)).ok


@pytest.mark.parametrize("columns", [80, 40])
def test_the_code_is_shown_in_a_terminal_beside_its_link(lark: LoopbackLark, ann: str, columns: int) -> None:
    lark.do("scan", person=ann)
    environment = {**os.environ, "PAL_LARK_DOMAIN": lark.url, "COLUMNS": str(columns)}

    done = subprocess.run(
        [sys.executable, "-m", "pal_server.bridges.creating", "lark", "Helper"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )

    assert json.loads(done.stdout).keys() == {"app_id", "app_secret", "owner_open_id"}
    assert f"{lark.url}/page/launcher?user_code=ABCD-EFGH" in done.stderr
    assert ("█" in done.stderr) is (columns == 80), "a code that is broken by the edge cannot be scanned"
    assert json.loads(done.stdout)["app_secret"] not in done.stderr


async def test_who_belongs_to_the_other_host_gets_the_app_there(
    lark: LoopbackLark, ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told while the code is pending; the rest of the polls goes to the other host."""
    here = Host(api=lark.url, accounts=lark.url, name="here")
    there = lark.url.replace("127.0.0.1", "localhost")
    monkeypatch.setattr(registration, "host_of", lambda base_url: here)
    monkeypatch.setattr(registration, "LARK", Host(api=there, accounts=there, name="there"))
    pending = [{"error": "authorization_pending", "user_info": {"tenant_brand": "lark"}}]

    made = await PLATFORM.create_app("Helper", base_url=None, show=Screen(lark, person=ann, answers=pending))

    assert made["base_url"] == there


async def test_a_host_that_makes_no_apps_says_so(lark: LoopbackLark) -> None:
    lark.do("fault", path="/oauth/.*", do="answer", status=200, body={"supported_auth_methods": ["other"]})

    with pytest.raises(CannotCreate):
        await PLATFORM.create_app("Helper", base_url=lark.url, show=Screen(lark))


async def test_a_lost_poll_ends_nothing(lark: LoopbackLark, ann: str) -> None:
    """The SDK's own flow ends with the first that is lost, or is answered by a proxy."""

    class Faulty(Screen):
        def __call__(self, link: str, note: str) -> None:
            super().__call__(link, note)
            registration = "/oauth/v1/app/registration"
            lark.do("fault", path=registration, do="answer", status=502, body="<html>", times=2)
            lark.do("fault", path=registration, do="cut")

    made = await PLATFORM.create_app("Helper", base_url=lark.url, show=Faulty(lark, person=ann))

    assert made["app_id"]


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "something_new"])
async def test_a_refused_or_ended_code_says_so(lark: LoopbackLark, error: str) -> None:
    with pytest.raises(BadCredentials, match=error):
        await PLATFORM.create_app("Helper", base_url=lark.url, show=Screen(lark, answers=[{"error": error}]))


async def test_a_host_without_such_a_flow_says_so(lark: LoopbackLark) -> None:
    lark.do("fault", path="/oauth/.*", do="answer", status=404, body="not found")

    with pytest.raises(Dropped):
        await PLATFORM.create_app("Helper", base_url=lark.url, show=Screen(lark))


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        (None, FEISHU),
        ("https://open.feishu.cn/", FEISHU),
        ("https://open.larksuite.com", LARK),
        ("https://open.larksuite.com/open-apis", LARK),
    ],
)
def test_a_base_url_is_taken_for_its_origin(base_url: str | None, host: Any) -> None:
    """A trailing slash would make //callback/… of the address that is looked up."""
    assert host_of(base_url) == host


def test_another_origin_serves_everything() -> None:
    host = host_of("http://127.0.0.1:8080/")

    assert (host.api, host.accounts) == ("http://127.0.0.1:8080", "http://127.0.0.1:8080")


def test_the_pages_name_everything_an_app_needs() -> None:
    page = (DOCS / "lark.md").read_text("utf-8")

    for name in (*SCOPES, *EVENTS, *CALLBACKS):
        assert f"`{name}`" in page
        assert f"`{name}`" in PLATFORM.guide()
    assert re.search(r"--lark-app-id", page)
