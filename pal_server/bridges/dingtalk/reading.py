"""What a message holds: text, pictures, files, voice, in DingTalk's shapes. Pure.

The SDK's own model knows three of the shapes and raises on others, so the plain payload is read.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pal_server.bridges.inbound import Attachment

Json = Mapping[str, Any]

MOST_QUOTED = 600  # characters of the message that is answered
WORDS = {"location": "a location", "interactiveCard": "a card", "link": "a link card", "chatRecord": "a chat record"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    text: str = ""
    files: tuple[Attachment, ...] = ()
    unsupported: str = ""


def content_of(data: Json) -> Content:
    """Of a robot message. Raises TypeError, ValueError and the like for shapes that are none."""
    kind, content = str(data.get("msgtype") or ""), _object(data.get("content"))
    match kind:
        case "text":
            said = _object(data.get("text"))
            return Content(text=_with_quote(str(said.get("content") or "").strip(), said))
        case "richText":
            return _rich(content)
        case "picture":
            return Content(files=(_picture(content, 1),))
        case "file":
            name = str(content.get("fileName") or "file")
            return Content(files=(Attachment(key=_code(content), name=name, mime=_mime(name)),))
        case "audio":
            name = "voice.amr"
            file = Attachment(key=_code(content), name=name, mime="audio/amr")
            return Content(text=str(content.get("recognition") or "").strip(), files=(file,))
        case "video":
            name = f"video.{content.get('videoType') or 'mp4'}"
            return Content(files=(Attachment(key=_code(content), name=name, mime=_mime(name)),))
        case _:
            return Content(unsupported=WORDS.get(kind, f"a message of the kind {kind or 'unknown'}"))


def replied_to(data: Json) -> str:
    """The id of the message that is answered, where DingTalk says."""
    said = _object(data.get("text"))
    replied = _object(said.get("repliedMsg"))
    return str(replied.get("msgId") or "") if said.get("isReplyMsg") else ""


def replied_query(data: Json) -> str:
    """Of a robot message that is answered, the `processQueryKey` it was sent under; empty where DingTalk does not say.

    Undocumented: seen in what it pushes.
    """
    is_reply = _object(data.get("text")).get("isReplyMsg") or data.get("originalMsgId")
    return str(data.get("originalProcessQueryKey") or "") if is_reply else ""


def answers_robot(data: Json) -> bool:
    """Whether the robot's own message is answered, as far as DingTalk names its author."""
    said, robot = _object(data.get("text")), str(data.get("chatbotUserId") or "")
    author = str(_object(said.get("repliedMsg")).get("senderId") or "")
    return bool(said.get("isReplyMsg") and robot and author == robot)


def _rich(content: Json) -> Content:
    """Text and pictures in turn; a picture stands in the text as the name of its file."""
    text = ""
    files: list[Attachment] = []
    for part in content.get("richText") or ():
        if part.get("type") == "picture" or (part.get("downloadCode") and not part.get("text")):
            files.append(_picture(part, len(files) + 1))
            text += f"\n[{files[-1].name}]\n"
        else:
            text += str(part.get("text") or "")
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return Content(text="\n".join(line for at, line in enumerate(lines) if line or lines[at - 1]), files=tuple(files))


def _picture(content: Json, number: int) -> Attachment:
    return Attachment(key=_code(content), name=f"picture{'' if number == 1 else number}.jpg", mime="image/jpeg")


def _with_quote(text: str, said: Json) -> str:
    """What is answered stands above the answer: the agent may never have seen it."""
    replied = _object(said.get("repliedMsg")) if said.get("isReplyMsg") else {}
    quoted = _quoted(_object(replied.get("content")))[:MOST_QUOTED]
    if not quoted:
        return text
    return "\n".join([*(f"> {line}" for line in quoted.splitlines()), "", text])


def _quoted(content: Json) -> str:
    if isinstance(content.get("text"), str):
        return str(content["text"]).strip()
    parts = content.get("richText") or ()
    return "".join(str(part.get("text") or part.get("content") or "") for part in parts).strip()


def _code(content: Json) -> str:
    """What gets the bytes. Without one there is nothing to get: that is a shape of no use."""
    code = str(content.get("downloadCode") or content.get("pictureDownloadCode") or "")
    if not code:
        raise ValueError("a file without a download code")
    return code


def _mime(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _object(value: object) -> Json:
    """DingTalk gives some objects as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {"text": value}
    return value if isinstance(value, Mapping) else {}
