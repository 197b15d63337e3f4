"""What a test does to this platform and sees of it; see `control_door.py`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from pal_cli.chaos.platforms.control_door import ControlDoor
from pal_cli.chaos.platforms.dingtalk.happenings import Happenings
from pal_cli.chaos.platforms.dingtalk.web_api import WebApi
from pal_cli.chaos.platforms.dingtalk.world import App, World

Json = dict[str, Any]


class Control(ControlDoor):
    def __init__(self, world: World, api: WebApi, happenings: Happenings) -> None:
        super().__init__(changes=world, clock=world.clock, faults=api.faults, line=api.line)
        self._world = world
        self._api = api
        self._happen = happenings

    # Who there is

    def do_app(self, said: Json) -> Json:
        """{name?, scopes?} → the app's id and secret."""
        app = self._world.add_app(**said)
        return {"app": app.id, "secret": app.secret}

    def do_person(self, said: Json) -> Json:
        """{nick, is_outside?} → `user` names them here: the staff id, or the encrypted id."""
        person = self._world.add_person(**said)
        return {"user": person.key, "staff_id": person.staff_id, "sender_id": person.sender_id}

    def do_group(self, said: Json) -> Json:
        robots, people = set(said["robots"]), set(said["people"])
        return {"conversation": self._world.add_group(title=said["title"], robots=robots, people=people).id}

    def do_direct(self, said: Json) -> Json:
        return {"conversation": self._world.direct(said["app"], said["user"]).id}

    def do_leave(self, said: Json) -> None:
        """The robot is taken out of a group."""
        self._world.conversations[said["conversation"]].robots.discard(said["app"])

    # What people do

    def do_say(self, said: Json) -> Json:
        """{app, user, conversation?: else directly, kind?, text?, name?, data?, parts?, reply_to?, more?} → payload."""
        person = self._world.people[said["user"]]
        conversation = (
            self._world.conversations[said["conversation"]]
            if said.get("conversation")
            else self._world.direct(said["app"], said["user"])
        )
        return self._happen.say(said["app"], person, conversation, said)

    def do_press(self, said: Json) -> None:
        """{app, card, user, id, params?}: a card that does not exist is a forgery."""
        params = said.get("params", {})
        self._happen.press(said["app"], track=said["card"], user=said["user"], id=said["id"], params=params)

    def do_event(self, said: Json) -> None:
        self._happen.event(said["app"], kind=said["kind"], data=said.get("data", {}))

    # What is broken

    def do_limits(self, said: Json) -> None:
        self._api.rates.is_on = said["is_on"]

    def do_repeat(self, said: Json) -> Json:
        """{app, count?}: the last pushes again, under new message ids, as if nothing had been heard."""
        line = self._api.line(said["app"])
        wanted = [push for push in line.pushes if push.kind != "SYSTEM"][-said.get("count", 1) :]
        for push in wanted:
            push.state = "pushed"
            line.send(push)
        return {"repeated": len(wanted)}

    def socket_words(self, said: Json) -> dict[str, Callable[[], Any]]:
        line = self._api.line(said["app"])
        return super().socket_words(said) | {
            "slam": lambda: setattr(line, "is_closing", True),
            "welcome": lambda: setattr(line, "is_closing", False),
            "ping": line.ping,
            "disconnect": lambda: line.announce(said.get("reason", "connection is expired")),
        }

    def do_revoke(self, said: Json) -> None:
        """{app, is_back?}: the app is switched off, with every token it had."""
        self._app(said).is_disabled = not said.get("is_back", False)
        self.do_expire_tokens(said)

    def do_no_stream(self, said: Json) -> None:
        self._app(said).has_stream = False

    def do_expire_tokens(self, said: Json) -> None:
        gone = [token for token, (app, _) in self._world.tokens.items() if app == said["app"]]
        for token in gone:
            del self._world.tokens[token]

    def do_expire_sessions(self, said: Json) -> None:
        """Sooner than DingTalk had said."""
        gone = [session for session, (app, _, _) in self._world.sessions.items() if app == said["app"]]
        for session in gone:
            del self._world.sessions[session]

    def do_scopes(self, said: Json) -> None:
        """{app, without | with}: a permission less or more while everything runs."""
        scopes = self._app(said).scopes
        scopes.discard(said.get("without", ""))
        scopes.update(said.get("with", "").split())

    # What is seen

    def do_messages(self, said: Json) -> Json:
        """{conversation? | user?, app} → what the robot posted there, in order."""
        conversation = said.get("conversation") or self._world.direct(said["app"], said["user"]).id
        found = [m for m in self._world.messages if m["conversation"] == conversation]
        return {"messages": found, "changes": self._world.changes}

    def do_cards(self, said: Json) -> Json:
        found = [card.shown(track) for (app, track), card in self._world.cards.items() if app == said["app"]]
        return {"cards": found, "changes": self._world.changes}

    def do_reactions(self, said: Json) -> Json:
        return {"reactions": self._world.said[said["message"]]["reactions"]}

    def do_media(self, said: Json) -> Json:
        media = self._world.media[said["media"]]
        return {"kind": media.kind, "name": media.name, "data": base64.b64encode(media.data).decode()}

    def do_calls(self, said: Json) -> Json:
        app, path = said.get("app"), said.get("path")
        found = [call for call in self._world.calls if app is None or call["app"] in (app, "")]
        return {"calls": [call for call in found if path in (None, call["path"])], "changes": self._world.changes}

    def do_line(self, said: Json) -> Json:
        line = self._api.line(said["app"])
        return {
            "sockets": len(line.sockets),
            "opened": line.opened,
            "tickets": line.tickets,
            "held": len(line.held or []),
            "pushes": [push.shown() for push in line.pushes],
            "changes": self._world.changes,
        }

    def _app(self, said: Json) -> App:
        return self._world.apps[said["app"]]
