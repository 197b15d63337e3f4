"""Files both ways: up to DingTalk where nobody sees them yet, down from an address that lives for moments."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import PurePath
from typing import Any

import aiohttp

from pal_server.bridges.inbound import Attachment
from pal_server.bridges.outbound import Doubtful, FileOut, Refused, Unsent, Why

from .hosts import proxy_for
from .web import Failed, Web

Json = dict[str, Any]

PICTURES = ("jpg", "jpeg", "gif", "png", "bmp")
FILES = ("doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "pdf", "rar")  # others are refused
MOST = 20_000_000  # bytes
PIECE = 1 << 16  # bytes
DOWNLOAD = aiohttp.ClientTimeout(total=300.0, sock_connect=5.0, sock_read=30.0)


async def upload(web: Web, file: FileOut) -> tuple[str, Json]:
    """`(msgKey, msgParam)` of the message that shows the file. Raises Failed, never doubtful: nobody has seen it."""
    name, data = await asyncio.to_thread(_packed, file)
    ending = _ending(name)
    kind = "image" if ending in PICTURES else "file"
    if len(data) > MOST:
        raise Failed(Refused(why=Why.TOO_LONG, reason=f"DingTalk takes files of {MOST // 1_000_000} MB at most"))

    def form() -> aiohttp.FormData:
        made = aiohttp.FormData()
        made.add_field("media", data, filename=name, content_type=file.mime if name == file.name else "application/zip")
        return made

    try:
        told = await web.old("/media/upload", params={"type": kind}, body=form)
        media = str(told["media_id"])
    except KeyError as odd:
        raise Failed(Unsent(reason="DingTalk did not say how the uploaded file is called")) from odd
    except Failed as failed:
        if isinstance(failed.outcome, Doubtful):
            raise Failed(Unsent(reason=failed.reason), code=failed.code) from failed
        raise
    if kind == "image":
        return "sampleImageMsg", {"photoURL": media}
    return "sampleFile", {"mediaId": media, "fileName": name, "fileType": ending}


async def fetch(web: Web, attachment: Attachment, *, robot: str) -> AsyncIterator[bytes]:
    """The bytes of a person's file. The address of it needs no token and must not get one."""
    body = {"downloadCode": attachment.key, "robotCode": robot}
    try:
        told = await web.call("POST", "/v1.0/robot/messageFiles/download", body)
    except Failed as failed:
        raise OSError(f"the file {attachment.name} cannot be had: {failed.reason}") from failed
    url = str(told.get("downloadUrl") or "")
    if not url.startswith(("https://", "http://")):
        raise OSError(f"DingTalk does not say where the file {attachment.name} is")
    try:
        async with web.session.get(url, timeout=DOWNLOAD, proxy=proxy_for(url)) as answer:
            if answer.status != 200:
                raise OSError(f"DingTalk answered {answer.status} for the file {attachment.name}")
            async for piece in answer.content.iter_chunked(PIECE):
                yield piece
    except (aiohttp.ClientError, TimeoutError) as broken:
        raise OSError(f"the file {attachment.name} broke off: {type(broken).__name__}") from broken


def _packed(file: FileOut) -> tuple[str, bytes]:
    """Name and bytes as DingTalk takes them: of files few kinds, so all others travel in a zip."""
    try:
        data = file.path.read_bytes()
    except OSError as gone:
        reason = f"the file {file.name} cannot be read: {type(gone).__name__}"
        raise Failed(Refused(why=Why.INVALID, reason=reason)) from gone
    if _ending(file.name) in PICTURES + FILES:
        return file.name, data
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(PurePath(file.name).name, data)
    return f"{file.name}.zip", packed.getvalue()


def _ending(name: str) -> str:
    return PurePath(name).suffix.removeprefix(".").lower()
