"""What a test does to this platform and sees of it; see `control_door.py`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from pal_cli.chaos.platforms.control_door import ControlDoor
from pal_cli.chaos.platforms.slack.files import Files
from pal_cli.chaos.platforms.slack.happenings import Happenings
from pal_cli.chaos.platforms.slack.methods import Methods
from pal_cli.chaos.platforms.slack.people import People
from pal_cli.chaos.platforms.slack.web_api import WebApi
from pal_cli.chaos.platforms.slack.world import App, Channel, Install

Json = dict[str, Any]


class Control(ControlDoor):
    def __init__(self, happenings: Happenings, methods: Methods, files: Files, people: People, api: WebApi) -> None:
        world, faults = happenings.world, api.faults
        super().__init__(changes=world, clock=world.clock, faults=faults, line=happenings.line)
        self._happen = happenings
        self._world = happenings.world
        self._methods = methods
        self._files = files
        self._people = people
        self._api = api

    # Who there is

    def do_app(self, said: Json) -> Json:
        """{name, team, scopes?, events?, id?} → the app's ids and tokens in that workspace."""
        install = self._world.add_app(**said)
        app = self._world.apps[install.app]
        return {
            "app": app.id,
            "app_token": app.app_token,
            "bot_token": install.token,
            "bot_user": install.bot_user,
            "bot_id": install.bot_id,
            "team": install.team,
        }

    def do_person(self, said: Json) -> Json:
        return {"user": self._world.add_person(**said).id}

    def do_channel(self, said: Json) -> Json:
        members = set(said.pop("members", ()))
        return {"channel": self._world.add_channel(members=members, **said).id}

    def do_direct(self, said: Json) -> Json:
        return {"channel": self._world.direct(*said["between"]).id}

    def do_join(self, said: Json) -> None:
        self._happen.join(self._channel(said), said["user"], inviter=said.get("inviter", ""))

    # What people do

    def do_say(self, said: Json) -> Json:
        """{channel, user, text, thread_ts?, files?: [{name, data}], as_stub?, more?} → the message."""
        channel = self._channel(said)
        message: Json = {"user": said["user"], "text": said.get("text", ""), **said.get("more", {})}
        if said.get("thread_ts"):
            message["thread_ts"] = said["thread_ts"]
        if said.get("files"):
            made = [self._file(channel, said["user"], given) for given in said["files"]]
            message |= {
                "subtype": "file_share",
                "files": [self._files.shown(f, as_stub=said.get("as_stub", False)) for f in made],
            }
        return self._happen.post(channel, message)

    def _file(self, channel: Channel, user: str, given: Json) -> Any:
        data = base64.b64decode(given["data"])
        return self._files.make(team=channel.team, name=given["name"], data=data, user=user, is_complete=True)

    def do_edit(self, said: Json) -> Json:
        changes: Json = {name: said[name] for name in ("text", "blocks") if name in said}
        return self._happen.edit(self._channel(said), said["ts"], changes, editor=said["user"])

    def do_delete(self, said: Json) -> None:
        self._happen.delete(self._channel(said), said["ts"])

    def do_react(self, said: Json) -> None:
        is_added = said.get("is_added", True)
        self._happen.react(self._channel(said), said["ts"], user=said["user"], name=said["name"], is_added=is_added)

    def do_click(self, said: Json) -> Json:
        """{app, team?, channel, ts, user, action_id, value?, state?, trigger_id?}."""
        channel = self._channel(said)
        more = {name: said[name] for name in ("value", "state", "trigger_id") if name in said}
        message = channel.messages.get(said["ts"]) or {"ts": said["ts"]}
        action_id, install = said["action_id"], self._install(said)
        return self._people.click(install, channel, message, user=said["user"], action_id=action_id, **more).shown()

    def do_submit(self, said: Json) -> Json:
        view = self._methods.views[said["view"]]
        return self._people.submit(self._install(said), view, user=said["user"], values=said["values"]).shown()

    def do_command(self, said: Json) -> Json:
        named = {name: said[name] for name in ("user", "command", "text")}
        return self._people.command(self._install(said), self._channel(said), **named).shown()

    def do_event(self, said: Json) -> None:
        """{app, team?, subscription, event, event_id?}: any event, as it is."""
        self._happen.tell(self._install(said), said["subscription"], said["event"], event_id=said.get("event_id", ""))

    # What is broken

    def do_limits(self, said: Json) -> None:
        self._api.buckets.is_on = said["is_on"]

    def do_repeat(self, said: Json) -> Json:
        """{app, count?, type?, acked_only?}: the last envelopes again, under new ids, as if nothing had been heard.

        One that is not acknowledged yet loses one of its three repeats by that.
        """
        line = self._happen.line(said["app"])
        wanted = [e for e in line.envelopes if e.kind == said.get("type", "events_api")]
        if said.get("acked_only"):
            wanted = [e for e in wanted if e.state == "acked"]
        wanted = wanted[-said.get("count", 1) :]
        for envelope in wanted:
            envelope.attempt, envelope.state = min(envelope.attempt + 1, 3), "sent"
            line.send(envelope)
        return {"repeated": len(wanted)}

    def socket_words(self, said: Json) -> dict[str, Callable[[], Any]]:
        line = self._happen.line(said["app"])
        reason = said.get("reason", "refresh_requested")
        return super().socket_words(said) | {"disconnect": lambda: line.announce(reason)}

    def do_token(self, said: Json) -> None:
        """{app, team?, error}: the bot token is refused with this word from now on; null is good again."""
        self._install(said).error = said["error"]

    def do_app_token(self, said: Json) -> None:
        self._app(said).app_token_error = said["error"]

    async def do_switch_off(self, said: Json) -> None:
        """Socket Mode of the app, announced."""
        self._app(said).has_socket_mode = False
        line = self._happen.line(said["app"])
        await line.announce("link_disabled")
        await line.end(how="close")

    def do_switch_on(self, said: Json) -> None:
        self._app(said).has_socket_mode = True

    def do_scopes(self, said: Json) -> None:
        """{app, team?, without | with}: a scope less or more while everything runs."""
        scopes = self._install(said).scopes
        scopes.discard(said.get("without", ""))
        scopes.update(said.get("with", "").split())

    def do_uninstall(self, said: Json) -> None:
        install = self._install(said)
        self._happen.uninstall(self._world.apps[install.app], install.team)

    def do_archive(self, said: Json) -> None:
        self._channel(said).is_archived = True

    # What is seen

    def do_messages(self, said: Json) -> Json:
        """{channel, thread_ts?, by?: bot user} → messages with metadata and reactions, in order."""
        channel = self._channel(said)
        found = channel.thread(said["thread_ts"]) if said.get("thread_ts") else channel.messages.values()
        by = said.get("by")
        return {"messages": [m for m in found if by is None or m.get("user") == by], "changes": self._world.changes}

    def do_calls(self, said: Json) -> Json:
        app, method = said.get("app"), said.get("method")
        found = [call for call in self._world.calls if call["app"] in (app, "") or app is None]
        return {"calls": [call for call in found if method in (None, call["method"])], "changes": self._world.changes}

    def do_line(self, said: Json) -> Json:
        line = self._happen.line(said["app"])
        return {
            "sockets": len(line.sockets),
            "opened": line.opened,
            "held": len(line.held or []),
            "envelopes": [e.shown() for e in line.envelopes],
            "changes": self._world.changes,
        }

    def do_file(self, said: Json) -> Json:
        file = self._world.files[said["file"]]
        data = base64.b64encode(file.data).decode()
        return {"name": file.name, "title": file.title, "data": data, "channels": file.channels}

    def do_views(self, said: Json) -> Json:
        return {"views": list(self._methods.views.values()), "changes": self._world.changes}

    def do_responses(self, said: Json) -> Json:
        return {"bodies": [body for given in self._people.responses.values() for body in given["bodies"]]}

    def _channel(self, said: Json) -> Channel:
        return self._world.channels[said["channel"]]

    def _app(self, said: Json) -> App:
        return self._world.apps[said["app"]]

    def _install(self, said: Json) -> Install:
        installs = self._app(said).installs
        return installs[said["team"]] if said.get("team") else next(iter(installs.values()))
