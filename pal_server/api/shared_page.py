"""`/s/{token}`: what was shared, alone on paper. Plain HTML without a script, so there is nothing to inject into.

Everything on it was written by others: it goes through `escape` and stays text. The page is in no search engine, in no
frame, and tells no other site its address, which is the credential.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from urllib.parse import parse_qsl, quote

from aiohttp import web
from aiohttp.web_response import StreamResponse

from pal_server.actions import shared
from pal_server.actions.shared import Look
from pal_server.api.artifacts import is_image
from pal_server.api.decoding import read_body
from pal_server.api.routing import Call
from pal_server.api.shared import link_of, present_look
from pal_server.api.shared_words import Words
from pal_server.contract.shares import SharedThing
from pal_server.domain.files import File
from pal_server.domain.messages import Message
from pal_server.domain.pages import Page
from pal_server.domain.runs import RunEvent
from pal_server.domain.shares import Rights, ShareKind
from pal_server.domain.tasks import Task
from pal_server.errors import Invalid, NotFound, PalError

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SHOWN = 100  # messages on one page
EVENTS = 200  # of a run, from its beginning
RESULT = 2_000  # characters of what a tool said
_WORDS = frozenset({"message", "plan"})  # of a run, what is Markdown
_LINES = frozenset({"reasoning", "command", "tool_result", "error", "output"})  # what stands as it is


async def page(call: Call) -> StreamResponse:
    """Opening it counts as a use of the link. One that is not valid gets a page that says so."""
    return await _show(call, said="", counts=True)


async def comment(call: Call) -> StreamResponse:
    """What the page's form sends; the answer leads back to the page."""
    fields = _fields(await read_body(call.http, limit=call.route.limit))
    try:
        secret_hash = link_of(call)
        opened = await call.read(shared.open_link, secret_hash=secret_hash)
        call.services.pace.take(opened.share.id)
        topic = fields.get("topic", "")
        await call.write(
            shared.comment,
            secret_hash=secret_hash,
            name=fields.get("name", ""),
            content=fields.get("content", "").replace("\r\n", "\n"),
            topic=int(topic) if topic.isascii() and topic.isdigit() and len(topic) < 18 else None,
        )
    except NotFound:
        return await _show(call, said="", counts=False)
    except PalError as exc:
        return await _show(call, said=exc.message, counts=False)
    response = web.Response(status=303, headers={"Location": f"/s/{quote(call.text('token'), safe='')}#end"})
    response.headers["Referrer-Policy"] = "same-origin"
    return response


async def _show(call: Call, *, said: str, counts: bool) -> web.Response:
    secret_hash = link_of(call)
    try:
        found = await call.read(shared.look, secret_hash=secret_hash)
        if counts:
            await call.write(shared.note_use, secret_hash=secret_hash)
        content = await _content(call, found, secret_hash)
    except NotFound:
        return _page("This link is not valid", "<p>It was ended, has run out, or never was one.</p>", status=404)
    thing = present_look(found).shared
    note = f'<p role="alert">{escape(said)}</p>' if said else ""
    return _page(thing.title, _about(thing) + content + note + _form(call, found), status=400 if said else 200)


async def _content(call: Call, found: Look, secret_hash: str) -> str:
    match found.share.kind:
        case ShareKind.TOPIC | ShareKind.ROOM:
            before = call.http.query.get("before", "")
            page = await call.read(
                shared.list_messages,
                secret_hash=secret_hash,
                topic=None,
                after=None,
                before=int(before) if before.isascii() and before.isdigit() and len(before) < 18 else 2**62,
                limit=SHOWN,
            )
            return await asyncio.to_thread(_talk, call, found.task, page)
        case ShareKind.RUN:
            events, _ = await call.read(shared.run_events, secret_hash=secret_hash, after=0, limit=EVENTS)
            assert found.run is not None
            files = () if found.summary is None else found.summary.files
            status = f"<p>{escape(found.run.status)}</p>"
            told = await asyncio.to_thread(_transcript, events.items)
            return status + told + _files(call, files)
        case ShareKind.FILE:
            assert found.file is not None
            return _files(call, (found.file,))


def _talk(call: Call, task: Task | None, page: Page[Message]) -> str:
    """Reading much Markdown takes a moment: for a thread, as is `_transcript`."""
    words = Words()
    return _plan(task, words) + _messages(call, page, words)


def _transcript(events: Iterable[RunEvent]) -> str:
    return _events(_joined(events), Words())


def _plan(task: Task | None, words: Words) -> str:
    """What a task is to become, above what was said of it."""
    if task is None:
        return ""
    wanted = "".join(f"<li>{escape(one)}</li>" for one in task.acceptance)
    body = words.html(task.body) if task.body else ""
    return f"<p>{escape(task.status.replace('_', ' ').capitalize())}</p>{body}{f'<ul>{wanted}</ul>' if wanted else ''}"


def _messages(call: Call, page: Page[Message], words: Words) -> str:
    earlier = "" if page.next is None else f'<p><a href="?before={escape(page.next)}">Earlier</a></p>'
    return earlier + "<ol class=said>" + "".join(_message(call, one, words) for one in page.items) + "</ol>"


def _message(call: Call, message: Message, words: Words) -> str:
    if message.deleted_at is not None:
        return f"<li id=m{message.id}><p>Deleted</p></li>"
    sender = message.sender
    origin = f" <small>guest, {escape(sender.origin)}</small>" if sender.kind == "guest" else ""
    attached = "".join(_attached(call, file["id"], file["name"], file["mime"]) for file in message.files)
    return (
        f"<li id=m{message.id}><b>{escape(sender.display_name or sender.name)}</b> {_moment(message.created_at)}"
        f"{origin}{words.html(message.content)}{attached}</li>"
    )


def _joined(events: Iterable[RunEvent]) -> list[tuple[str, str]]:
    """What a run said and did, as (kind, text): words that came in pieces are one."""
    said: dict[tuple[str, str, str], str] = {}
    for event in events:
        if event.kind not in _WORDS | _LINES or not event.text:
            continue
        data = json.loads(event.data)
        is_piece = event.kind in ("message", "reasoning", "output")
        key = (event.kind, event.lane, str(data.get("id")) if is_piece else f"at {event.seq}")
        said[key] = event.text if data.get("replaces") else said.get(key, "") + event.text
    return [(kind, text) for (kind, _, _), text in said.items()]


def _events(said: Iterable[tuple[str, str]], words: Words) -> str:
    shown = (
        words.html(text) if kind in _WORDS else f"<small>{_NAMES[kind]}</small><pre>{escape(_cut(text))}</pre>"
        for kind, text in said
    )
    return "<ol class=said>" + "".join(f"<li>{one}</li>" for one in shown) + "</ol>"


_NAMES = {
    "reasoning": "Thought",
    "command": "Ran",
    "tool_result": "Result",
    "error": "Error",
    "output": "Output",
}


def _cut(text: str) -> str:
    return text if len(text) <= RESULT else f"{text[:RESULT]} …"


def _moment(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f'<time datetime="{moment:%Y-%m-%dT%H:%MZ}">{moment:%Y-%m-%d %H:%M} UTC</time>'


def _files(call: Call, files: Iterable[File]) -> str:
    return "".join(_attached(call, file.id, file.name, file.mime) for file in files)


def _attached(call: Call, id: str, name: str, mime: str) -> str:
    address = f"/api/shared/{quote(call.text('token'), safe='')}/files/{quote(id, safe='')}"
    shown = f'<br><img alt="" loading="lazy" src="{address}">' if is_image(mime) else ""
    return f'<p><a href="{address}">{escape(name)}</a>{shown}</p>'


def _about(thing: SharedThing) -> str:
    until = ""
    if thing.expires_at is not None:
        moment = datetime.fromtimestamp(thing.expires_at / 1000, UTC)
        until = f" until {moment:%Y-%m-%d %H:%M} UTC"
    return f"<p>Shared by {escape(thing.by)}{until}. Whoever has this address sees it.</p>"


def _form(call: Call, found: Look) -> str:
    if found.share.rights is not Rights.COMMENT:
        return "<p id=end></p>"
    return (
        f'<form id=end method="post" action="/s/{quote(call.text("token"), safe="")}">'
        '<label>Your name<input name="name" required maxlength="64" autocomplete="nickname"></label>'
        '<label>Your comment<textarea name="content" required rows="4"></textarea></label>'
        "<button>Comment</button></form>"
    )


def _page(title: str, content: str, *, status: int) -> web.Response:
    text = (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/assets/plain.css">'
        '<link rel="icon" type="image/svg+xml" href="/assets/pal.svg"></head>\n'
        f"<body><main>\n<h1>{escape(title)}</h1>\n{content}\n</main></body></html>\n"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": POLICY,
        # Not no-referrer: with that a browser sends the form without saying whose page it comes from.
        "Referrer-Policy": "same-origin",
        "X-Robots-Tag": "noindex",
    }
    return web.Response(text=text, status=status, headers=headers)


def _fields(raw: bytes) -> dict[str, str]:
    try:
        fields = dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=8))
    except ValueError as exc:  # also what is no text
        raise Invalid("The form cannot be read.", field="body") from exc
    if any("\0" in value for value in fields.values()):
        raise Invalid("A field holds a NUL character, which no text may.", field="body")
    return fields
