"""Answers as they leave: JSON in one encoder, and the headers that everything carries."""

import asyncio
import gzip

import msgspec
from aiohttp import web
from aiohttp.web_request import BaseRequest

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

PACKED_FROM = 8_192  # bytes; what is shorter goes in a few packets anyway
PACKED_AT = 3  # level; a higher one takes twice as long for a twentieth less

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


async def packed_response(answer: Answer, /, *, http: BaseRequest, status: int, request_id: str) -> web.Response:
    """The answer, packed when it is long, somebody reads and they do it in a browser.

    A browser may be on a slow line, and what it reads is mostly words, a tenth of them once packed. Programs are on the
    same machine or network, where packing takes longer than sending. Secrets are told once, by what is written, so how
    long a packed answer is says nothing of one.
    """
    body = encode(answer)
    if (
        len(body) < PACKED_FROM
        or http.method != "GET"
        or "Sec-Fetch-Mode" not in http.headers
        or "gzip" not in http.headers.get("Accept-Encoding", "")
    ):
        return json_response(body, status=status, request_id=request_id)
    packed = await asyncio.to_thread(gzip.compress, body, PACKED_AT)
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return json_response(packed, status=status, request_id=request_id, headers=headers)


def answer_response(answer: Answer, /, *, status: int, request_id: str) -> web.Response:
    return json_response(encode(answer), status=status, request_id=request_id)
