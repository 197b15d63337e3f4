"""Files: taken in as they come, handed out so that a browser never runs them in our name."""

import asyncio
import mimetypes
from urllib.parse import quote

from aiohttp import web
from aiohttp.web_response import StreamResponse

from pal_server.actions import files
from pal_server.api.incoming import next_part
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import files as contract
from pal_server.domain.files import File, parse_size
from pal_server.errors import TooLarge
from pal_server.storage.blobs import Blobs, Upload

PART = 256 * 1024  # bytes handed to the disk at a time
PREVIEW_BYTES = 4096
_TEXTS = frozenset({"application/json", "application/xml", "application/yaml", "application/x-yaml"})
_UNKNOWN = "application/octet-stream"
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "application/pdf"})
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"


async def upload(call: Call) -> contract.ArtifactAnswer:
    """The body is the file. Its bytes are on disk before the row that names them is written."""
    query = call.query(contract.UploadQuery)
    limit = call.route.limit
    call.services.pace.take_for(call.actor)
    announced = call.http.content_length
    if announced is not None and announced > limit:
        raise TooLarge(f"The file has more than {limit} bytes.", limit=limit)
    blobs = Blobs(call.services.settings.files)
    with blobs.upload(limit=limit) as coming:
        await _take(call, coming)
        parse_size(coming.size, limit=limit)  # what no row will name leaves no bytes behind
        sha256 = await asyncio.to_thread(coming.keep)
        mime = query.mime or _mime(call, query.name)
        file = await call.write(
            files.add,
            actor=call.actor,
            name=query.name,
            mime=mime,
            size=coming.size,
            sha256=sha256,
            title=query.title,
            ttl=query.ttl,
            room=query.room,
            card=await _preview(blobs, sha256, mime) if query.card else None,
            client_id=query.client_id,
        )
    return contract.ArtifactAnswer(artifact=present(file, contract.File))


async def list_artifacts(call: Call) -> contract.ArtifactsAnswer:
    query = call.query(contract.ArtifactsQuery)
    page = await call.read(
        files.list_page,
        actor=call.actor,
        q=query.q,
        after=query.after,
        limit=query.limit,
        room=query.room,
        run=query.run,
        mime=query.mime,
        state=query.state,
    )
    return contract.ArtifactsAnswer(artifacts=present_all(page.items, contract.File), next=page.next)


async def list_workbench(call: Call) -> contract.ArtifactsAnswer:
    return await list_artifacts(call)


async def revoke(call: Call) -> contract.ArtifactAnswer:
    file = await call.write(files.revoke, actor=call.actor, ref=call.text())
    return contract.ArtifactAnswer(artifact=present(file, contract.File))


async def cleanup(call: Call) -> contract.CleanedAnswer:
    """Remove what is revoked or expired, rows first and then bytes nobody names."""
    removed = 0
    blobs = Blobs(call.services.settings.files)
    while True:
        cleaned = await call.write(files.cleanup, actor=call.actor)
        removed += cleaned.removed
        await asyncio.to_thread(blobs.remove_unused, cleaned.unused)
        if cleaned.is_all:
            return contract.CleanedAnswer(removed=removed)


async def download(call: Call) -> StreamResponse:
    """The content, with its ranges. What a browser could run is a download; the rest is shown in a sandbox."""
    return send(call, await call.read(files.open_link, actor=call.actor, ref=call.text()))


def send(call: Call, file: File, /) -> StreamResponse:
    """The content of a file that may be sent now."""
    response = web.FileResponse(Blobs(call.services.settings.files).path(file.sha256))
    response.headers.update(_headers(file))
    return response


def is_image(mime: str, /) -> bool:
    """Whether a browser may show it as a picture."""
    return mime in _SHOWN and mime.startswith("image/")


def _headers(file: File) -> dict[str, str]:
    way = "inline" if file.mime in _SHOWN else "attachment"
    return {
        "Content-Type": f"{file.mime}; charset=utf-8" if file.mime.startswith("text/") else file.mime,
        "Content-Disposition": f"{way}; filename*=UTF-8''{quote(file.name, safe='')}",
        "Content-Security-Policy": _SANDBOX,
        "Cache-Control": "private, no-cache",
    }


async def _take(call: Call, coming: Upload) -> None:
    """Read the body and hand it to the disk in large parts, in a thread."""
    if call.http.headers.get("Expect", "").lower() == "100-continue" and call.http.transport is not None:
        call.http.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    waiting = bytearray()
    while received := await next_part(call.http.content):
        waiting += received
        if len(waiting) >= PART:
            await asyncio.to_thread(coming.write, bytes(waiting))
            waiting.clear()
    if waiting:
        await asyncio.to_thread(coming.write, bytes(waiting))


async def _preview(blobs: Blobs, sha256: str, mime: str) -> str:
    """The first words of a text; empty for what is none."""
    if not mime.startswith("text/") and mime not in _TEXTS:
        return ""

    def read() -> str:
        with blobs.open(sha256) as file:
            return file.read(PREVIEW_BYTES).decode("utf-8", "replace").replace("\0", "\ufffd")

    return await asyncio.to_thread(read)


def _mime(call: Call, name: str) -> str:
    """What the request says, else what the name says."""
    said = call.http.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if said and said not in (_UNKNOWN, "application/x-www-form-urlencoded"):
        return said
    return mimetypes.guess_type(name)[0] or _UNKNOWN
