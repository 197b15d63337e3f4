"""What people do, and what is pushed of it."""

from __future__ import annotations

import base64
import functools
import json
import uuid
from typing import Any

from pal_cli.chaos.platforms.dingtalk.sockets import MESSAGES, PRESSES, Push
from pal_cli.chaos.platforms.dingtalk.web_api import WebApi
from pal_cli.chaos.platforms.dingtalk.world import CORP, Conversation, Media, Person, World

Json = dict[str, Any]


class Happenings:
    def __init__(self, world: World, api: WebApi) -> None:
        self._world = world
        self._api = api

    def say(self, app: str, person: Person, conversation: Conversation, said: Json) -> Json:
        """A message; in a group it is one that mentions the robot, whose name is cut out of it."""
        data = self._data(app, person, conversation)
        content = self._content(said)
        data |= content
        if said.get("reply_to"):
            quoted = self._world.said[said["reply_to"]]["data"]
            data["text"] |= {
                "isReplyMsg": True,
                "repliedMsg": {"msgId": quoted["msgId"], "msgType": quoted["msgtype"], "content": quoted.get("text")},
            }
        if said.get("reply_to_robot"):  # by the key that sending it gave
            original = f"msg{uuid.uuid4().hex}=="
            quoted = {"msgId": original, "msgType": "unknownMsgType", "senderId": data["chatbotUserId"]}
            data["text"] |= {"isReplyMsg": True, "repliedMsg": quoted}
            data |= {"originalMsgId": original, "originalProcessQueryKey": said["reply_to_robot"]}
        data |= said.get("more", {})
        self._world.said[data["msgId"]] = {"conversation": conversation.id, "reactions": [], "data": data}
        self._api.line(app).push(Push("CALLBACK", MESSAGES, data))
        return data

    def _data(self, app: str, person: Person, conversation: Conversation) -> Json:
        session, until = self._world.new_session(app, conversation.id)
        robot = f"$:LWCP_v1:${app}"
        data: Json = {
            "conversationId": conversation.id,
            "conversationType": "2" if conversation.is_group else "1",
            "msgId": f"msg{uuid.uuid4().hex}==",
            "senderId": person.sender_id,
            "senderNick": person.nick,
            "senderCorpId": CORP if person.staff_id else "",
            "isAdmin": False,
            "isInAtList": conversation.is_group,
            "chatbotUserId": robot,
            "chatbotCorpId": CORP,
            "robotCode": app,
            "createAt": int(self._world.clock.now() * 1000),
            "sessionWebhook": session,
            "sessionWebhookExpiredTime": until,
        }
        if person.staff_id:
            data["senderStaffId"] = person.staff_id
        if conversation.is_group:
            data |= {"conversationTitle": conversation.title, "atUsers": [{"dingtalkId": robot}]}
        return data

    def _content(self, said: Json) -> Json:
        kind = said.get("kind", "text")
        if kind == "text":
            return {"msgtype": "text", "text": {"content": f" {said.get('text', '')}"}}
        if kind == "richText":
            parts = [
                {"type": "picture", "downloadCode": self._code(part)} if "data" in part else {"text": part["text"]}
                for part in said["parts"]
            ]
            return {"msgtype": "richText", "content": {"richText": parts}}
        if kind == "picture":
            return {"msgtype": "picture", "content": {"downloadCode": self._code(said)}}
        if kind == "file":
            content = {"downloadCode": self._code(said), "fileName": said["name"], "fileId": "1", "spaceId": "2"}
            return {"msgtype": "file", "content": content}
        if kind == "audio":
            content = {"downloadCode": self._code(said), "duration": 2100, "recognition": said.get("text", "")}
            return {"msgtype": "audio", "content": content}
        return {"msgtype": kind, "content": said.get("content", {})}

    def _code(self, said: Json) -> str:
        code = f"code{uuid.uuid4().hex}"
        data = base64.b64decode(said["data"])
        self._world.codes[code] = Media(id=code, kind="file", name=said.get("name", ""), data=data)
        return code

    def press(self, app: str, *, track: str, user: str, id: str, params: Json) -> Push:
        """Of a button; the answer may bring the card's new values along."""
        card = self._world.cards.get((app, track))
        private = json.dumps({"cardPrivateData": {"actionIds": [id], "params": params}})
        data = {
            "outTrackId": track,
            "userId": user,
            "userIdType": 1,
            "corpId": CORP,
            "spaceId": card.space_id if card is not None else "",
            "spaceType": card.space if card is not None else "IM_GROUP",
            "extension": "{}",
            "content": private,
            "value": private,
            "type": "actionCallback",
        }
        line = self._api.line(app)
        line.on_answer = functools.partial(self._apply, app)
        return line.push(Push("CALLBACK", PRESSES, data))

    def _apply(self, app: str, push: Push) -> None:
        response = ((push.answer or {}).get("data") or {}).get("response") or {}
        params = (response.get("cardData") or {}).get("cardParamMap") if isinstance(response, dict) else None
        card = self._world.cards.get((app, str(push.data.get("outTrackId"))))
        if push.topic == PRESSES and params and card is not None:
            card.params = {**card.params, **params}
            card.versions.append(card.params)

    def event(self, app: str, *, kind: str, data: Json) -> Push:
        """An EVENT, which is told until it is acknowledged."""
        headers = {
            "eventId": uuid.uuid4().hex,
            "eventType": kind,
            "eventCorpId": CORP,
            "eventBornTime": str(int(self._world.clock.now() * 1000)),
            "eventUnifiedAppId": "unified",
        }
        return self._api.line(app).push(Push("EVENT", "*", data, headers=headers))
