"""Files on the platform: the upload in three steps, and downloads that need the token."""

from __future__ import annotations

import json
import mimetypes
from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.slack.happenings import Happenings
from pal_cli.chaos.platforms.slack.methods import Refused
from pal_cli.chaos.platforms.slack.world import File, Install

Json = dict[str, Any]

SIGN_IN = "<!DOCTYPE html><html><title>Sign in | Slack</title></html>"


class Files:
    """Three steps: an address, the bytes, and the step that shows it."""

    def __init__(self, happenings: Happenings) -> None:
        self._happen = happenings
        self._world = happenings.world

    def upload_url(self, me: Install, args: Json) -> Json:
        name, length = str(args.get("filename") or ""), int(args.get("length") or 0)
        if not name or length < 1:
            raise Refused("invalid_arguments")
        file = self.make(team=me.team, name=name, data=b"\0" * length, user=me.bot_user)
        return {"upload_url": f"{self._world.url}/upload/v1/{file.id}", "file_id": file.id}

    def complete(self, me: Install, args: Json) -> Json:
        given = args.get("files")
        wanted = json.loads(given) if isinstance(given, str) else given
        done = []
        for entry in wanted or []:
            file = self._world.files.get(entry["id"])
            if file is None or file.team != me.team:
                raise Refused("file_not_found")
            file.title, file.is_complete = entry.get("title") or file.name, True
            done.append(file)
        channel = self._world.channels.get(str(args.get("channel_id") or ""))
        if args.get("channel_id"):
            if channel is None or channel.team != me.team or me.bot_user not in channel.members:
                raise Refused("channel_not_found")
            message: Json = {
                "text": str(args.get("initial_comment") or ""),
                "user": me.bot_user,
                "bot_id": me.bot_id,
                "app_id": me.app,
                "subtype": "file_share",
                "files": [self.shown(file) for file in done],
            }
            if args.get("thread_ts"):
                message["thread_ts"] = str(args["thread_ts"])
            for file in done:
                file.channels.append(channel.id)
            self._happen.post(channel, message)
        return {"files": [self.shown(file) for file in done]}

    def info(self, me: Install, args: Json) -> Json:
        file = self._world.files.get(str(args.get("file")))
        if file is None or file.team != me.team:
            raise Refused("file_not_found")
        return {"file": self.shown(file)}

    def delete(self, me: Install, args: Json) -> Json:
        """Out of every message that shows it; a message that has nothing else goes too."""
        file = self._world.files.pop(str(args.get("file")), None)
        if file is None or file.team != me.team:
            raise Refused("file_not_found")
        for channel in (self._world.channels[id] for id in file.channels):
            for ts in [ts for ts, m in channel.messages.items() if file.id in [f["id"] for f in m.get("files", ())]]:
                self._happen.delete(channel, ts)
        return {}

    def make(self, *, team: str, name: str, data: bytes, user: str, is_complete: bool = False) -> File:
        mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = File(id=self._world.new_id("F"), team=team, name=name, title=name, data=data, mimetype=mimetype)
        file.user, file.is_complete = user, is_complete
        self._world.files[file.id] = file
        return file

    def shown(self, file: File, *, as_stub: bool = False) -> Json:
        if as_stub:
            return {
                "id": file.id,
                "created": 0,
                "timestamp": 0,
                "mode": "file_access",
                "file_access": "check_file_info",
            }
        url = f"{self._world.url}/files-pri/{file.team}-{file.id}/{file.name}"
        return {
            "id": file.id,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "filetype": file.name.rpartition(".")[2],
            "size": len(file.data),
            "mode": "hosted",
            "user": file.user,
            "url_private": url,
            "url_private_download": f"{url}?download=1",
        }

    async def receive(self, request: web.Request) -> web.Response:
        """Step two: raw bytes or a form; the answer is plain text."""
        file = self._world.files.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404, text="no such upload")
        if request.content_type.startswith("multipart/"):
            form = await request.post()
            data = b"".join(f.file.read() for f in form.values() if isinstance(f, web.FileField))
        else:
            data = await request.read()
        if len(data) != len(file.data):
            return web.Response(status=400, text="length does not match")
        file.data = data
        return web.Response(text=f"OK - {len(data)}")

    async def send(self, request: web.Request) -> web.Response:
        """Without a good token the sign-in page comes, with status 200."""
        file = self._world.files.get(request.match_info["file"])
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        install = self._world.install_of(token)
        is_good = install is not None and install.error is None and "files:read" in install.scopes
        if file is None or install is None or not is_good or install.team != file.team:
            return web.Response(text=SIGN_IN, content_type="text/html")
        return web.Response(body=file.data, content_type=file.mimetype)
