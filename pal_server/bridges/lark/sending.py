"""One try of one send: the requests it takes, and what became of it.

The post's key is the request's `uuid`, so that Lark itself sends a repeat within an hour only once. Changing a message
is idempotent as it is, because the whole content is given.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
import re
from collections.abc import Mapping
from typing import Any

import aiohttp

from pal_server.bridges.inbound import PlaceKind
from pal_server.bridges.lark import cards, errors, limits, markdown
from pal_server.bridges.lark.api import Api, Lost, NotLeft
from pal_server.bridges.lark.content import read_content
from pal_server.bridges.outbound import (
    Doubtful,
    EditCard,
    EditText,
    FileOut,
    Outcome,
    Outgoing,
    PostCard,
    PostFile,
    PostText,
    React,
    Refused,
    Sent,
    Unreact,
    Unsent,
    Why,
    Withdraw,
)
from pal_server.bridges.platform import BadCredentials

MESSAGES = "/open-apis/im/v1/messages"
SEND_FOR = 14.5  # seconds for everything a send takes
UPLOAD_FOR = 10.0  # seconds of it for the bytes of a file
ENOUGH_SHOWN = 0.8  # of the letters sent; Markdown's own signs are lost on the way
_GONE = frozenset(code for code, why in errors.WHY.items() if why is Why.GONE)
_KINDS = {".pdf": "pdf", ".doc": "doc", ".docx": "doc", ".xls": "xls", ".xlsx": "xls", ".ppt": "ppt", ".pptx": "ppt"}


class Sending:
    """The sends of one app."""

    def __init__(self, api: Api, *, in_threads: bool) -> None:
        """`in_threads`: answers in a group make a topic below the question instead of a quoted reply."""
        self._api = api
        self._in_threads = in_threads

    async def send(self, out: Outgoing) -> Outcome:
        """One try. Raises nothing but cancellation."""
        try:
            async with asyncio.timeout(SEND_FOR):
                return await self._send(out)
        except (Lost, TimeoutError) as error:
            return Doubtful(reason=str(error) or f"Lark did not answer within {SEND_FOR:g} s")
        except NotLeft as error:
            return Unsent(reason=str(error))
        except BadCredentials as error:
            return Refused(why=Why.CREDENTIALS, reason=str(error))

    async def _send(self, out: Outgoing) -> Outcome:
        match out:
            case PostText():
                content = markdown.post(out.text, mention=self._mention(out))
                return await self._post(out, "post", content, reply_to=out.reply_to)
            case PostCard():
                return await self._post_card(out)
            case PostFile():
                return await self._post_file(out)
            case EditText():
                body = {"msg_type": "post", "content": as_json(markdown.post(out.text))}
                return await self._change("PUT", out, body)
            case EditCard():
                return await self._change_card(out)
            case React():
                return await self._react(out)
            case Unreact():
                return await self._unreact(out)
            case Withdraw():
                return await self._change("DELETE", out, None)

    # --- messages

    async def _post(self, out: PostText | PostCard | PostFile, kind: str, content: Any, *, reply_to: str) -> Outcome:
        """A reply to `reply_to`, else to the first message of the thread; to the chat when that is gone."""
        body = {"msg_type": kind, "content": as_json(content), "uuid": out.key}
        target = reply_to or out.place.thread
        if target:
            below = self._in_threads and out.place.kind is PlaceKind.GROUP
            reply = {**body, "reply_in_thread": below or bool(out.place.memo)}
            answer = await self._api.call("POST", f"{MESSAGES}/{target}/reply", body=reply)
            if answer.is_good or answer.code not in _GONE:
                return self._posted(out, content, answer)
        query = {"receive_id_type": receiver_kind(out.place.chat)}
        answer = await self._api.call("POST", MESSAGES, query=query, body={**body, "receive_id": out.place.chat})
        return self._posted(out, content, answer)

    def _posted(self, out: PostText | PostCard | PostFile, content: Any, answer: errors.Answer) -> Outcome:
        ref = str(answer.data.get("message_id") or "")
        if not answer.is_good or not ref:
            return self._failed(out, answer)
        whole = not isinstance(out, PostText) or is_shown(content, answer.data)
        return Sent(ref=ref, whole=whole)

    async def _post_card(self, out: PostCard) -> Outcome:
        outcome = await self._post(out, "interactive", cards.render_card(out.card), reply_to=out.reply_to)
        if not _is_refused_card(outcome):
            return outcome
        return await self._post(out, "interactive", cards.render_bare(out.card), reply_to=out.reply_to)

    async def _change_card(self, out: EditCard) -> Outcome:
        outcome = await self._change("PATCH", out, {"content": as_json(cards.render_card(out.card))})
        if not _is_refused_card(outcome):
            return outcome
        return await self._change("PATCH", out, {"content": as_json(cards.render_bare(out.card))})

    async def _change(
        self, method: str, out: EditText | EditCard | Withdraw, body: Mapping[str, Any] | None
    ) -> Outcome:
        answer = await self._api.call(method, f"{MESSAGES}/{out.ref}", body=body)
        if isinstance(out, Withdraw) and answer.code in _GONE:
            return Sent(ref=out.ref)
        return Sent(ref=out.ref) if answer.is_good else self._failed(out, answer)

    # --- reactions

    async def _react(self, out: React) -> Outcome:
        body = {"reaction_type": {"emoji_type": out.emoji}}
        answer = await self._api.call("POST", f"{MESSAGES}/{out.message}/reactions", body=body)
        return Sent(ref=str(answer.data.get("reaction_id", ""))) if answer.is_good else self._failed(out, answer)

    async def _unreact(self, out: Unreact) -> Outcome:
        """By its id, which only its making tells; a lost one is looked for."""
        ref = out.ref or await self.own_reaction(out.message, out.emoji)
        if not ref:
            return Sent(ref="")
        answer = await self._api.call("DELETE", f"{MESSAGES}/{out.message}/reactions/{ref}")
        gone = answer.code in _GONE or answer.code in (231002, 231007)
        return Sent(ref=ref) if answer.is_good or gone else self._failed(out, answer)

    async def own_reaction(self, message: str, emoji: str) -> str:
        """The id of this app's reaction on a message; empty when it has none. `NotLeft`, `Lost`."""
        answer = await self._api.call("GET", f"{MESSAGES}/{message}/reactions", query={"reaction_type": emoji})
        for item in answer.data.get("items") or []:
            operator = item.get("operator") or {}
            if operator.get("operator_type") == "app" and operator.get("operator_id") == self._api.app_id:
                return str(item.get("reaction_id") or "")
        return ""

    # --- files

    async def _post_file(self, out: PostFile) -> Outcome:
        """Upload, which nobody sees, then send it."""
        file = out.file
        if not file.size:
            return Refused(why=Why.INVALID, reason=f"{file.name} is empty, and Lark takes no empty files")
        if file.size > limits.FILE_BYTES:
            return Refused(why=Why.TOO_LONG, reason=f"{file.name} is larger than {limits.FILE_BYTES // 10**6} MB")
        is_image = file.mime.startswith("image/") and "svg" not in file.mime and file.size <= limits.IMAGE_BYTES
        try:
            data = await asyncio.to_thread(file.path.read_bytes)
        except OSError as error:
            return Refused(why=Why.INVALID, reason=f"{file.name} cannot be read: {error.strerror}")
        try:
            answer = await self._upload(file, data, is_image=is_image)
        except Lost as error:
            return Unsent(reason=str(error))  # nobody sees an upload
        key = answer.data.get("image_key" if is_image else "file_key")
        if not answer.is_good or not key:
            failed = self._failed(out, answer)
            return Unsent(reason=failed.reason) if isinstance(failed, Doubtful) else failed
        if is_image:
            return await self._post(out, "image", {"image_key": key}, reply_to=out.reply_to)
        return await self._post(out, "file", {"file_key": key}, reply_to=out.reply_to)

    async def _upload(self, file: FileOut, data: bytes, *, is_image: bool) -> errors.Answer:
        form = aiohttp.FormData()
        if is_image:
            form.add_field("image_type", "message")
            form.add_field("image", data, filename=file.name, content_type=file.mime)
            return await self._api.call("POST", "/open-apis/im/v1/images", form=form, within=UPLOAD_FOR)
        suffix = mimetypes.guess_extension(file.mime) if "." not in file.name else "." + file.name.rpartition(".")[2]
        form.add_field("file_type", _KINDS.get((suffix or "").lower(), "stream"))
        form.add_field("file_name", file.name)
        form.add_field("file", data, filename=file.name, content_type=file.mime)
        return await self._api.call("POST", "/open-apis/im/v1/files", form=form, within=UPLOAD_FOR)

    # --- what they share

    def _mention(self, out: PostText) -> str:
        """Whom the text calls: nobody where the answer hangs below the question."""
        return out.mention.id if out.mention and not out.reply_to and not out.place.thread else ""

    def _failed(self, out: Outgoing, answer: errors.Answer) -> Outcome:
        return errors.outcome(answer, app=limits.app_bucket(self._api.app_id), here=limits.place_bucket(out))


def receiver_kind(chat: str) -> str:
    """What Lark calls this kind of address: a chat, or a person by one of their ids or by e-mail."""
    if "@" in chat:
        return "email"
    return {"oc_": "chat_id", "ou_": "open_id", "on_": "union_id"}.get(chat[:3], "user_id")


def _is_refused_card(outcome: Outcome) -> bool:
    """Whether Lark will not have what is in the card.

    A card cannot become a text, and without buttons nobody can answer: it is shown once more, without Markdown.
    """
    return isinstance(outcome, Refused) and outcome.why is Why.CARD


def is_shown(content: Any, data: Mapping[str, Any]) -> bool:
    """Whether the answer shows what was given. Letters and digits are compared: marks become styles there."""
    shown = (data.get("body") or {}).get("content")
    if not isinstance(shown, str) or not shown:
        return True  # it says nothing about it
    given = _letters(as_json(content))
    return len(_letters(shown)) >= ENOUGH_SHOWN * len(given)


def _letters(content: str) -> str:
    text = read_content("post", content, mentions=(), own_open_id="").text
    return re.sub(r"[\W_]+", "", text)


def as_json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)
