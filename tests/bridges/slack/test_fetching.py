"""Files of people: fetched with the token, and a sign-in page is no file."""

import pytest

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from pal_server.bridges.inbound import Attachment, Said
from pal_server.bridges.slack import files
from tests.bridges.slack.ears import Bot, a_bot


async def a_file(bot: Bot, *, name: str = "a.png", data: bytes = b"\x89PNG" * 100, **more: bool) -> Attachment:
    await bot.slack.say_with_file(bot.room, bot.alice, f"<@{bot.user}> look", name=name, data=data, **more)
    [said, *_] = await bot.ears.events()
    assert isinstance(said, Said)
    [attachment] = said.files
    return attachment


async def fetched(bot: Bot, attachment: Attachment) -> bytes:
    return b"".join([piece async for piece in bot.connection.fetch("", attachment)])


async def test_a_file_is_fetched_whole(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        attachment = await a_file(bot)

        assert (attachment.name, attachment.mime, attachment.size) == ("a.png", "image/png", 400)
        assert await fetched(bot, attachment) == b"\x89PNG" * 100


async def test_a_stub_of_a_file_is_asked_for(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        attachment = await a_file(bot, as_stub=True)

        assert attachment.size is None
        assert await fetched(bot, attachment) == b"\x89PNG" * 100


async def test_a_page_is_a_file_when_it_is_one(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        assert await fetched(bot, await a_file(bot, name="a.html", data=b"<p>hello")) == b"<p>hello"


@pytest.mark.parametrize("name", ["a.png", "a.html"])
async def test_the_sign_in_page_is_no_file(slack: LoopbackSlack, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_bot(slack) as bot:
        attachment = await a_file(bot, name=name)
        monkeypatch.setattr(bot.connection, "_token", "xoxb-other")

        with pytest.raises(OSError, match="sign-in page"):
            await fetched(bot, attachment)


async def test_a_scope_that_is_missing_is_named(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        attachment = await a_file(bot)
        await slack.do("scopes", app=bot.app, without="files:read")

        with pytest.raises(OSError, match="files:read"):
            await fetched(bot, attachment)


@pytest.mark.parametrize(
    ("url", "is_slack"),
    [
        ("https://files.slack.com/files-pri/T1-F1/a.png", True),
        ("https://slack.com/x", True),
        ("https://slack.com.evil.example/x", False),
        ("http://files.slack.com/x", False),
        ("https://evil.example/x", False),
        ("http://127.0.0.1:8080/files-pri/x", True),
        ("http://127.0.0.1:8081/files-pri/x", False),
        ("", False),
    ],
)
def test_the_token_goes_to_slack_alone(url: str, is_slack: bool) -> None:
    assert files.is_slack(url, "http://127.0.0.1:8080/api/") is is_slack
