"""The methods of the Web API that bots use: what each does and answers. Raises Refused with the platform's word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pal_cli.chaos.platforms.slack.happenings import Happenings, shown
from pal_cli.chaos.platforms.slack.limits import MOST_TEXT, wrong_blocks, wrong_text
from pal_cli.chaos.platforms.slack.world import Channel, Install

Json = dict[str, Any]


class Refused(Exception):
    """`ok: false` with this error."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


class Methods:
    """One per platform. `METHODS` says which scope each needs."""

    def __init__(self, happenings: Happenings) -> None:
        self._happen = happenings
        self._world = happenings.world
        self.views: dict[str, Json] = {}
        self.triggers: dict[str, float] = {}  # good until
        self.statuses: list[Json] = []

    # Who am I

    def auth_test(self, me: Install, args: Json) -> Json:
        user = self._world.people[me.bot_user]
        return {
            "url": f"https://{me.team.lower()}.slack.com/",
            "team": me.team,
            "team_id": me.team,
            "user": user.name,
            "user_id": me.bot_user,
            "bot_id": me.bot_id,
            "is_enterprise_install": False,
        }

    def bots_info(self, me: Install, args: Json) -> Json:
        for app in self._world.apps.values():
            for install in app.installs.values():
                if install.bot_id == args.get("bot") and install.team == me.team:
                    bot = {"id": install.bot_id, "app_id": app.id, "name": app.name, "user_id": install.bot_user}
                    return {"bot": {**bot, "deleted": False}}
        raise Refused("bot_not_found")

    def users_info(self, me: Install, args: Json) -> Json:
        person = self._world.people.get(str(args.get("user")))
        if person is None or person.team != me.team:
            raise Refused("user_not_found")
        return {"user": person.shown()}

    # Messages

    def post_message(self, me: Install, args: Json) -> Json:
        channel = self._channel(me, args, may_be_person=True)
        self._must_be_in(me, channel)
        if channel.is_archived:
            raise Refused("is_archived")
        _check(wrong_text("chat.postMessage", args))
        root = args.get("thread_ts")
        if root and root not in channel.messages:
            raise Refused("thread_not_found")
        message = self._said(me, args)
        if root:
            message["thread_ts"] = str(root)
        if args.get("metadata"):
            message["metadata"] = args["metadata"]
        kept = self._happen.post(channel, message)
        has_metadata = "metadata" in kept
        return {"channel": channel.id, "ts": kept["ts"], "message": shown(kept, with_metadata=has_metadata)}

    def update(self, me: Install, args: Json) -> Json:
        channel = self._channel(me, args)
        message = self._message(channel, args.get("ts"))
        if message.get("bot_id") != me.bot_id:
            raise Refused("cant_update_message")
        _check(wrong_text("chat.update", args))
        changes = self._said(me, args)
        if args.get("metadata"):
            changes["metadata"] = args["metadata"]
        after = self._happen.edit(channel, message["ts"], changes, editor=me.bot_user)
        return {"channel": channel.id, "ts": after["ts"], "text": after["text"], "message": shown(after)}

    def delete(self, me: Install, args: Json) -> Json:
        channel = self._channel(me, args)
        message = self._message(channel, args.get("ts"))
        if message.get("bot_id") != me.bot_id:
            raise Refused("cant_delete_message")
        self._happen.delete(channel, message["ts"])
        return {"channel": channel.id, "ts": message["ts"]}

    def post_ephemeral(self, me: Install, args: Json) -> Json:
        channel = self._channel(me, args)
        self._must_be_in(me, channel)
        _check(wrong_text("chat.postEphemeral", args))
        return {"message_ts": self._world.new_ts()}

    def permalink(self, me: Install, args: Json) -> Json:
        channel = self._channel(me, args)
        message = self._message(channel, args.get("message_ts"))
        link = f"https://{me.team.lower()}.slack.com/archives/{channel.id}/p{message['ts'].replace('.', '')}"
        return {"channel": channel.id, "permalink": link}

    def _said(self, me: Install, args: Json) -> Json:
        text = str(args.get("text") or args.get("markdown_text") or "")[:MOST_TEXT]
        said: Json = {
            "text": text,
            "user": me.bot_user,
            "bot_id": me.bot_id,
            "app_id": me.app,
            "bot_profile": {"id": me.bot_id, "app_id": me.app, "name": self._world.apps[me.app].name},
        }
        if args.get("markdown_text"):
            said["blocks"] = [{"type": "markdown", "text": args["markdown_text"]}]
        elif "blocks" in args:
            said["blocks"] = args["blocks"] or []
        return said

    # Conversations

    def replies(self, me: Install, args: Json) -> Json:
        channel = self._channel(me, args)
        self._must_be_in(me, channel)
        root = str(args.get("ts"))
        if root not in channel.messages:
            raise Refused("thread_not_found")
        return self._page(me, list(channel.thread(root)), args)

    def history(self, me: Install, args: Json) -> Json:
        channel = self._channel(me, args)
        self._must_be_in(me, channel)
        top = [m for m in channel.messages.values() if m.get("thread_ts", m["ts"]) == m["ts"]]
        return self._page(me, top[::-1], args)

    def _page(self, me: Install, messages: list[Json], args: Json) -> Json:
        """Between `oldest` and `latest`, a page of `limit`; a root stays on the first page of its replies."""
        oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or 1e12)
        is_inclusive = _flag(args.get("inclusive"))
        within = [
            m
            for m in messages
            if oldest < float(m["ts"]) < latest or (is_inclusive and float(m["ts"]) in (oldest, latest))
        ]
        root = [m for m in messages[:1] if str(args.get("ts")) == m["ts"] and m not in within]
        start, limit = int(args.get("cursor") or 0), int(args.get("limit") or 100)
        page = [*([] if start else root), *within[start : start + limit]]
        may_see = _flag(args.get("include_all_metadata")) and "metadata.message:read" in me.scopes
        more = start + limit < len(within)
        cursor = str(start + limit) if more else ""
        return {
            "messages": [shown(m, with_metadata=may_see) for m in page],
            "has_more": more,
            "response_metadata": {"next_cursor": cursor},
        }

    def info(self, me: Install, args: Json) -> Json:
        channel = self._channel(me, args)
        return {"channel": channel.shown(to=me.bot_user)}

    def mine(self, me: Install, args: Json) -> Json:
        kinds = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
        wanted = {kinds[word.strip()] for word in str(args.get("types") or "public_channel").split(",")}
        found = [c for c in self._world.channels.values() if c.kind in wanted and me.bot_user in c.members]
        return {"channels": [c.shown(to=me.bot_user) for c in found], "response_metadata": {"next_cursor": ""}}

    def join(self, me: Install, args: Json) -> Json:
        channel = self._channel(me, args)
        if channel.kind != "channel":
            raise Refused("method_not_supported_for_channel_type")
        self._happen.join(channel, me.bot_user)
        return {"channel": channel.shown(to=me.bot_user)}

    def open(self, me: Install, args: Json) -> Json:
        person = self._world.people.get(str(args.get("users")))
        if person is None or person.team != me.team:
            raise Refused("user_not_found")
        return {"channel": {"id": self._world.direct(me.bot_user, person.id).id}}

    # Reactions

    def react(self, me: Install, args: Json) -> Json:
        channel, message = self._reacted(me, args)
        if me.bot_user in message.get("reactions", {}).get(args["name"], []):
            raise Refused("already_reacted")
        self._happen.react(channel, message["ts"], user=me.bot_user, name=str(args["name"]), is_added=True)
        return {}

    def unreact(self, me: Install, args: Json) -> Json:
        channel, message = self._reacted(me, args)
        if me.bot_user not in message.get("reactions", {}).get(args["name"], []):
            raise Refused("no_reaction")
        self._happen.react(channel, message["ts"], user=me.bot_user, name=str(args["name"]), is_added=False)
        return {}

    def _reacted(self, me: Install, args: Json) -> tuple[Channel, Json]:
        if ":" in str(args.get("name")):
            raise Refused("invalid_name")
        channel = self._channel(me, args)
        return channel, self._message(channel, args.get("timestamp"))

    # Windows

    def open_view(self, me: Install, args: Json) -> Json:
        good_until = self.triggers.pop(str(args.get("trigger_id")), 0.0)
        if good_until < self._world.clock.now():
            raise Refused("expired_trigger_id")
        view = dict(args["view"])
        _check(wrong_blocks(view.get("blocks") or [], most=100))
        if not 1 <= len(view.get("title", {}).get("text", "")) <= 24 or len(view.get("private_metadata", "")) > 3000:
            raise Refused("invalid_arguments", response_metadata={"messages": ["title or private_metadata"]})
        view |= {"id": self._world.new_id("V"), "app_id": me.app, "team_id": me.team, "bot_id": me.bot_id}
        self.views[view["id"]] = view
        return {"view": view}

    def set_status(self, me: Install, args: Json) -> Json:
        channel = self._channel(me, {"channel": args.get("channel_id")})
        self.statuses.append({"channel": channel.id, **{n: args.get(n) for n in ("thread_ts", "status")}})
        return {}

    # What they need

    def _channel(self, me: Install, args: Json, *, may_be_person: bool = False) -> Channel:
        """Of this workspace only; a person's id is the conversation with them."""
        wanted = str(args.get("channel") or args.get("channel_id") or "")
        person = self._world.people.get(wanted)
        if may_be_person and person is not None and person.team == me.team:
            return self._world.direct(me.bot_user, person.id)
        channel = self._world.channels.get(wanted)
        is_visible = channel is not None and (channel.kind == "channel" or me.bot_user in channel.members)
        if channel is None or channel.team != me.team or not is_visible:
            raise Refused("channel_not_found")
        return channel

    def _message(self, channel: Channel, ts: object) -> Json:
        message = channel.messages.get(str(ts))
        if message is None:
            raise Refused("message_not_found")
        return message

    def _must_be_in(self, me: Install, channel: Channel) -> None:
        if me.bot_user not in channel.members:
            raise Refused("not_in_channel")


def _check(wrong: tuple[str, list[str]] | None) -> None:
    if wrong is not None:
        raise Refused(wrong[0], **({"response_metadata": {"messages": wrong[1]}} if wrong[1] else {}))


def _flag(value: object) -> bool:
    return str(value).lower() in ("1", "true")


Method = Callable[[Methods, Install, Json], Json]

METHODS: dict[str, tuple[str, Method]] = {
    "auth.test": ("", Methods.auth_test),
    "bots.info": ("users:read", Methods.bots_info),
    "users.info": ("users:read", Methods.users_info),
    "chat.postMessage": ("chat:write", Methods.post_message),
    "chat.update": ("chat:write", Methods.update),
    "chat.delete": ("chat:write", Methods.delete),
    "chat.postEphemeral": ("chat:write", Methods.post_ephemeral),
    "chat.getPermalink": ("", Methods.permalink),
    "conversations.replies": ("channels:history", Methods.replies),
    "conversations.history": ("channels:history", Methods.history),
    "conversations.info": ("channels:read", Methods.info),
    "conversations.join": ("channels:join", Methods.join),
    "conversations.open": ("im:write", Methods.open),
    "users.conversations": ("channels:read", Methods.mine),
    "reactions.add": ("reactions:write", Methods.react),
    "reactions.remove": ("reactions:write", Methods.unreact),
    "views.open": ("", Methods.open_view),
    "assistant.threads.setStatus": ("assistant:write", Methods.set_status),
}
