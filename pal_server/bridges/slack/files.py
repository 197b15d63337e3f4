"""Files both ways: up in three steps of which only the last is seen, down with the token and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from pal_server.bridges.inbound import Attachment
from pal_server.bridges.outbound import Doubtful, FileOut, Unsent

from .web import Failed, Web

Json = dict[str, Any]

PIECE = 1 << 16  # bytes
UPLOAD_WITHIN = 10.0  # seconds; a send has 15 in all
DOWNLOAD = aiohttp.ClientTimeout(total=300.0, sock_connect=5.0, sock_read=30.0)


async def upload(web: Web, file: FileOut) -> str:
    """Steps one and two: the bytes are with Slack and nobody sees them. Raises Failed, never doubtful."""
    try:
        asked = await web.call("files.getUploadURLExternal", filename=file.name, length=file.size)
        data = await asyncio.to_thread(file.path.read_bytes)
        limits = aiohttp.ClientTimeout(total=UPLOAD_WITHIN, sock_connect=5.0)
        async with web.session.post(
            asked["upload_url"], data=data, timeout=limits, proxy=web.proxy, headers={"Content-Type": file.mime}
        ) as answer:
            said = await answer.text()
        if answer.status != 200:
            raise Failed(Unsent(reason=f"Slack did not take the file: {answer.status} {said[:100]}"))
    except (aiohttp.ClientError, OSError, TimeoutError) as broken:
        raise Failed(Unsent(reason=f"the file did not get to Slack: {type(broken).__name__}")) from broken
    except Failed as failed:
        if isinstance(failed.outcome, Doubtful):
            raise Failed(Unsent(reason=failed.reason), code=failed.code) from failed
        raise
    return str(asked["file_id"])


async def show(web: Web, file_id: str, *, title: str, channel: str, thread: str | None) -> None:
    """Step three: the file appears in the conversation. May be doubtful."""
    given = json.dumps([{"id": file_id, "title": title}])
    await web.call("files.completeUploadExternal", files=given, channel_id=channel, thread_ts=thread)


async def fetch(web: Web, attachment: Attachment, *, token: str) -> AsyncIterator[bytes]:
    """The bytes of a person's file. Without a good token Slack sends its sign-in page with 200: that is an OSError."""
    try:
        info = (await web.call("files.info", file=attachment.key)).get("file") or {}
    except Failed as failed:
        raise OSError(f"the file {attachment.name} cannot be had: {failed.reason}") from failed
    url = str(info.get("url_private_download") or info.get("url_private") or "")
    if not is_slack(url, web.base_url):
        raise OSError(f"the file {attachment.name} is not kept by Slack")
    size, is_page = int(info.get("size") or 0), str(info.get("mimetype") or "").startswith("text/html")
    got = 0
    try:
        async with web.session.get(
            url, headers={"Authorization": f"Bearer {token}"}, timeout=DOWNLOAD, proxy=web.proxy
        ) as answer:
            if answer.status != 200:
                raise OSError(f"Slack answered {answer.status} for the file {attachment.name}")
            if answer.content_type == "text/html" and (not is_page or answer.content_length not in (None, size)):
                raise OSError(
                    f"Slack shows its sign-in page for the file {attachment.name}: is the scope files:read there?"
                )
            async for piece in answer.content.iter_chunked(PIECE):
                got += len(piece)
                yield piece
    except (aiohttp.ClientError, TimeoutError) as broken:
        raise OSError(f"the file {attachment.name} broke off: {type(broken).__name__}") from broken
    if size and got != size:
        raise OSError(f"the file {attachment.name} has {got} bytes where Slack said {size}")


def is_slack(url: str, base_url: str) -> bool:
    """The token goes to Slack and to nobody else, whatever an event says."""
    host = urlsplit(url).hostname or ""
    is_https = url.startswith("https://") and (host == "slack.com" or host.endswith(".slack.com"))
    own = urlsplit(base_url)
    return is_https or (urlsplit(url).scheme, urlsplit(url).netloc) == (own.scheme, own.netloc)
