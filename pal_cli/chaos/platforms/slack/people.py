"""What people do in the platform's app: click, submit, call commands."""

from __future__ import annotations

import uuid
from typing import Any

from pal_cli.chaos.platforms.slack.happenings import Happenings, shown
from pal_cli.chaos.platforms.slack.methods import Methods
from pal_cli.chaos.platforms.slack.sockets import Envelope
from pal_cli.chaos.platforms.slack.world import Channel, Install

Json = dict[str, Any]

TRIGGER_LIVES = 3.0  # seconds


class People:
    def __init__(self, happenings: Happenings, methods: Methods) -> None:
        self._happen = happenings
        self._world = happenings.world
        self._methods = methods
        self.responses: dict[str, Json] = {}  # by the last part of a response_url

    def click(
        self,
        install: Install,
        channel: Channel,
        message: Json,
        *,
        user: str,
        action_id: str,
        value: str | None = None,
        state: Json | None = None,
        trigger_id: str = "",
    ) -> Envelope:
        """A button, menu or other element of a message. One that is not there can be clicked too: it is forged."""
        block_id, element = _element(message, action_id)
        action: Json = {"action_id": action_id, "block_id": block_id, "action_ts": self._world.new_ts()}
        action |= {"type": element.get("type", "button"), "value": element.get("value") if value is None else value}
        container = {"type": "message", "message_ts": message["ts"], "channel_id": channel.id, "is_ephemeral": False}
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        payload = {
            "type": "block_actions",
            "api_app_id": install.app,
            "token": "verification",
            **self._who(install, user),
            "trigger_id": trigger_id or self._trigger(),
            "container": container,
            "channel": {"id": channel.id, "name": channel.name},
            "message": shown(message),
            "state": {"values": state or {}},
            "response_url": self._response_url(install, channel, message),
            "actions": [action],
        }
        return self._happen.line(install.app).push("interactive", payload)

    def submit(self, install: Install, view: Json, *, user: str, values: Json) -> Envelope:
        """A window is sent off."""
        filled = {**view, "state": {"values": values}}
        payload = {
            "type": "view_submission",
            "api_app_id": install.app,
            "token": "verification",
            **self._who(install, user),
            "trigger_id": self._trigger(),
            "view": filled,
            "response_urls": [],
        }
        return self._happen.line(install.app).push("interactive", payload)

    def command(self, install: Install, channel: Channel, *, user: str, command: str, text: str) -> Envelope:
        payload = {
            "token": "verification",
            "team_id": install.team,
            "team_domain": install.team.lower(),
            "channel_id": channel.id,
            "channel_name": channel.name or "directmessage",
            "user_id": user,
            "user_name": self._world.people[user].name.lower(),
            "command": command,
            "text": text,
            "api_app_id": install.app,
            "is_enterprise_install": "false",
            "response_url": self._response_url(install, channel, None),
            "trigger_id": self._trigger(),
        }
        return self._happen.line(install.app).push("slash_commands", payload)

    def respond(self, name: str, body: Json) -> str | None:
        """What came to a response_url; an error or None."""
        given = self.responses.get(name)
        if given is None or given["used"] >= 5 or given["until"] < self._world.clock.now():
            return "expired_url"
        given["used"] += 1
        given["bodies"].append(body)
        channel, message = given["channel"], given["message"]
        if body.get("replace_original") and message is not None:
            changes = {"text": body.get("text", ""), "blocks": body.get("blocks", [])}
            self._happen.edit(channel, message["ts"], changes, editor=given["user"])
        return None

    def _who(self, install: Install, user: str) -> Json:
        person = self._world.people[user]
        who = {"id": user, "username": person.name.lower(), "name": person.name, "team_id": person.team}
        return {"user": who, "team": {"id": install.team, "domain": install.team.lower()}}

    def _trigger(self) -> str:
        trigger = f"{self._world.new_id('1')}.{uuid.uuid4().hex}"
        self._methods.triggers[trigger] = self._world.clock.now() + TRIGGER_LIVES
        return trigger

    def _response_url(self, install: Install, channel: Channel, message: Json | None) -> str:
        name = uuid.uuid4().hex
        until = self._world.clock.now() + 1800
        own = {"channel": channel, "message": message, "user": install.bot_user, "until": until}
        self.responses[name] = {**own, "used": 0, "bodies": []}
        return f"{self._world.url}/respond/{name}"


def _element(message: Json, action_id: str) -> tuple[str, Json]:
    for block in message.get("blocks") or []:
        for element in [*(block.get("elements") or []), block.get("accessory") or {}, block.get("element") or {}]:
            if element.get("action_id") == action_id:
                return str(block.get("block_id") or "b1"), element
    return "b1", {}
