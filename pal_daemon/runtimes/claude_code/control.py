"""What is said to Claude Code: one JSON object a line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from uuid import NAMESPACE_URL, uuid5

import msgspec

from pal_daemon.runtimes.base import Answer, Question
from pal_daemon.runtimes.pictures import Picture
from pal_daemon.runtimes.questions import read_answers

INITIALIZE = "pal-initialize"  # ids of our requests; the program's own are random
INTERRUPT = "pal-interrupt"
WORD_JOINER = "\u2060"
PATH_MARK = re.compile(r"@(?=\S)")
EDITED_PLAN = (
    "The plan was approved with changes. This is the plan now, word for word; follow it and not the one before:"
)


def name_input(run: int, key: str) -> str:
    """The uuid a text of ours has in the program's receipts; the same for the same text, whoever asks."""
    return str(uuid5(NAMESPACE_URL, f"pal:run:{run}:{key}"))


def render_initialize() -> bytes:
    return _request(INITIALIZE, {"subtype": "initialize"})


def render_text(text: str, *, uuid: str, pictures: Sequence[Picture] = ()) -> bytes:
    """`client_composed`: a slash or an @path in it is text, and neither a command nor a file to be read."""
    content: object = text
    if pictures:
        content = [*map(_picture, pictures), {"type": "text", "text": text}]
    message = {"role": "user", "content": content}
    return _line({"type": "user", "uuid": uuid, "client_composed": True, "message": message})


def render_command(text: str, *, uuid: str) -> bytes:
    """A command of the program's own. A character nobody sees keeps an @path in it from being read."""
    message = {"role": "user", "content": PATH_MARK.sub(f"@{WORD_JOINER}", text)}
    return _line({"type": "user", "uuid": uuid, "message": message})


def render_interrupt(*, queued: Sequence[str]) -> bytes:
    """End the running turn, and take back the texts that would begin another one."""
    taken = [
        _request(f"pal-cancel-{uuid}", {"subtype": "cancel_async_message", "message_uuid": uuid}) for uuid in queued
    ]
    return b"".join((*taken, _request(INTERRUPT, {"subtype": "interrupt"})))


def render_allow(request_id: str, tool_input: Mapping[str, object]) -> bytes:
    return _response(request_id, {"behavior": "allow", "updatedInput": tool_input})


def render_deny(request_id: str, reason: str) -> bytes:
    """The model reads `reason` word for word."""
    return _response(request_id, {"behavior": "deny", "message": reason, "interrupt": False})


def render_unsupported(request_id: str, subtype: str) -> bytes:
    error = {"subtype": "error", "request_id": request_id, "error": f"pal does not support {subtype}"}
    return _line({"type": "control_response", "response": error})


def read_questions(tool_input: Mapping[str, object]) -> list[Question]:
    """The questions of AskUserQuestion; none when it has another shape than we know."""
    asked = tool_input.get("questions")
    if not isinstance(asked, list):
        return []
    return [_question(each) for each in asked if isinstance(each, dict) and isinstance(each.get("question"), str)]


def render_answers(request_id: str, tool_input: Mapping[str, object], answer: Answer) -> bytes:
    questions = read_questions(tool_input)
    answers = {}
    for question, given in zip(questions, read_answers(questions, answer), strict=True):
        said = ", ".join((*given.chosen, *((given.text,) if given.text else ())))
        if said:
            answers[question.text] = said
    return render_allow(request_id, {**tool_input, "answers": answers})


def _question(asked: Mapping[str, object]) -> Question:
    offered = asked.get("options")
    options = [option for option in offered if isinstance(option, dict)] if isinstance(offered, list) else []
    return Question(
        text=str(asked["question"]),
        header=str(asked.get("header") or ""),
        options=tuple(str(option.get("label", "")) for option in options),
        descriptions=tuple(str(option.get("description") or "") for option in options),
        previews=tuple(str(option.get("preview") or "") for option in options),
        is_multiple=asked.get("multiSelect") is True,
    )


def _picture(picture: Picture) -> dict[str, object]:
    source = {"type": "base64", "media_type": picture.mime, "data": picture.encoded()}
    return {"type": "image", "source": source}


def _request(name: str, request: Mapping[str, object]) -> bytes:
    return _line({"type": "control_request", "request_id": name, "request": request})


def _response(request_id: str, response: Mapping[str, object]) -> bytes:
    answer = {"subtype": "success", "request_id": request_id, "response": response}
    return _line({"type": "control_response", "response": answer})


def _line(said: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(said) + b"\n"
