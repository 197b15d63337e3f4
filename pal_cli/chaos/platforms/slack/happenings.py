"""What happens in a workspace, and the events apps get of it."""

from __future__ import annotations

import re
import uuid
from typing import Any

from pal_cli.chaos.platforms.slack.sockets import Envelope, Line
from pal_cli.chaos.platforms.slack.world import KINDS, App, Channel, Install, World

Json = dict[str, Any]


class Happenings:
    """Every change of a message, by people and by apps, and who is told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._lines: dict[str, Line] = {}

    def line(self, app: str) -> Line:
        if app not in self._lines:
            self._lines[app] = Line(self.world.apps[app], self.world)
        return self._lines[app]

    # Messages

    def post(self, channel: Channel, message: Json) -> Json:
        """Put a message into a channel, by whomever, and tell it. `message` has all but `ts`."""
        ts = self.world.new_ts()
        kept = {"type": "message", **message, "ts": ts, "team": channel.team}
        root = channel.messages.get(str(kept.get("thread_ts") or ""))
        if root is not None:
            root["thread_ts"] = root["ts"]
            root["reply_count"] = root.get("reply_count", 0) + 1
        channel.messages[ts] = kept
        self._tell_message(channel, kept)
        return kept

    def edit(self, channel: Channel, ts: str, changes: Json, *, editor: str) -> Json:
        before = dict(channel.messages[ts])
        edited = {"user": editor, "ts": self.world.new_ts()}
        after = {**before, **changes, "edited": edited}
        channel.messages[ts] = after
        event = {"subtype": "message_changed", "message": shown(after), "previous_message": shown(before)}
        self._tell_of(channel, {"hidden": True, **event})
        return after

    def delete(self, channel: Channel, ts: str) -> None:
        before = channel.messages.pop(ts)
        event = {"subtype": "message_deleted", "deleted_ts": ts, "previous_message": shown(before)}
        self._tell_of(channel, {"hidden": True, **event})

    def react(self, channel: Channel, ts: str, *, user: str, name: str, is_added: bool) -> None:
        message = channel.messages[ts]
        reactions = message.setdefault("reactions", {})
        users = reactions.setdefault(name, [])
        if is_added:
            users.append(user)
        else:
            users.remove(user)
            if not users:
                del reactions[name]
        kind = "reaction_added" if is_added else "reaction_removed"
        item = {"type": "message", "channel": channel.id, "ts": ts}
        event = {"type": kind, "user": user, "reaction": name, "item": item, "item_user": message.get("user")}
        for install in self._members(channel):
            self.tell(install, kind, event)

    def _tell_message(self, channel: Channel, message: Json) -> None:
        """A mention goes out twice to the app it names: as itself and as a message, under two event ids."""
        event = {**shown(message), "channel": channel.id, "event_ts": message["ts"]}
        for install in self._members(channel):
            is_named = re.search(rf"<@{install.bot_user}(\|[^>]*)?>", message.get("text") or "")
            if is_named and channel.kind != "im" and message.get("user") != install.bot_user:
                self.tell(install, "app_mention", {**event, "type": "app_mention"})
            self.tell(install, KINDS[channel.kind], {**event, "channel_type": channel.kind})

    def _tell_of(self, channel: Channel, event: Json) -> None:
        now = self.world.new_ts()
        whole = {"type": "message", **event, "channel": channel.id, "channel_type": channel.kind, "ts": now}
        for install in self._members(channel):
            self.tell(install, KINDS[channel.kind], {**whole, "event_ts": now})

    def _members(self, channel: Channel) -> list[Install]:
        installs = (i for app in self.world.apps.values() for i in app.installs.values())
        return [i for i in installs if i.team == channel.team and i.bot_user in channel.members and i.error is None]

    # Telling

    def tell(self, install: Install, subscription: str, event: Json, *, event_id: str = "") -> Envelope | None:
        """One event to one app, when it asked for this kind."""
        app = self.world.apps[install.app]
        if subscription not in app.events or not _may_hear(install, subscription):
            return None
        payload = {
            "token": "verification",
            "team_id": install.team,
            "context_team_id": install.team,
            "api_app_id": app.id,
            "event": {"event_ts": self.world.new_ts(), **event},
            "type": "event_callback",
            "event_id": event_id or self.world.new_id("Ev"),
            "event_time": int(self.world.clock.now()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": install.team,
                    "user_id": install.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": f"4-{uuid.uuid4().hex}",
        }
        return self.line(app.id).push("events_api", payload)

    def join(self, channel: Channel, user: str, *, inviter: str = "") -> None:
        channel.members.add(user)
        event = {"type": "member_joined_channel", "user": user, "channel": channel.id, "team": channel.team}
        for install in self._members(channel):
            self.tell(install, "member_joined_channel", {**event, "inviter": inviter, "channel_type": channel.id[0]})

    def uninstall(self, app: App, team: str) -> None:
        """Somebody took the app out of a workspace: two last events, and its token is dead."""
        install = app.installs[team]
        tokens = {"oauth": [], "bot": [install.bot_user]}
        self.tell(install, "tokens_revoked", {"type": "tokens_revoked", "tokens": tokens})
        self.tell(install, "app_uninstalled", {"type": "app_uninstalled"})
        install.error = "account_inactive"


HEARS = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "member_joined_channel": "channels:read",
}


def _may_hear(install: Install, subscription: str) -> bool:
    return HEARS.get(subscription) is None or HEARS[subscription] in install.scopes


def shown(message: Json, *, with_metadata: bool = False) -> Json:
    """A message as events and histories have it; metadata only for those who ask."""
    whole = {name: value for name, value in message.items() if name not in ("metadata", "reactions")}
    if with_metadata and "metadata" in message:
        whole["metadata"] = message["metadata"]
    if message.get("reactions"):
        whole["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)} for name, users in message["reactions"].items()
        ]
    return whole
