"""Google's Gemini API, as far as Gemini CLI uses it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.support.models.server import Asked, Call, EventStream, Model, Refuse, Say, Text, Thinking, Wait

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def add_routes(app: web.Application, model: Model) -> None:
    async def generate(request: web.Request) -> web.StreamResponse:
        asked = await model.note(request)
        name, _, method = request.match_info["call"].partition(":")
        if method == "countTokens":
            return web.json_response({"totalTokens": 100})
        if not asked.body.get("tools"):  # routing and titles
            return await _answer(request, name, method, model, Say(parts=(Text(text="ok"),)))
        step = await model.next_step(asked)
        if isinstance(step, Refuse):
            return _refusal(step)
        return await _answer(request, name, method, model, step)

    app.router.add_post("/{version}/models/{call}", generate)


def model_of(asked: Asked) -> str:
    """The model a request was for: it is in the path, not in the body."""
    return asked.path.rpartition("/")[2].partition(":")[0]


def _refusal(step: Refuse) -> web.Response:
    headers = {} if step.retry_after is None else {"retry-after": str(step.retry_after)}
    error = {"code": step.status, "message": step.message, "status": STATUSES.get(step.status, "UNKNOWN")}
    return web.json_response({"error": error}, status=step.status, headers=headers)


async def _answer(request: web.Request, name: str, method: str, model: Model, say: Say) -> web.StreamResponse:
    if not method.startswith("stream"):
        parts = [piece for part in say.parts if not isinstance(part, Wait) for piece in _parts(model, part)]
        return web.json_response(_chunk(name, parts) | _end(name, say))
    stream = EventStream(request)
    await stream.open()
    for part in say.parts:
        if isinstance(part, Wait):
            await part.until.wait()
            continue
        for piece in _parts(model, part):
            await stream.send(_chunk(name, [piece]))
    if say.is_cut:
        return stream.cut()
    await stream.send(_end(name, say))
    return await stream.close()


def _parts(model: Model, part: Text | Thinking | Call) -> list[dict[str, Any]]:
    match part:
        case Text():
            return [{"text": piece} for piece in part.split()]
        case Thinking():
            return [{"text": part.text, "thought": True}]
        case Call():
            call = {"name": part.name, "args": part.input, "id": model.call_id(part, prefix="call_")}
            return [{"functionCall": call}]


def _chunk(name: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"candidates": [{"index": 0, "content": {"role": "model", "parts": parts}}], "modelVersion": name}


def _end(name: str, say: Say) -> dict[str, Any]:
    chunk = _chunk(name, [])
    chunk["candidates"][0]["finishReason"] = say.stop or "STOP"
    chunk["usageMetadata"] = {
        "promptTokenCount": say.tokens.input,
        "candidatesTokenCount": say.tokens.output,
        "cachedContentTokenCount": say.tokens.cached,
        "totalTokenCount": say.tokens.input + say.tokens.output,
    }
    return chunk
