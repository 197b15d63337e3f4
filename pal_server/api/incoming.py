"""The bytes of a body, for as long as they keep coming."""

import asyncio

from aiohttp.streams import StreamReader

from pal_server.errors import Invalid

STALLED_AFTER = 30.0  # seconds without a byte; a phone that changes its network comes back sooner


async def next_part(content: StreamReader, /) -> bytes:
    """What has come since the last call, b"" at the end. `Invalid` when nothing comes for `STALLED_AFTER`: whoever
    stopped sending must not hold a connection for ever.
    """
    part = content.read_nowait()
    if part or content.at_eof():  # most bodies came with their head: no timer for those
        return part
    try:
        async with asyncio.timeout(STALLED_AFTER):
            return await content.readany()
    except TimeoutError as exc:
        raise Invalid(f"The body stopped coming: nothing for {STALLED_AFTER:g} s.", field="body") from exc
