"""Answers as they leave: JSON in one encoder, and the headers that everything carries."""

import msgspec
from aiohttp import web

from pal_server.contract.base import Answer

encode = msgspec.json.Encoder().encode

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_JSON = {**SECURITY, "Content-Type": "application/json", "Cache-Control": "no-store"}
_COMMON = {**SECURITY, "Cache-Control": "no-store"}


def common_headers(request_id: str, /) -> dict[str, str]:
    """For answers that are no JSON."""
    return {**_COMMON, "X-Request-Id": request_id}


def json_response(
    body: bytes, /, *, status: int, request_id: str, headers: dict[str, str] | None = None
) -> web.Response:
    given = {**_JSON, "X-Request-Id": request_id}
    if headers:
        given.update(headers)
    return web.Response(body=body, status=status, headers=given)


def answer_response(answer: Answer, /, *, status: int, request_id: str) -> web.Response:
    return json_response(encode(answer), status=status, request_id=request_id)
