"""Frames come out whole, however the bytes were cut."""

import pytest

from pal_server.client.stream import Frame, SseReader

STREAM = (
    b": position 41\nretry: 1000\n\n"
    b'id: 42\nevent: message.created\ndata: {"a":"\xc3\xbc"}\n\n'
    b": beat\n\n"
    b"id: 43\r\nevent: x\r\ndata: one\r\ndata: two\r\n\r\n"
    b"id: 44\nevent: unfinished\ndata: no"
)
FRAMES = [
    Frame(id=42, event="message.created", data='{"a":"ü"}'),
    Frame(id=43, event="x", data="one\ntwo"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_frames_come_out_whole(size: int) -> None:
    reader = SseReader()

    frames = [frame for at in range(0, len(STREAM), size) for frame in reader.feed(STREAM[at : at + size])]

    assert frames == FRAMES
    assert reader.position == 43


def test_the_beginning_says_where_it_stands() -> None:
    reader = SseReader()

    assert reader.feed(b": position 41\nretry: 1000\n\n") == []
    assert reader.position == 41
