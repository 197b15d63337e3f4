"""`pal doctor dingtalk` and the check of new credentials: real calls that say what to fix and that nobody notices."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges import registry
from pal_server.bridges.dingtalk import PLATFORM, guide
from pal_server.bridges.dingtalk.redaction import Redacted, redacted
from pal_server.bridges.platform import BadCredentials, BotSettings, CannotCreate, Checked
from tests.bridges.dingtalk.bots import a_bot, settings

Json = dict[str, Any]


async def checked(dingtalk: LoopbackDingTalk, given: Json, **options: str) -> Checked:
    return await PLATFORM.check(settings(dingtalk, given, **options))


def wrong(found: Checked) -> list[str]:
    return [finding.what for finding in found.findings if not finding.ok]


async def test_a_good_app_is_found_to_be_good(dingtalk: LoopbackDingTalk) -> None:
    given, alice = await dingtalk.app(), await dingtalk.person("Alice")

    found = await checked(dingtalk, given, test_user=alice)

    [greeting] = await dingtalk.direct_messages(given["app"], alice)
    assert (found.ok, found.app_id, found.bot_id, wrong(found)) == (True, given["app"], given["app"], [])
    assert "pal doctor" in greeting["text"]


async def test_nobody_notices_a_check_and_no_message_is_taken_from_the_bridge(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        found = await checked(dingtalk, {"app": bot.app, "secret": bot.secret})
        await bot.mention("hello")

        await bot.ears.events()

        line = await dingtalk.do("line", app=bot.app)
        assert found.ok
        assert line["opened"] == 1
        assert await dingtalk.messages(bot.room) == []
        assert await dingtalk.cards(bot.app) == []


async def test_a_wrong_secret_says_where_to_get_the_right_one(dingtalk: LoopbackDingTalk) -> None:
    given = await dingtalk.app()

    found = await checked(dingtalk, {**given, "secret": "not-the-secret"})

    [finding] = found.findings
    assert (found.ok, finding.what, finding.ok) == (False, "credentials", False)
    assert "Client Secret" in finding.advice
    assert "not-the-secret" not in finding.text


async def test_an_app_without_stream_mode_is_told_to_choose_it(dingtalk: LoopbackDingTalk) -> None:
    given = await dingtalk.app()
    await dingtalk.do("no_stream", app=given["app"])

    found = await checked(dingtalk, given)

    assert (found.ok, wrong(found)) == (False, ["stream"])
    assert "Stream mode" in found.findings[-1].advice


@pytest.mark.parametrize("permission", list(guide.PERMISSIONS))
async def test_each_permission_that_can_be_tried_is_named_when_it_is_missing(
    dingtalk: LoopbackDingTalk, permission: str
) -> None:
    given = await dingtalk.app()
    await dingtalk.do("scopes", app=given["app"], without=permission)

    found = await checked(dingtalk, given)

    is_tried = permission != "Card.Streaming.Write"  # pal streams nothing
    assert wrong(found) == ([f"permission {permission}"] if is_tried else [])
    assert found.ok is (permission not in guide.NEEDED)


async def test_a_robot_code_of_another_is_found_out(dingtalk: LoopbackDingTalk) -> None:
    given = await dingtalk.app()

    found = await checked(dingtalk, given, robot_code="dingother")

    assert (found.ok, wrong(found)) == (False, ["robot"])


async def test_a_platform_that_is_away_is_a_finding_not_an_error(dingtalk: LoopbackDingTalk) -> None:
    given = await dingtalk.app()
    nowhere = replace(settings(dingtalk, given), base_url="http://127.0.0.1:9")

    found = await PLATFORM.check(nowhere)

    assert not found.ok
    assert "could not be reached" in found.findings[0].text


async def test_somebody_who_cannot_be_written_to_is_a_finding(dingtalk: LoopbackDingTalk) -> None:
    given = await dingtalk.app()
    await dingtalk.fault("/v1.0/robot/oToMessages/batchSend", "http", app=given["app"])

    found = await checked(dingtalk, given, test_user="manager1")

    assert wrong(found) == ["round trip"]


@pytest.mark.parametrize(
    ("secrets", "options"),
    [
        ({"client_id": "ding1"}, {}),
        ({"client_secret": "s"}, {}),
        ({"client_id": "ding1", "client_secret": "s"}, {"answers": "letters"}),
    ],
)
async def test_settings_of_no_possible_shape_are_refused_before_anything_is_connected(
    secrets: dict[str, str], options: dict[str, str]
) -> None:
    with pytest.raises(BadCredentials):
        await PLATFORM.open(BotSettings(id="b", app_id="", secrets=secrets, options=options))


async def test_an_app_cannot_be_made_from_here() -> None:
    with pytest.raises(CannotCreate):
        await PLATFORM.create_app("helper", base_url=None, show=lambda link, note: None)


def test_the_platform_is_found_by_its_name_and_knows_the_app_of_credentials() -> None:
    assert registry.load("dingtalk") is PLATFORM
    assert PLATFORM.app_id({"client_id": "ding1"}) == "ding1"
    assert not next(one for one in PLATFORM.credentials if one.name == "client_id").secret


def test_the_guide_names_every_permission_and_stream_mode() -> None:
    said = PLATFORM.guide()

    assert all(name in said for name in guide.PERMISSIONS)
    assert "Stream mode" in said


def test_settings_are_printed_without_their_secret() -> None:
    bot = BotSettings(id="b", app_id="", secrets={"client_id": "ding1", "client_secret": "very-secret"})

    assert "very-secret" not in repr(bot)


@pytest.mark.parametrize(
    "said",
    [
        "https://oapi.dingtalk.com/robot/sendBySession?session=4a1f",
        "https://oapi.dingtalk.com/media/upload?access_token=4a1f&type=image",
        "endpoint is {'endpoint': 'wss://x', 'ticket': '4a1f'}",
        '{"clientSecret": "4a1f", "appSecret":"4a1f"}',
        "the secret is 4a1f-very-long",
    ],
)
def test_secrets_are_taken_out_of_what_is_said(said: str) -> None:
    assert "4a1f" not in redacted(said, ["4a1f-very-long"])


def test_a_call_of_the_log_that_does_not_fit_its_format_prints_nothing_of_its_own() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 1, "unknown exception", (ValueError("ticket=4a1f"),), None)

    assert Redacted([]).filter(record)
    assert record.getMessage() == "unknown exception"
