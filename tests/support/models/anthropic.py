"""Anthropic's Messages API, as far as coding programs use it."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.support.models.server import Asked, Call, EventStream, Model, Refuse, Say, Text, Thinking, Wait

ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


def add_routes(app: web.Application, model: Model) -> None:
    async def messages(request: web.Request) -> web.StreamResponse:
        asked = await model.note(request)
        if not asked.body.get("tools"):
            return await _answer(request, model, asked, Say(parts=(Text(text="ok"),)))
        step = await model.next_step(asked)
        if isinstance(step, Refuse):
            return _refusal(step)
        return await _answer(request, model, asked, step)

    async def count(request: web.Request) -> web.StreamResponse:
        await model.note(request)
        return web.json_response({"input_tokens": 100})

    app.router.add_post("/v1/messages", messages)
    app.router.add_post("/v1/messages/count_tokens", count)


def _refusal(step: Refuse) -> web.Response:
    headers = {**step.headers, **({} if step.retry_after is None else {"retry-after": str(step.retry_after)})}
    error = {"type": ERRORS.get(step.status, "api_error"), "message": step.message}
    return web.json_response({"type": "error", "error": error}, status=step.status, headers=headers)


async def _answer(request: web.Request, model: Model, asked: Asked, say: Say) -> web.StreamResponse:
    name = f"msg_{len(model.requests):04d}"
    if not asked.body.get("stream"):
        blocks = [_block(model, part) for part in say.parts if not isinstance(part, Wait)]
        return web.json_response(_message(name, asked, say) | {"content": blocks, "stop_reason": _stop(say)})
    stream = EventStream(request)
    await stream.open()

    async def send(kind: str, **more: object) -> None:
        await stream.send({"type": kind, **more}, event=kind)

    await send("message_start", message=_message(name, asked, say))
    index = 0
    for part in say.parts:
        if isinstance(part, Wait):
            await part.until.wait()
            continue
        block = _block(model, part)
        empty = {"text": "", "thinking": "", "input": {}, "signature": ""}
        start = {key: empty.get(key, value) for key, value in block.items()}
        await send("content_block_start", index=index, content_block=start)
        for delta in _deltas(part, block):
            await send("content_block_delta", index=index, delta=delta)
        await send("content_block_stop", index=index)
        index += 1
    if say.is_cut:
        return stream.cut()
    await send(
        "message_delta",
        delta={"stop_reason": _stop(say), "stop_sequence": None},
        usage={"output_tokens": say.tokens.output},
    )
    await send("message_stop")
    return await stream.close()


def _message(name: str, asked: Asked, say: Say) -> dict[str, Any]:
    usage = {
        "input_tokens": say.tokens.input,
        "cache_read_input_tokens": say.tokens.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": 1 if asked.body.get("stream") else say.tokens.output,
    }
    return {
        "id": name,
        "type": "message",
        "role": "assistant",
        "model": asked.body.get("model", ""),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _block(model: Model, part: Text | Thinking | Call) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Thinking():
            return {"type": "thinking", "thinking": part.text, "signature": "signed"}
        case Call():
            return {
                "type": "tool_use",
                "id": model.call_id(part, prefix="toolu_"),
                "name": part.name,
                "input": part.input,
            }


def _deltas(part: Text | Thinking | Call, block: dict[str, Any]) -> list[dict[str, Any]]:
    match part:
        case Text():
            return [{"type": "text_delta", "text": piece} for piece in part.split()]
        case Thinking():
            return [
                {"type": "thinking_delta", "thinking": part.text},
                {"type": "signature_delta", "signature": "signed"},
            ]
        case Call():
            return [{"type": "input_json_delta", "partial_json": json.dumps(part.input)}]


def _stop(say: Say) -> str:
    return say.stop or ("tool_use" if say.has_calls else "end_turn")
