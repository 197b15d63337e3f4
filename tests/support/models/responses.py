"""OpenAI's Responses API, as far as Codex uses it."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.support.models.server import Asked, Call, EventStream, Model, Refuse, Say, Text, Thinking, Wait


def add_routes(app: web.Application, model: Model) -> None:
    async def responses(request: web.Request) -> web.StreamResponse:
        asked = await model.note(request)
        if not asked.body.get("tools"):  # titles and the like
            return await _stream(request, model, asked, Say(parts=(Text(text="ok"),)))
        step = await model.next_step(asked)
        if isinstance(step, Refuse):
            headers = {} if step.retry_after is None else {"retry-after": str(step.retry_after)}
            error = {"message": step.message, "type": "error", "code": str(step.status)}
            return web.json_response({"error": error}, status=step.status, headers=headers)
        return await _stream(request, model, asked, step)

    async def models(request: web.Request) -> web.StreamResponse:
        await model.note(request)
        return web.json_response({"object": "list", "data": [], "models": []})

    app.router.add_post("/v1/responses", responses)
    app.router.add_get("/v1/models", models)


async def _stream(request: web.Request, model: Model, asked: Asked, say: Say) -> web.StreamResponse:
    stream = EventStream(request)
    await stream.open()
    name = f"resp_{len(model.requests):04d}"

    async def send(kind: str, **more: object) -> None:
        await stream.send({"type": kind, **more}, event=kind)

    await send("response.created", response={"id": name, "status": "in_progress"})
    index = 0
    for part in say.parts:
        if isinstance(part, Wait):
            await part.until.wait()
            continue
        item = _item(model, part, f"{name}_{index}")
        await send("response.output_item.added", output_index=index, item=_begun(item))
        if isinstance(part, Text):
            for piece in part.split():
                await send("response.output_text.delta", item_id=item["id"], output_index=index, delta=piece)
        elif isinstance(part, Thinking):
            await send("response.reasoning_summary_part.added", item_id=item["id"], summary_index=0)
            await send("response.reasoning_summary_text.delta", item_id=item["id"], summary_index=0, delta=part.text)
        await send("response.output_item.done", output_index=index, item=item)
        index += 1
    if say.is_cut:
        return stream.cut()
    done = {"id": name, "status": "completed", "model": asked.body.get("model", ""), "usage": _usage(say)}
    await send("response.completed", response=done)
    return await stream.close()


def _item(model: Model, part: Text | Thinking | Call, name: str) -> dict[str, Any]:
    match part:
        case Text():
            content = [{"type": "output_text", "text": part.text, "annotations": []}]
            return {"type": "message", "id": name, "role": "assistant", "status": "completed", "content": content}
        case Thinking():
            summary = [{"type": "summary_text", "text": part.text}]
            return {"type": "reasoning", "id": name, "summary": summary, "content": None, "encrypted_content": None}
        case Call() if "input" in part.input and len(part.input) == 1 and isinstance(part.input["input"], str):
            call = {"call_id": model.call_id(part, prefix="call_"), "name": part.name, "input": part.input["input"]}
            return {"type": "custom_tool_call", "id": name, "status": "completed", **call}
        case Call():
            arguments = json.dumps(part.input)
            call = {"call_id": model.call_id(part, prefix="call_"), "name": part.name, "arguments": arguments}
            return {"type": "function_call", "id": name, "status": "completed", **call}


def _begun(item: dict[str, Any]) -> dict[str, Any]:
    """The item before it has any content."""
    empty: dict[str, dict[str, Any]] = {
        "message": {"content": [], "status": "in_progress"},
        "reasoning": {"summary": []},
        "function_call": {"arguments": "", "status": "in_progress"},
        "custom_tool_call": {"input": "", "status": "in_progress"},
    }
    return item | empty[item["type"]]


def _usage(say: Say) -> dict[str, Any]:
    return {
        "input_tokens": say.tokens.input,
        "input_tokens_details": {"cached_tokens": say.tokens.cached},
        "output_tokens": say.tokens.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": say.tokens.input + say.tokens.output,
    }
