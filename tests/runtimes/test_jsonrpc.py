"""JSON-RPC lines: what each one is, and that ids of the two directions are never mixed up."""

from __future__ import annotations

import json

import pytest

from pal_daemon.runtimes.jsonrpc import (
    Failure,
    Notice,
    Request,
    Result,
    parse_line,
    render_error,
    render_notice,
    render_request,
    render_result,
)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"jsonrpc":"2.0","id":0,"method":"m","params":{"a":1}}', Request(id=0, method="m", params={"a": 1})),
        (b'{"id":"x","method":"m"}', Request(id="x", method="m", params={})),
        (b'{"method":"m","params":{"a":1}}', Notice(method="m", params={"a": 1})),
        (b'{"id":null,"method":"m","params":[1]}', Notice(method="m", params={})),
        (b'{"id":0,"result":null}', Result(id=0, result=None)),
        (b'{"id":3,"result":{"a":[]}}', Result(id=3, result={"a": []})),
        (
            b'{"id":0,"error":{"code":-32601,"message":"no","data":{"a":1}}}',
            Failure(id=0, code=-32601, message="no", data={"a": 1}),
        ),
        (b'{"id":null,"error":{"code":"?","message":null}}', Failure(id=None, code=0, message="", data=None)),
    ],
)
def test_a_line_is_what_it_says(line, message):
    assert parse_line(line) == message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b"3",
        b"(node:1) Warning",
        b"\xff\xfe",
        b'{"id":1}',
        b'{"result":1}',
        b'{"id":true,"result":1}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_none(line):
    assert parse_line(line) is None


def test_our_lines_end_and_hold_no_other_end():
    lines = (
        render_request(0, "m", {"text": "a\nb"}),
        render_notice("m"),
        render_result(0, {"a": "\n"}),
        render_error(0, -32601, "no\nway"),
    )

    for line in lines:
        assert line.count(b"\n") == 1
        assert json.loads(line)["jsonrpc"] == "2.0"
    assert [parse_line(line) for line in lines] == [
        Request(id=0, method="m", params={"text": "a\nb"}),
        Notice(method="m", params={}),
        Result(id=0, result={"a": "\n"}),
        Failure(id=0, code=-32601, message="no\nway", data=None),
    ]
