"""The bytes of what people attach."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp

from pal_server.bridges.inbound import Attachment
from pal_server.bridges.lark.api import Api, Lost, NotLeft, read
from pal_server.bridges.lark.errors import TOKEN_CODES, reason
from pal_server.bridges.platform import BadCredentials

PIECE = 1 << 16  # bytes


async def fetch(api: Api, message: str, attachment: Attachment) -> AsyncIterator[bytes]:
    """The file in pieces. OSError with a sentence when Lark does not hand it out."""
    kind, _, key = attachment.key.partition(":")
    path = f"/open-apis/im/v1/messages/{message}/resources/{key}"
    refused = ""
    for _ in range(2):  # the second time with a new token, if it was that
        try:
            async with api.download(path, query={"type": kind}) as response:
                if not _is_error(response):
                    async for piece in response.content.iter_chunked(PIECE):
                        yield piece
                    return
                answer = await read(response)
                refused = reason(answer)
                if answer.code not in TOKEN_CODES:
                    break
        except (NotLeft, Lost, BadCredentials) as error:
            raise OSError(f"Lark does not hand out {attachment.name}: {error}") from error
    raise OSError(f"Lark does not hand out {attachment.name}: {refused}")


def _is_error(response: aiohttp.ClientResponse) -> bool:
    """An error may come with status 200; then it is JSON, and unlike a JSON file it has no name."""
    return response.status != 200 or (
        response.content_type == "application/json" and "Content-Disposition" not in response.headers
    )
