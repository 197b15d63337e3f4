"""What the tests of sending send, and where it goes."""

from pathlib import Path
from typing import Any

from pal_server.bridges.cards import Card, Tone
from pal_server.bridges.inbound import Place
from pal_server.bridges.outbound import FileOut, PostCard, PostText
from tests.bridges.dingtalk.bots import KEY, Bot

GROUP_SEND = "/v1.0/robot/groupMessages/send"
SESSION = "/robot/sendBySession"
CREATE = "/v1.0/card/instances/createAndDeliver"
UPDATE = "/v1.0/card/instances"
TOKEN = "/v1.0/oauth2/accessToken"
UPLOAD = "/media/upload"


def text(place: Place, said: str = "hi", **more: Any) -> PostText:
    return PostText(key=KEY, place=place, text=said, **more)


def card(**more: Any) -> Card:
    return Card(**{"title": "Reviewer", "tone": Tone.WORKING, "state": "working", **more})


def post(bot: Bot, **more: Any) -> PostCard:
    return PostCard(key=KEY, place=bot.place(), card=card(**more))


def a_file(tmp_path: Path, name: str = "report.pdf", data: bytes = b"hello") -> FileOut:
    path = tmp_path / name
    path.write_bytes(data)
    return FileOut(path=path, name=name, mime="application/octet-stream", size=len(data))
