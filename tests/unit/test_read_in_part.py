"""Platforms that have more than a bridge reads: it says so, in a gap and in the look for a post of its own."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pal_server.bridges.inbound import Place, PlaceKind
from pal_server.bridges.lark.api import Api
from pal_server.bridges.lark.inbound import Self
from pal_server.bridges.lark.people import People
from pal_server.bridges.lark.reading import Reading
from pal_server.bridges.lark.sending import Sending
from pal_server.bridges.outbound import CannotTell, PostText
from pal_server.bridges.platform import ReadInPart
from pal_server.bridges.slack.events import Me
from pal_server.bridges.slack.names import Names
from pal_server.bridges.slack.reading_back import Missed
from pal_server.bridges.slack.web import Web

PLACE = Place(chat="oc_1", kind=PlaceKind.GROUP)


class Endless:
    """Answers every call with a page after which there is another one."""

    app_id = "cli_1"

    async def call(self, *words: str, **more: Any) -> Any:
        if words[0] == "GET":  # as Lark is asked
            data = {"items": [], "has_more": True, "page_token": "next"}
            return SimpleNamespace(status=200, code=0, is_good=True, data=data)
        return {"messages": [], "channels": [{"id": "C1"}], "response_metadata": {"next_cursor": "next"}}

    async def of(self, people: Any, *, within: float) -> dict[str, str]:
        return {}


def lark() -> Reading:
    return Reading(cast(Api, Endless()), cast(People, None), cast(Sending, None))


async def test_lark_names_the_chat_that_is_not_read_to_its_end() -> None:
    with pytest.raises(ReadInPart, match="in oc_1 more was said than is read back"):
        await lark().read_back([PLACE], since=0, bot=Self(app_id="cli_1", open_id="ou_1"))


async def test_lark_cannot_tell_of_a_post_in_a_chat_it_does_not_read_to_its_end() -> None:
    found = await lark().find(PostText(key="k", place=PLACE, text="done"), since=0)

    assert isinstance(found, CannotTell)


async def test_slack_names_chats_and_words_beyond_its_limits() -> None:
    missed = Missed(cast(Web, Endless()), cast(Names, Endless()))

    with pytest.raises(ReadInPart) as left_out:
        await missed.since((), since=0, me=Me(user="U0", bot="B0", team="T1", app="A1"))

    assert str(left_out.value) == (
        "the bot is in more chats than are looked into; in C1 more was said than is read back"
    )
