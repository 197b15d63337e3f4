"""`pal cli listen`: messages as they come, each once, across restarts of server and daemon."""

import argparse
import os
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pal_cli.cli.daemon_line import connect, connection_flags, room_flag, room_of
from pal_cli.light import Command, positive, whole
from pal_server.client.terminal import shown
from pal_server.client.terminal.line import Line, segment
from pal_server.client.terminal.output import note, say_json_line

SPILL_ABOVE = 16_384  # bytes of text; what a reader's context should not be filled with unasked
PREVIEW = 500  # characters of a spilled text that stay in the line
_REMEMBERED = 10_000  # ids of messages told lately; a resumed stream repeats far fewer

Message = dict[str, Any]


class Once:
    """Says of an id whether it is new. Remembers the last `_REMEMBERED` ones."""

    def __init__(self) -> None:
        self._told: OrderedDict[int, None] = OrderedDict()

    def is_new(self, id: int) -> bool:
        if id in self._told:
            return False
        self._told[id] = None
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return True


def _arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser, help="only of this room (inside a run: its room)")
    parser.add_argument("--topic", type=whole, metavar="T", help="only of this topic")
    parser.add_argument("--after", type=whole, metavar="POSITION", help="from this position on; 0 is the beginning")
    parser.add_argument("--limit", type=positive, metavar="N", help="end after so many messages")
    parser.add_argument("--spill-above", type=whole, default=SPILL_ABOVE, metavar="BYTES", help="(16384)")
    parser.add_argument("--spill-dir", metavar="DIR", help="where long texts are put (a new folder of your own)")
    connection_flags(parser, json=False)
    parser.add_argument("--json", action="store_true", help="one JSON object per message and line")


def _run(args: argparse.Namespace) -> None:
    line = connect(args)
    line.get("/api/me")  # who may not listen, or cannot, is told so at once; later cuts are waited out
    spill = Spill(above=args.spill_above, folder=args.spill_dir)
    room = _room_id(line, room_of(args))
    stream = messages(line, room=room, topic=args.topic, after=args.after)
    for message in islice(stream, args.limit):
        message = spill.shortened(message)
        if args.json:
            say_json_line(message)
        else:
            shown.message_line(message)
            if "spilled" in message:
                note(f"the whole text of {message['id']} is in {message['spilled']['path']}")


def messages(line: Line, *, room: str | None, topic: int | None, after: int | None) -> Iterator[Message]:
    """New messages, each once, with the `position` of the stream beside them. Never ends by itself."""
    once = Once()
    for event in line.stream("/api/events", after):
        if event["kind"] != "message.created":
            continue
        message = message_of(event["data"])
        if room is not None and message["room"] != room:
            continue
        if topic is not None and message["topic"] != topic:
            continue
        if once.is_new(message["id"]):
            yield {**message, "position": event["position"]}


def message_of(data: dict[str, Any]) -> Message:
    """The message in an event's data, which is the message itself or holds it under its name."""
    inner = data.get("message")
    return inner if isinstance(inner, dict) else data


class Spill:
    """Puts long texts into files. The message keeps a preview and `spilled: {path, bytes}`."""

    def __init__(self, *, above: int, folder: str | None) -> None:
        self._above = above
        self._folder = folder
        self._is_ready = False

    def shortened(self, message: Message) -> Message:
        text = str(message["content"])
        data = text.encode("utf-8", "surrogatepass")
        if len(data) <= self._above:
            return message
        path = os.path.join(self._ready_folder(), f"message-{message['id']}.txt")
        with open(path, "wb") as file:
            file.write(data)
        return {**message, "content": text[:PREVIEW] + "…", "spilled": {"path": path, "bytes": len(data)}}

    def _ready_folder(self) -> str:
        if self._folder is None:
            import tempfile

            self._folder = tempfile.mkdtemp(prefix="pal-listen-")  # 0700: messages are nobody else's to read
        elif not self._is_ready:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
        self._is_ready = True
        return self._folder


def _room_id(line: Line, room: str | None) -> str | None:
    """The id of a room named either way, so that messages can be told apart by it."""
    if room is None:
        return None
    return str(line.get(f"/api/rooms/{segment(room)}")["room"]["id"])


LISTEN = Command(
    about=(
        "Print messages as they come, each once. A cut line is taken up where it was; a text longer than\n"
        "--spill-above goes into a file and leaves a preview."
    ),
    examples=(
        "pal cli listen --room general",
        "pal cli listen --json --after 0 | while read -r line; do …; done",
        "pal cli listen --json --room general --limit 1",
    ),
    arguments=_arguments,
    run=_run,
)
