"""What is behind a share link, for its page and for programs. The token in the path is the only credential."""

import asyncio

from aiohttp.web_response import StreamResponse

from pal_server.actions import log, shared
from pal_server.actions.shared import Look
from pal_server.api.answers import common_headers
from pal_server.api.artifacts import send
from pal_server.api.auth import REVOKED
from pal_server.api.doors import SseDoor
from pal_server.api.events import parse_after
from pal_server.api.present import present, present_all, present_run_event, render_run_event
from pal_server.api.routing import Call
from pal_server.api.services import STOPPING
from pal_server.api.stream import encode_event
from pal_server.contract import files as file_contract
from pal_server.contract import messages, rooms, runs
from pal_server.contract import shares as contract
from pal_server.domain.shares import ShareKind
from pal_server.domain.tasks import Task
from pal_server.errors import PalError
from pal_server.tokens import hash_secret

FLOOR = 4.0  # seconds; the longest a lost wake-up or a revocation elsewhere goes unnoticed
PAUSE = 0.25  # seconds between looks: a link's visitors must not cost what the workspace's own readers do
BEAT = 15.0  # seconds of silence after which a stream shows that it lives
PAGE = 200  # events read at a time


def link_of(call: Call, /) -> str:
    """The hash of the token in the path."""
    return hash_secret(call.text("token"))


async def look(call: Call) -> contract.SharedAnswer:
    """Opening a link counts as a use of it."""
    secret_hash = link_of(call)
    found = await call.read(shared.look, secret_hash=secret_hash)
    await call.write(shared.note_use, secret_hash=secret_hash)
    return present_look(found)


async def list_topics(call: Call) -> rooms.TopicsAnswer:
    query = call.query(contract.SharedTopicsQuery)
    page = await call.read(shared.list_topics, secret_hash=link_of(call), after=query.after, limit=query.limit)
    return rooms.TopicsAnswer(topics=present_all(page.items, rooms.Topic), next=page.next)


async def list_messages(call: Call) -> messages.MessagesAnswer:
    query = call.query(contract.SharedMessagesQuery)
    page = await call.read(
        shared.list_messages,
        secret_hash=link_of(call),
        topic=query.topic,
        after=query.after,
        before=query.before,
        limit=query.limit,
    )
    return messages.MessagesAnswer(messages=present_all(page.items, messages.Message), next=page.next)


async def comment(call: Call) -> messages.MessageAnswer:
    request = call.body(contract.Comment)
    secret_hash = link_of(call)
    opened = await call.read(shared.open_link, secret_hash=secret_hash)
    call.services.pace.take(opened.share.id)
    sent = await call.write(
        shared.comment,
        secret_hash=secret_hash,
        name=request.name,
        content=request.content,
        topic=request.topic,
        parent=request.parent,
        client_id=request.client_id,
    )
    return messages.MessageAnswer(message=present(sent.message, messages.Message))


async def list_run_events(call: Call) -> runs.RunEventsAnswer:
    query = call.query(runs.RunEventsQuery)
    page, _ = await call.read(shared.run_events, secret_hash=link_of(call), after=query.after, limit=query.limit)
    return runs.RunEventsAnswer(events=[present_run_event(event) for event in page.items], next=page.next)


async def download(call: Call) -> StreamResponse:
    """A file that belongs to what is shown."""
    return send(call, await call.read(shared.file, secret_hash=link_of(call), ref=call.text("file")))


async def events(call: Call) -> StreamResponse:
    """What happens behind the link from now on, or after `Last-Event-ID`; ends when the link does.

    For a topic or room the frames are those of `GET /api/events`, for a run those of its own stream.
    """
    after = parse_after(call)
    secret_hash = link_of(call)
    opened = await call.read(shared.open_link, secret_hash=secret_hash)  # a refusal is an answer, no broken stream
    is_run = opened.share.kind is ShareKind.RUN
    if not is_run:
        await call.read(shared.news, secret_hash=secret_hash, position=0, limit=1)
    if after is None:
        after = 0 if is_run else await call.read(log.newest_position, workspace_id=opened.share.workspace_id)
    keys = f"run:{opened.share.target}" if is_run else f"events:{opened.share.workspace_id}"
    door = await SseDoor.open(call.http, headers=common_headers(call.request_id), first="shared", position=after)
    hub, silent_for = call.services.hub, 0.0
    while not call.services.lifetime.is_stopping:
        seen = hub.now
        try:
            if is_run:
                frames, after, is_all, end = await _run_frames(call, secret_hash, after)
            else:
                frames, after, is_all, end = await _talk_frames(call, secret_hash, after)
        except PalError as exc:
            return await door.end(f": {exc.code}\n\n".encode())
        if frames:
            silent_for = 0.0
            if not door.write(door.frame(frames)):
                door.cut()
                return door.response
            await door.drain()
        elif end is not None:
            return await door.end(f'event: end\ndata: {{"status":"{end}"}}\n\n'.encode())
        elif silent_for >= BEAT:
            silent_for = 0.0
            if not door.beat():
                return door.response
        if is_all:
            await asyncio.sleep(PAUSE)
            await hub.wait(keys, REVOKED, STOPPING, seen=seen, timeout=FLOOR)
            silent_for += FLOOR
    return await door.end(b": stopping\n\n")


def present_look(found: Look, /) -> contract.SharedAnswer:
    share, room, topic, run, file = found.share, found.room, found.topic, found.run, found.file
    return contract.SharedAnswer(
        shared=contract.SharedThing(
            kind=share.kind.value,
            title=_title(found),
            rights=share.rights.value,
            may_trigger=share.may_trigger,
            by=found.giver.display_name or found.giver.name,
            expires_at=share.expires_at,
        ),
        room=None if room is None else contract.SharedRoom(id=room.id, name=room.name, title=room.title),
        topic=None if topic is None else contract.SharedTopic(id=topic.id, title=topic.title),
        task=None if found.task is None else _task(found.task),
        run=None if run is None else present(run, contract.SharedRun),
        summary=None if found.summary is None else present(found.summary, runs.RunSummary),
        file=None if file is None else present(file, file_contract.File),
    )


def _task(task: Task) -> contract.SharedTask:
    return contract.SharedTask(
        code=task.code, status=task.status.value, body=task.body, acceptance=list(task.acceptance)
    )


def _title(found: Look) -> str:
    if found.task is not None:
        return f"{found.task.code}: {found.task.title}"
    if found.topic is not None:
        return found.topic.title
    if found.room is not None:
        return found.room.title
    if found.run is not None:
        return f"Run {found.run.id} of {found.run.agent}"
    return "" if found.file is None else found.file.title or found.file.name


async def _talk_frames(call: Call, secret_hash: str, after: int) -> tuple[bytes, int, bool, str | None]:
    news = await call.read(shared.news, secret_hash=secret_hash, position=after, limit=PAGE)
    frames = b"".join(
        b"id: %d\nevent: %b\ndata: %b\n\n" % (event.position, event.kind.encode(), encode_event(event))
        for event in news.events
    )
    return frames, news.position, news.is_all, None


async def _run_frames(call: Call, secret_hash: str, after: int) -> tuple[bytes, int, bool, str | None]:
    page, end = await call.read(shared.run_events, secret_hash=secret_hash, after=after, limit=PAGE)
    frames = b"".join(
        b"id: %d\nevent: run.event\ndata: %b\n\n" % (event.seq, render_run_event(event)) for event in page.items
    )
    return frames, page.items[-1].seq if page.items else after, page.next is None, end
