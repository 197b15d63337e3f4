"""A model for programs of no vendor: a prompt in, words out as they come.

`POST /plain` takes a text or a JSON object and answers with the words alone. `POST /lines` answers with a JSON object a
line: {"text"}, or {"call", "name", "input"} for a tool.
"""

from __future__ import annotations

import json

from aiohttp import web

from tests.support.models.server import Asked, Call, Model, Refuse, Text, Thinking, Wait


def add_routes(app: web.Application, model: Model) -> None:
    async def plain(request: web.Request) -> web.StreamResponse:
        return await _answer(request, model, is_plain=True)

    async def lines(request: web.Request) -> web.StreamResponse:
        return await _answer(request, model, is_plain=False)

    app.router.add_post("/plain", plain)
    app.router.add_post("/lines", lines)


async def _answer(request: web.Request, model: Model, *, is_plain: bool) -> web.StreamResponse:
    said = await request.text()
    asked = Asked(path=request.path, headers=dict(request.headers), body=_body(said))
    model.requests.append(asked)
    step = await model.next_step(asked)
    if isinstance(step, Refuse):
        return web.Response(status=step.status, text=step.message)
    response = web.StreamResponse()
    await response.prepare(request)
    for part in step.parts:
        match part:
            case Wait():
                await part.until.wait()
            case Text():
                for piece in part.split():
                    await response.write(piece.encode() if is_plain else _line(text=piece))
            case Call():
                assert not is_plain, "what has no tools is not asked to use one"
                call = model.call_id(part, prefix="call-")
                await response.write(_line(call=call, name=part.name, input=part.input))
            case Thinking():
                continue  # these programs say only what they mean
    await response.write_eof()
    return response


def _body(said: str) -> dict[str, object]:
    try:
        body = json.loads(said)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"text": said}


def _line(**said: object) -> bytes:
    return json.dumps(said).encode() + b"\n"
