"""Files and pictures that pal sends."""

import io
import zipfile
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.outbound import (
    PostFile,
    Sent,
    Unsent,
    Why,
)
from tests.bridges.dingtalk.bots import KEY, Bot, a_bot
from tests.bridges.dingtalk.outgoing import UPLOAD, a_file

Json = dict[str, Any]


async def sent_file(dingtalk: LoopbackDingTalk, bot: Bot) -> tuple[Json, Json]:
    [message] = await dingtalk.messages(bot.room)
    media = await dingtalk.do("media", media=message["param"].get("mediaId") or message["param"]["photoURL"])
    return message, media


async def test_a_file_goes_up_and_is_shown(dingtalk: LoopbackDingTalk, tmp_path: Path) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        sent = await bot.send(PostFile(key=KEY, place=bot.place(), file=a_file(tmp_path)))

        message, media = await sent_file(dingtalk, bot)
        assert sent == Sent(ref=f"query:{message['key']}")
        assert message["param"] == {"mediaId": message["param"]["mediaId"], "fileName": "report.pdf", "fileType": "pdf"}
        assert (media["kind"], media["name"], b64decode(media["data"])) == ("file", "report.pdf", b"hello")


async def test_a_picture_is_shown_as_one(dingtalk: LoopbackDingTalk, tmp_path: Path) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await bot.send(PostFile(key=KEY, place=bot.place(), file=a_file(tmp_path, "a.PNG")))

        message, media = await sent_file(dingtalk, bot)
        assert (message["kind"], media["kind"]) == ("sampleImageMsg", "image")


@pytest.mark.parametrize("name", ["answer.md", "notes.txt", "Makefile"])
async def test_a_kind_that_is_refused_travels_in_a_zip(dingtalk: LoopbackDingTalk, tmp_path: Path, name: str) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await bot.send(PostFile(key=KEY, place=bot.place(), file=a_file(tmp_path, name)))

        message, media = await sent_file(dingtalk, bot)
        with zipfile.ZipFile(io.BytesIO(b64decode(media["data"]))) as archive:
            assert archive.namelist() == [name]
            assert archive.read(name) == b"hello"
        assert message["param"]["fileName"] == f"{name}.zip"


@pytest.mark.parametrize("fault", ["cut_after", "http", "cut"])
async def test_a_file_that_did_not_get_up_is_no_doubt(dingtalk: LoopbackDingTalk, tmp_path: Path, fault: str) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await dingtalk.fault(UPLOAD, fault, app=bot.app)

        outcome = await bot.send(PostFile(key=KEY, place=bot.place(), file=a_file(tmp_path)))

        assert isinstance(outcome, Unsent)
        assert await dingtalk.messages(bot.room) == []


async def test_a_file_that_is_refused_or_gone_is_refused(dingtalk: LoopbackDingTalk, tmp_path: Path) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        empty = a_file(tmp_path, data=b"")
        gone = replace(empty, path=tmp_path / "nothing")
        huge = a_file(tmp_path, "huge.pdf", b"x" * 20_000_001)

        outcomes = [await bot.send(PostFile(key=KEY, place=bot.place(), file=one)) for one in (empty, gone, huge)]

        assert [outcome.why for outcome in outcomes] == [Why.INVALID, Why.INVALID, Why.TOO_LONG]
