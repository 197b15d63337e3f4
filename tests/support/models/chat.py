"""OpenAI's Chat Completions, as far as coding programs and plain endpoints use it."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.support.models.server import Asked, Call, EventStream, Model, Refuse, Say, Text, Thinking, Wait


def add_routes(app: web.Application, model: Model) -> None:
    async def completions(request: web.Request) -> web.StreamResponse:
        asked = await model.note(request)
        step = await model.next_step(asked)
        if isinstance(step, Refuse):
            headers = {**step.headers, **({} if step.retry_after is None else {"retry-after": str(step.retry_after)})}
            error = {"message": step.message, "type": "error", "code": str(step.status)}
            return web.json_response({"error": error}, status=step.status, headers=headers)
        if not asked.body.get("stream"):
            return web.json_response(_whole(model, asked, step))
        return await _stream(request, model, asked, step)

    async def models(request: web.Request) -> web.StreamResponse:
        await model.note(request)
        return web.json_response({"object": "list", "data": [{"id": "small", "object": "model"}]})

    app.router.add_post("/v1/chat/completions", completions)
    app.router.add_get("/v1/models", models)


async def _stream(request: web.Request, model: Model, asked: Asked, say: Say) -> web.StreamResponse:
    stream = EventStream(request)
    await stream.open()
    head = {"id": "chat", "object": "chat.completion.chunk", "created": 1, "model": asked.body.get("model", "")}

    async def send(delta: dict[str, Any], finish: str | None = None) -> None:
        await stream.send({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    await send({"role": "assistant", "content": ""})
    number = 0
    for part in say.parts:
        match part:
            case Wait():
                await part.until.wait()
            case Text():
                for piece in part.split():
                    await send({"content": piece})
            case Thinking():
                await send({"reasoning_content": part.text})
            case Call():
                await send({"tool_calls": [_call(model, part, index=number)]})
                number += 1
    if say.is_cut:
        return stream.cut()
    await send({}, _stop(say))
    if (asked.body.get("stream_options") or {}).get("include_usage"):
        await stream.send({**head, "choices": [], "usage": _usage(say)})
    await stream.send("[DONE]")
    return await stream.close()


def _whole(model: Model, asked: Asked, say: Say) -> dict[str, Any]:
    calls = [part for part in say.parts if isinstance(part, Call)]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(part.text for part in say.parts if isinstance(part, Text)),
    }
    if calls:
        message["tool_calls"] = [_call(model, call, index=index) for index, call in enumerate(calls)]
    return {
        "id": "chat",
        "object": "chat.completion",
        "created": 1,
        "model": asked.body.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": _stop(say)}],
        "usage": _usage(say),
    }


def _call(model: Model, call: Call, *, index: int) -> dict[str, Any]:
    return {
        "index": index,
        "id": model.call_id(call, prefix="call_"),
        "type": "function",
        "function": {"name": call.name, "arguments": json.dumps(call.input)},
    }


def _usage(say: Say) -> dict[str, Any]:
    return {
        "prompt_tokens": say.tokens.input,
        "completion_tokens": say.tokens.output,
        "total_tokens": say.tokens.input + say.tokens.output,
        "prompt_tokens_details": {"cached_tokens": say.tokens.cached},
    }


def _stop(say: Say) -> str:
    return say.stop or ("tool_calls" if say.has_calls else "stop")
