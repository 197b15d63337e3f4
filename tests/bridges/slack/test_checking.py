"""`pal doctor slack` and the check of new credentials: real round trips that say what to fix."""

import json
from typing import Any

import pytest

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from pal_server.bridges import registry
from pal_server.bridges.platform import BadCredentials, BotSettings, CannotCreate, Checked
from pal_server.bridges.slack import PLATFORM, manifest
from tests.bridges.slack.ears import a_bot, settings

Json = dict[str, Any]


async def checked(slack: LoopbackSlack, given: Json, **options: str) -> Checked:
    return await PLATFORM.check(settings(slack, given, **options))


def wrong(done: Checked) -> dict[str, str]:
    return {finding.what: f"{finding.text} {finding.advice}" for finding in done.findings if not finding.ok}


async def test_good_credentials_are_good_to_the_last_step(slack: LoopbackSlack) -> None:
    given = await slack.app("helper")
    room = await slack.channel("test", members=[given["bot_user"]])

    done = await checked(slack, given, test_channel=room)

    assert done.ok
    assert wrong(done) == {}
    assert (done.app_id, done.bot_id, done.name) == (given["app"], given["bot_user"], "helper")
    assert "came back as an event" in done.findings[-1].text
    assert await slack.messages(room) == []


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "account_inactive"])
async def test_a_bad_bot_token_is_named_with_what_to_do(slack: LoopbackSlack, error: str) -> None:
    given = await slack.app()
    await slack.do("token", app=given["app"], error=error)

    done = await checked(slack, given)

    assert not done.ok
    assert error in wrong(done)["bot token"]
    assert "Install App" in wrong(done)["bot token"]


async def test_a_bad_app_token_is_named_and_does_not_hang(slack: LoopbackSlack) -> None:
    given = await slack.app()

    done = await checked(slack, {**given, "app_token": "xapp-1-A999-x"})

    assert not done.ok
    assert "connections:write" in wrong(done)["app token"]
    assert done.bot_id == given["bot_user"]


async def test_tokens_of_two_apps_are_told_apart(slack: LoopbackSlack) -> None:
    one, other = await slack.app(), await slack.app()

    done = await checked(slack, {**one, "app_token": other["app_token"]})

    assert not done.ok
    assert other["app"] in wrong(done)["same app"]


async def test_each_missing_scope_is_named_with_what_it_is_for(slack: LoopbackSlack) -> None:
    given = await slack.app()
    for scope in ("files:read", "metadata.message:read"):
        await slack.do("scopes", app=given["app"], without=scope)

    done = await checked(slack, given)

    assert done.ok  # it can talk
    assert set(wrong(done)) == {"scope files:read", "scope metadata.message:read"}


async def test_without_the_scope_to_talk_it_is_not_good(slack: LoopbackSlack) -> None:
    given = await slack.app()
    await slack.do("scopes", app=given["app"], without="chat:write")

    assert not (await checked(slack, given)).ok


async def test_missing_events_are_found_by_a_post_that_does_not_come_back(
    slack: LoopbackSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pal_server.bridges.slack import checking

    monkeypatch.setattr(checking, "ECHO_WITHIN", 0.3)
    given = await slack.app(events="app_mention")
    room = await slack.channel("test", members=[given["bot_user"]])

    done = await checked(slack, given, test_channel=room)

    assert "message.channels" in wrong(done)["round trip"]


async def test_a_check_takes_nothing_from_a_bridge_that_runs(slack: LoopbackSlack) -> None:
    async with a_bot(slack, events="message.channels") as bot:
        await slack.connected(bot.app)

        done = await checked(slack, bot.given, test_channel=bot.room)
        await bot.mention("still mine")

        assert done.ok
        await bot.ears.events()


async def test_a_socket_that_does_not_open_is_said(slack: LoopbackSlack) -> None:
    given = await slack.app()
    await slack.do("sockets", app=given["app"], do="refuse")

    done = await checked(slack, given)

    assert not done.ok
    assert "proxy or firewall" in wrong(done)["socket"]


async def test_no_finding_shows_a_token(slack: LoopbackSlack) -> None:
    given = await slack.app()
    await slack.do("app_token", app=given["app"], error="invalid_auth")

    done = await checked(slack, given)

    assert given["bot_token"] not in str(done)
    assert given["app_token"] not in str(done)
    assert given["bot_token"] not in repr(settings(slack, given))


async def test_tokens_in_each_other_s_place_are_refused_before_anything(slack: LoopbackSlack) -> None:
    swapped = BotSettings(id="b", app_id="A1", secrets={"bot_token": "xapp-1-A1", "app_token": "xoxb-1"})

    with pytest.raises(BadCredentials, match="xoxb-"):
        await PLATFORM.open(swapped)


async def test_an_app_is_made_by_a_person_from_the_manifest() -> None:
    with pytest.raises(CannotCreate):
        await PLATFORM.create_app("helper", base_url=None, show=lambda link, note: None)


def test_the_guide_has_a_manifest_to_paste_with_all_that_is_needed() -> None:
    guide = PLATFORM.guide()

    pasted = json.loads(guide.partition("```json\n")[2].partition("\n```")[0])
    assert pasted == manifest.manifest()
    assert pasted["settings"]["socket_mode_enabled"]
    assert pasted["settings"]["interactivity"]["is_enabled"]
    assert set(pasted["oauth_config"]["scopes"]["bot"]) == set(manifest.SCOPES)
    assert {"app_mention", "message.im", "message.channels"} <= set(
        pasted["settings"]["event_subscriptions"]["bot_events"]
    )


def test_the_platform_is_found_by_its_name_and_knows_an_app_by_its_token() -> None:
    assert registry.load("slack") is PLATFORM
    assert PLATFORM.app_id({"app_token": "xapp-1-A0123-45-ff"}) == "A0123"
    assert PLATFORM.app_id({}) == ""
    assert PLATFORM.measure("a & b") == len("a &amp; b")
