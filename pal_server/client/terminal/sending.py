"""Sending a message from a terminal: where its text comes from, its attachments, and tries that cannot double it."""

import os
import sys
import time
from dataclasses import dataclass
from typing import Any

from pal_server.client.sync import ApiProblem
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line, NoAnswer, without_nothing
from pal_server.client.terminal.output import note, ordinal, say, say_json

TRY_FOR = 4.0  # seconds; long enough for a restart of the server, short enough for a person who waits
FIRST_PAUSE = 0.1  # seconds; doubled with each try
_BUSY = ("unavailable", "rate_limited")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What to say and where. `attach` are paths; `client_id` makes every repeat the same message."""

    content: str
    room: str | None = None
    topic: int | None = None
    parent: int | None = None
    sender: str | None = None
    mentions: list[str]
    attach: list[str]
    steer: str | None = None
    client_id: str


def new_client_id() -> str:
    """An id of this one sending, the same in all its repeats."""
    return f"cli-{os.urandom(12).hex()}"


def read_text(text: str | None, file: str | None, *, may_be_empty: bool = False) -> str:
    """The text of TEXT, `-` (standard input) or `--file`: exactly one of them; WrongUsage says what is wrong."""
    if text is not None and file is not None:
        raise WrongUsage("TEXT and --file were both given. Give one of them; a second file goes with --attach")
    if file is not None:
        content, source = _decode(_read_file(file, flag="--file"), source=f"--file {file}"), f"--file {file}"
    elif text == "-":
        content, source = _decode(sys.stdin.buffer.read(), source="standard input"), "standard input"
    elif text is not None:
        content, source = _decode(os.fsencode(text), source="TEXT"), "TEXT"
    elif may_be_empty:
        return ""
    else:
        raise WrongUsage("TEXT is missing. Give it in quotes, as --file FILE, or as - to read standard input")
    if not content.strip() and not may_be_empty:
        raise WrongUsage(f"{source} is empty, and an empty message is not sent. Give some text, or --file FILE")
    return content


def require_place(outgoing: Outgoing) -> None:
    """WrongUsage when it is not said where to: a room, or a topic or message that is in one."""
    if outgoing.room is None and outgoing.topic is None and outgoing.parent is None:
        raise WrongUsage("--room is missing. Name a room; `pal cli rooms list` lists them")


def send(line: Line, outgoing: Outgoing, *, as_json: bool) -> None:
    """Send it, then say what happens now with each agent it is for."""
    answer = deliver(line, outgoing)
    if as_json:
        say_json(answer)
    else:
        show_sent(answer)


def deliver(line: Line, outgoing: Outgoing) -> dict[str, Any]:
    """Store its files, then say it; what the API answered."""
    attached = [_read_file(path, flag="--attach") for path in outgoing.attach]
    files = [
        upload(line, path=path, data=data, room=outgoing.room, client_id=f"{outgoing.client_id}-{place}")["artifact"][
            "id"
        ]
        for place, (path, data) in enumerate(zip(outgoing.attach, attached, strict=True))
    ]
    body = without_nothing(
        {
            "room": outgoing.room,
            "topic": outgoing.topic,
            "parent": outgoing.parent,
            "sender": outgoing.sender,
            "mentions": outgoing.mentions,
            "content": outgoing.content,
            "files": files,
            "steer": outgoing.steer,
            "client_id": outgoing.client_id,
        }
    )
    return until_answered(line, "/api/messages", body=body, client_id=outgoing.client_id)


def upload(
    line: Line,
    *,
    path: str,
    data: bytes,
    client_id: str,
    mime: str | None = None,
    title: str | None = None,
    ttl: int | None = None,
    room: str | None = None,
    card: bool = False,
) -> dict[str, Any]:
    """Store one file; the answer names it. Tried again like a message, under its own `client_id`."""
    query = without_nothing(
        {
            "name": os.path.basename(path),
            "mime": mime or guess_mime(path),
            "title": title,
            "ttl": ttl,
            "room": room,
            "card": "true" if card else None,
            "client_id": client_id,
        }
    )
    return until_answered(line, "/api/artifacts", body=data, query=query, client_id=client_id)


def until_answered(
    line: Line,
    path: str,
    *,
    body: dict[str, object] | bytes,
    client_id: str,
    query: dict[str, object] | None = None,
) -> dict[str, Any]:
    """POST it, and while nobody answers or the server is busy POST it again, for `TRY_FOR` seconds.

    Every try carries the same `client_id`, so a try whose answer was lost is not done twice. The last failure is
    raised with the words that make a later repeat safe too.
    """
    give_up_at = time.monotonic() + TRY_FOR
    pause = FIRST_PAUSE
    while True:
        try:
            return line.call("POST", path, body=body, query=query)
        except (NoAnswer, ApiProblem) as failure:
            if isinstance(failure, ApiProblem):
                if failure.code not in _BUSY and failure.status not in (502, 503, 504):
                    raise
                pause = max(pause, float(failure.retry_after or 0))
            if time.monotonic() + pause > give_up_at:
                again = f"It may or may not have arrived: repeating it with --client-id {client_id} is safe"
                if isinstance(failure, ApiProblem):
                    note(again)
                    raise
                raise NoAnswer(f"{failure}. {again}") from failure
        time.sleep(pause)
        pause *= 2


def show_sent(answer: dict[str, Any]) -> None:
    """The number of the message, and for everybody it is for what happens now, in words."""
    message = answer["message"]
    is_held = (message.get("card") or {}).get("type") == "draft"  # something newer was said, and the room asks people
    how = "not sent, held as" if is_held else "sent as"
    say(f"{how} message {message['id']} to {message.get('room_name') or message['room']}, topic {message['topic']}")
    for receipt in answer.get("receipts", []):
        say(f"{receipt['agent']}: {receipt_words(receipt)}")
    told = {receipt["agent"].lower() for receipt in answer.get("receipts", [])}
    unknown = [name for name in answer.get("unresolved_mentions", []) if name.lower() not in told]
    if unknown:
        names = ", ".join(unknown)
        note(f"nobody here is called {names}. `pal cli rooms members --room {message['room_name']}` lists who is")


def receipt_words(receipt: dict[str, Any]) -> str:
    """What the server said of it; from outcome and place where it said nothing."""
    if receipt.get("text"):
        return str(receipt["text"]).removeprefix(f"{receipt['agent']} ")
    place = receipt.get("place")
    return f"{receipt['outcome']}, {ordinal(place)}" if isinstance(place, int) else str(receipt["outcome"])


def read_upload(path: str) -> bytes:
    """The bytes of a file to upload; WrongUsage when it cannot be read."""
    return _read_file(path, flag="PATH")


def guess_mime(path: str) -> str:
    """By the name's ending; plain bytes when that says nothing."""
    import mimetypes

    return mimetypes.guess_type(path)[0] or "application/octet-stream"


def _read_file(path: str, *, flag: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise WrongUsage(f"{flag} {path}: there is no such file. Check the path") from error
    except IsADirectoryError as error:
        raise WrongUsage(f"{flag} {path} is a folder. Name a file in it") from error
    except OSError as error:
        raise WrongUsage(f"{flag} {path} cannot be read: {error.strerror or error}") from error


def _decode(data: bytes, *, source: str) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WrongUsage(
            f"{source} is not UTF-8 text (byte {error.start} is wrong). Convert it, or send the file with --attach"
        ) from error
    if "\0" in text:
        raise WrongUsage(f"{source} has a NUL character, so it is no text. Send the file with --attach")
    return text
