"""The loopback Lark speaks the platform's wire: the stock SDK connects to it, hears, acks and sends, unmodified."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from pal_cli.chaos.platforms.lark.frames import CONTROL, DATA, Frame, decode, encode
from pal_cli.chaos.platforms.lark.lark import LoopbackLark

Json = dict[str, Any]


class Stock:
    """A process with the stock SDK in it."""

    def __init__(self, lark: LoopbackLark, app: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bridges.lark.stock", lark.url, app, f"secret-{app}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self, kind: str) -> Json:
        """The next line of that kind."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if kind in said:
                return dict(said[kind])
        raise AssertionError("the stock client is gone")

    def do(self, order: str, **facts: Any) -> Json:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": order, **facts}) + "\n")
        self.process.stdin.flush()
        return self.line("answer")


@pytest.fixture(scope="module")
def stock_app(lark: LoopbackLark) -> str:
    config = {"ReconnectCount": -1, "ReconnectInterval": 1, "ReconnectNonce": 0, "PingInterval": 1}
    lark.do("schedule", after=[300, 300, 300])
    return lark.app("cli_stock", config=config)


@pytest.fixture(scope="module")
def stock(lark: LoopbackLark, stock_app: str) -> Iterator[Stock]:
    client = Stock(lark, stock_app)
    lark.wait_for("connected", app=stock_app)
    yield client
    client.process.kill()
    client.process.communicate()


@pytest.fixture
def chat(lark: LoopbackLark, stock_app: str, ann: str) -> str:
    return lark.chat(apps=[stock_app], people=[ann])


def test_frames_survive_writing_and_reading() -> None:
    headers = {"type": "event", "message_id": "m", "größe": "ü" * 300}
    frame = Frame(method=DATA, service=7, seq_id=1 << 60, headers=headers, payload=b"\0x" * 500)

    assert decode(encode(frame)) == frame
    assert decode(encode(Frame(method=CONTROL))) == Frame(method=CONTROL)


@pytest.mark.parametrize("data", [b"", b"\x08", b"\x0b\x01", b"\x08\x01"])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        decode(data)


def test_the_sdk_connects_pings_hears_and_acks(lark: LoopbackLark, stock: Stock, stock_app: str, chat: str, ann: str):
    said = lark.mention(stock_app, "hello", chat=chat, person=ann, parts=3)

    event = stock.line("event")["event"]
    ack = lark.wait_for("ack", event=said["events"][0])[0]
    assert event["message"]["message_id"] == said["message_id"]
    assert event["message"]["mentions"][0]["name"] == "Bot"
    assert (ack["code"], ack["counted"], ack["data"]) == (200, True, None)
    assert lark.wait_for("ping", app=stock_app)


def test_a_failed_handler_is_pushed_again(lark: LoopbackLark, stock: Stock, stock_app: str, chat: str, ann: str):
    said = lark.mention(stock_app, "fail", chat=chat, person=ann)

    acks = lark.wait_for("ack", event=said["events"][0], count=2)

    assert [ack["code"] for ack in acks] == [500, 500]
    assert [ack["counted"] for ack in acks] == [False, False]


def test_an_ack_that_is_lost_brings_the_event_again(
    lark: LoopbackLark, stock: Stock, stock_app: str, chat: str, ann: str
):
    lark.do("lose_acks", app=stock_app, times=1)
    said = lark.mention(stock_app, "twice", chat=chat, person=ann)

    acks = lark.wait_for("ack", event=said["events"][0], count=2)

    assert [ack["counted"] for ack in acks] == [False, True]


def test_an_event_that_got_no_ack_comes_again_hours_later(
    lark: LoopbackLark, stock: Stock, stock_app: str, chat: str, ann: str
):
    lark.do("schedule", after=[21_600_000])
    lark.do("lose_acks", app=stock_app, times=1)
    said = lark.mention(stock_app, "much later", chat=chat, person=ann)
    lark.wait_for("ack", event=said["events"][0])

    lark.do("clock", ahead=21_600_000)

    assert lark.wait_for("ack", event=said["events"][0], count=2)[1]["counted"]
    lark.do("schedule", after=[300, 300, 300])


def test_the_sdk_answers_a_click(lark: LoopbackLark, stock: Stock, stock_app: str, chat: str, ann: str):
    card = {"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": "?"}]}}
    sent = stock.do("create", chat=chat, type="interactive", content=card, uuid="card-1")

    answer = lark.do("click", message=sent["data"]["message_id"], person=ann, value={"a": 1})

    assert answer["code"] == 200
    assert answer["data"]["toast"] == {"type": "success", "content": "done"}


def test_the_same_uuid_makes_one_message_within_an_hour(lark: LoopbackLark, stock: Stock, chat: str):
    sends = [stock.do("create", chat=chat, type="text", content={"text": "once"}, uuid="u1") for _ in range(2)]
    lark.do("clock", ahead=3_600_001)

    late = stock.do("create", chat=chat, type="text", content={"text": "once"}, uuid="u1")

    assert sends[0]["data"]["message_id"] == sends[1]["data"]["message_id"] != late["data"]["message_id"]
    assert len(lark.posted(chat=chat)) == 2


def test_the_sdk_replies_changes_reacts_and_reads(
    lark: LoopbackLark, stock: Stock, stock_app: str, chat: str, ann: str
):
    said = lark.mention(stock_app, "hello", chat=chat, person=ann)["message_id"]
    card = {"schema": "2.0", "body": {"elements": []}}
    sent = stock.do("create", chat=chat, type="interactive", content=card, uuid="")["data"]["message_id"]

    replied = stock.do("reply", message=said, content={"text": "hi"}, uuid="r1")
    changed = stock.do("patch", message=sent, content={**card, "header": {}})
    reacted = stock.do("react", message=said, emoji="Typing")
    wrong = stock.do("react", message=said, emoji="typing")
    seen = stock.do("history", chat=chat)

    assert replied["data"]["root_id"] == said
    assert replied["data"]["thread_id"].startswith("omt_")
    assert (changed["code"], reacted["code"], wrong["code"]) == (0, 0, 231001)
    assert {item["message_id"] for item in seen["data"]["items"]} == {said, sent}


def test_files_go_both_ways(lark: LoopbackLark, stock: Stock, stock_app: str, chat: str, ann: str):
    uploaded = stock.do("upload", name="a.txt", text="out")
    key = lark.do("upload", kind="file", name="in.txt", hex=b"in".hex())["key"]
    content = {"file_key": key, "file_name": "in.txt"}
    said = lark.do("say", chat=chat, person=ann, type="file", content=content)["message_id"]

    fetched = stock.do("resource", message=said, key=key)

    assert uploaded["code"] == 0, uploaded
    assert uploaded["data"]["file_key"].startswith("file_")
    assert fetched["file"] == "in"


def test_ordered_faults_meet_the_sdk(lark: LoopbackLark, stock: Stock, chat: str):
    create = {"path": "/open-apis/im/v1/messages", "method": "POST"}
    lark.do("fault", **create, do="answer", status=429, body={"code": 99991400, "msg": "slow"})

    slow = stock.do("create", chat=chat, type="text", content={"text": "x"}, uuid="f1")
    again = stock.do("create", chat=chat, type="text", content={"text": "x"}, uuid="f1")

    assert (slow["code"], again["code"]) == (99991400, 0)


def test_a_token_that_was_taken_back_stays_in_the_sdk(lark: LoopbackLark, stock: Stock, stock_app: str, chat: str):
    """The reason why pal keeps its tokens itself."""
    stock.do("create", chat=chat, type="text", content={"text": "x"}, uuid="")
    lark.do("tokens", app=stock_app)

    refused = [stock.do("create", chat=chat, type="text", content={"text": "x"}, uuid="")["code"] for _ in range(2)]

    assert refused == [99991663, 99991663]


def test_a_cut_socket_comes_back(lark: LoopbackLark, stock: Stock, stock_app: str):
    before = len(lark.entries("connected", app=stock_app))

    lark.do("sockets", app=stock_app, do="cut")

    lark.wait_for("connected", app=stock_app, count=before + 1)
