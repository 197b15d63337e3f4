"""The rest of the API: bot, people, chats, scopes, uploads and downloads."""

from __future__ import annotations

from aiohttp import BodyPartReader, web

from pal_cli.chaos.platforms.lark.journal import Journal
from pal_cli.chaos.platforms.lark.open_api import Door, Refusal, fine
from pal_cli.chaos.platforms.lark.world import SCOPES, App, Upload, World

IMAGE_BYTES, FILE_BYTES = 10 << 20, 30 << 20


class SideApi:
    """Routes of bot/v3, contact/v3, application/v6, im/v1/chats, images, files and resources."""

    def __init__(self, world: World, journal: Journal, door: Door) -> None:
        self._world = world
        self._journal = journal
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        needs = self._door.needs
        im = "/open-apis/im/v1"
        return [
            web.get("/open-apis/bot/v3/info", needs(None, self._bot)),
            web.get("/open-apis/application/v6/scopes", needs(None, self._scopes)),
            web.get("/open-apis/contact/v3/users/{id}", needs(None, self._person)),
            web.get(im + "/chats", needs("im:chat:readonly", self._chats)),
            web.get(im + "/chats/{id}", needs("im:chat:readonly", self._chat)),
            web.post(im + "/images", needs("im:resource", self._image)),
            web.post(im + "/files", needs("im:resource", self._file)),
            web.get(im + "/messages/{id}/resources/{key}", needs("im:resource", self._resource)),
        ]

    async def _bot(self, app: App, request: web.Request) -> web.Response:
        bot = {"app_name": app.name, "avatar_url": "", "open_id": app.open_id, "activate_status": 2}
        return web.json_response({"code": 0, "msg": "ok", "bot": bot})

    async def _scopes(self, app: App, request: web.Request) -> web.Response:
        known = sorted({*SCOPES, *app.scopes})
        scopes = [
            {"scope_name": name, "grant_status": 1 if name in app.scopes else 2, "scope_type": "tenant"}
            for name in known
        ]
        return fine({"scopes": scopes})

    async def _person(self, app: App, request: web.Request) -> web.Response:
        kind = request.query.get("user_id_type", "open_id")
        person = self._world.person_by(app.id, kind, request.match_info["id"])
        if person is None:
            raise Refusal(99992351, "not a valid open_id")
        user = {"open_id": self._world.open_id(app.id, person.union_id), "union_id": person.union_id}
        if "contact:user.base:readonly" in app.scopes:
            user |= {"name": person.name, "en_name": ""}
        return fine({"user": user})

    async def _chats(self, app: App, request: web.Request) -> web.Response:
        mine = [c for c in self._world.chats.values() if app.id in c.apps and c.mode != "p2p"]
        items = [{"chat_id": chat.id, "name": chat.name, "chat_mode": chat.mode} for chat in mine]
        return fine({"items": items, "has_more": False, "page_token": ""})

    async def _chat(self, app: App, request: web.Request) -> web.Response:
        chat = self._world.chats.get(request.match_info["id"])
        if chat is None or app.id not in chat.apps:
            raise Refusal(232011, "Operator can NOT be out of the chat.")
        return fine({"name": chat.name, "chat_mode": chat.mode, "chat_type": "private"})

    async def _image(self, app: App, request: web.Request) -> web.Response:
        fields = await _fields(request)
        key = self._keep(app, "image", "image", fields.get("image", ("", b"")), most=IMAGE_BYTES)
        return fine({"image_key": key})

    async def _file(self, app: App, request: web.Request) -> web.Response:
        fields = await _fields(request)
        name = fields["file_name"][1].decode()
        key = self._keep(app, "file", name, fields.get("file", ("", b"")), most=FILE_BYTES)
        return fine({"file_key": key})

    def _keep(self, app: App, kind: str, name: str, given: tuple[str, bytes], *, most: int) -> str:
        filename, content = given
        if not filename or not content:
            raise Refusal(234001, "Invalid request param.")  # a text field is no file
        if len(content) > most:
            raise Refusal(234006, "The file size exceed the max value.")
        key = self._world.new_id("img_v3" if kind == "image" else "file_v3")
        self._world.uploads[key] = Upload(key=key, owner=app.id, kind=kind, name=name, content=content)
        self._journal.write("uploaded", app=app.id, key=key, name=name, size=len(content))
        return key

    async def _resource(self, app: App, request: web.Request) -> web.StreamResponse:
        upload = self._world.uploads.get(request.match_info["key"])
        message = self._world.messages.get(request.match_info["id"])
        if upload is None or message is None or upload.key not in message.content:
            raise Refusal(234003, "File not in msg.")
        headers = {"Content-Disposition": f'attachment; filename="{upload.name}"'}
        return web.Response(body=upload.content, content_type=upload.mime, headers=headers)


async def _fields(request: web.Request) -> dict[str, tuple[str, bytes]]:
    """Name → (file name, bytes) of a multipart body."""
    fields: dict[str, tuple[str, bytes]] = {}
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name:
            fields[part.name] = (part.filename or "", bytes(await part.read()))
    return fields
