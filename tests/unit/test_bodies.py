"""Bodies are read whole or refused with what is wrong, also where `chat` stands for `room`."""

import pytest

from pal_server.api.decoding import decode_body
from pal_server.contract.rooms import StartDebate
from pal_server.errors import Invalid


def test_chat_is_another_word_for_room() -> None:
    body = decode_body(b'{"chat": "x", "a": "a", "b": "b", "subject": "s"}', StartDebate, content_type="")

    assert isinstance(body, StartDebate)
    assert body.room == "x"


@pytest.mark.parametrize(
    "rest", [b'"a":', b'"a": ' + b"[" * 100_000, b'"a": "\xff"}', b'"room": "y"}'], ids=["cut", "deep", "bytes", "both"]
)
def test_what_follows_the_older_word_is_checked_too(rest: bytes) -> None:
    with pytest.raises(Invalid):
        decode_body(b'{"chat": "x", ' + rest, StartDebate, content_type="")
