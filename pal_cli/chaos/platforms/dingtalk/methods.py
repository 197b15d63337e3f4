"""The calls of both APIs that robots make: what each does and answers. Raises Refused in the dialect of its host."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pal_cli.chaos.platforms.dingtalk.limits import FILES, MOST_FILE, MOST_MESSAGE, PICTURES, size_of
from pal_cli.chaos.platforms.dingtalk.world import App, Card, Conversation, Media, World

Json = dict[str, Any]

KEYS = {
    "sampleText": {"content"},
    "sampleMarkdown": {"title", "text"},
    "sampleImageMsg": {"photoURL"},
    "sampleFile": {"mediaId", "fileName", "fileType"},
}


class Refused(Exception):
    """A status with a code; `old`: 200 with a number."""

    def __init__(self, code: str | int, *, status: int = 400, **more: Any) -> None:
        super().__init__(str(code))
        self.code = code
        self.status = status
        self.more = more


class Methods:
    """One per platform. `METHODS` says which permission each needs."""

    def __init__(self, world: World) -> None:
        self._world = world

    # Messages

    def send_to_group(self, me: App, body: Json) -> Json:
        group = self._world.conversations.get(str(body.get("openConversationId")))
        if group is None or not group.is_group:
            raise Refused("invalidParameter.openConversationId.invalid")
        if me.id not in group.robots:
            raise Refused("robotNotInGroup")
        return {"processQueryKey": self._said(me, group, body)["key"]}

    def send_to_people(self, me: App, body: Json) -> Json:
        wanted = list(body.get("userIds") or ())
        if not 1 <= len(wanted) <= 20:
            raise Refused("invalidParameter.userIds")
        known = [staff for staff in wanted if staff in self._world.people and self._world.people[staff].staff_id]
        key = ""
        for staff in known:
            key = self._said(me, self._world.direct(me.id, staff), body)["key"]
        unknown = [staff for staff in wanted if staff not in known]
        return {"processQueryKey": key, "invalidStaffIdList": unknown, "flowControlledStaffIdList": []}

    def _said(self, me: App, conversation: Conversation, body: Json) -> Json:
        self._is_mine(me, body)
        if not isinstance(body.get("msgParam"), str):
            raise Refused("invalidParameter.msgParam")
        param, key = json.loads(body["msgParam"]), str(body.get("msgKey"))
        if key not in KEYS or set(param) != KEYS[key] or not all(isinstance(v, str) and v for v in param.values()):
            raise Refused("invalidParameter.msgParam")
        if size_of(body) > MOST_MESSAGE:
            raise Refused("param.contentTooLong")
        media = param.get("mediaId") or param.get("photoURL")
        if media and media not in self._world.media:
            raise Refused("invalidParameter.mediaId")
        text = param.get("text") or param.get("content") or ""
        return self._world.post(me.id, conversation.id, via="robot", kind=key, text=text, param=param, at=[])

    def recall(self, me: App, body: Json) -> Json:
        """Of what is unknown the answer tells, per key; a call as such does not fail for it."""
        self._is_mine(me, body)
        done, failed = [], {}
        for key in body.get("processQueryKeys") or ():
            mine = [m for m in self._world.messages if m["key"] == key and m["app"] == me.id and m["via"] == "robot"]
            if not mine:
                failed[key] = "processQueryKey.notExist"
            else:
                self._world.messages.remove(mine[0])
                done.append(key)
        self._world.note()
        return {"successResult": done, "failedResult": failed}

    def react(self, me: App, body: Json) -> Json:
        message, name = self._reacted(me, body)
        if name not in message["reactions"]:
            message["reactions"].append(name)
        return {"success": True}

    def unreact(self, me: App, body: Json) -> Json:
        message, name = self._reacted(me, body)
        if name not in message["reactions"]:
            raise Refused("invalidParameter.emotion.notExist")
        message["reactions"].remove(name)
        return {"success": True}

    def _reacted(self, me: App, body: Json) -> tuple[Json, str]:
        self._is_mine(me, body)
        message = self._world.said.get(str(body.get("openMsgId")))
        is_text = body.get("emotionType") == 2 and body.get("textEmotion", {}).get("text")
        if message is None or message["conversation"] != body.get("openConversationId") or not is_text:
            raise Refused("invalidParameter.openMsgId")
        self._world.note()
        return message, str(body["emotionName"])

    # Cards

    def create_card(self, me: App, body: Json) -> Json:
        track, space = str(body.get("outTrackId") or ""), str(body.get("openSpaceId") or "")
        params = self._params(body)
        if not track:
            raise Refused("param.outTrackIdEmpty")
        if not str(body.get("cardTemplateId") or "").endswith(".schema"):
            raise Refused("param.cardTemplateIdEmpty")
        kind, conversation = self._space(me, space)
        if f"im{kind.removeprefix('IM_').title()}OpenDeliverModel" not in body:
            raise Refused("param.openDeliverModelEmpty")
        self._is_mine(me, body[f"im{kind.removeprefix('IM_').title()}OpenDeliverModel"])
        is_in = me.id in conversation.robots
        known = self._world.cards.get((me.id, track))
        if known is not None:
            known.deliveries += 1  # seen twice: what is not known about the platform is taken at its worst
        else:
            self._world.cards[me.id, track] = Card(
                app=me.id,
                template=str(body["cardTemplateId"]),
                params=params,
                conversation=conversation.id,
                space=kind,
                space_id=space.partition(".card//")[2].partition(".")[2],
                deliveries=int(is_in),
                versions=[params],
            )
        if is_in:
            called = (body.get("imGroupOpenDeliverModel") or {}).get("atUserIds") or {}
            text = params.get("msgContent", "")
            self._world.post(me.id, conversation.id, via="card", kind="card", text=text, card=track, at=list(called))
        result = {"spaceType": kind, "spaceId": conversation.id, "success": is_in}
        return {
            "success": True,
            "result": {"outTrackId": track, "deliverResults": [result | ({} if is_in else {"errorMsg": "not in"})]},
        }

    def update_card(self, me: App, body: Json) -> Json:
        """Without the option to go by key the new values take the place of all."""
        card = self._card(me, body)
        params = self._params(body)
        by_key = (body.get("cardUpdateOptions") or {}).get("updateCardDataByKey") is True
        card.params = {**card.params, **params} if by_key else params
        card.versions.append(card.params)
        self._world.note()
        return {"success": True, "result": True}

    def stream_card(self, me: App, body: Json) -> Json:
        card = self._card(me, body)
        if not body.get("guid") or body.get("isFull") is not True:
            raise Refused("param.stream.isFull")
        card.params = {**card.params, str(body["key"]): str(body["content"])}
        card.versions.append(card.params)
        self._world.note()
        return {"success": True, "result": True}

    def _card(self, me: App, body: Json) -> Card:
        card = self._world.cards.get((me.id, str(body.get("outTrackId"))))
        if card is None:
            raise Refused("param.cardNotExist")
        return card

    def _params(self, body: Json) -> dict[str, str]:
        params = (body.get("cardData") or {}).get("cardParamMap")
        if not isinstance(params, dict) or not all(isinstance(value, str) for value in params.values()):
            raise Refused("param.cardDataInvalid")
        return params

    def _space(self, me: App, space: str) -> tuple[str, Conversation]:
        kind, _, named = space.removeprefix("dtv1.card//").partition(".")
        if kind == "IM_GROUP" and named in self._world.conversations:
            return kind, self._world.conversations[named]
        if kind == "IM_ROBOT" and named in self._world.people:
            return kind, self._world.direct(me.id, named)
        raise Refused("param.openSpaceIdInvalid")

    # Files and people

    def download(self, me: App, body: Json) -> Json:
        self._is_mine(me, body)
        code = str(body.get("downloadCode"))
        if code not in self._world.codes:
            raise Refused("invalidParameter.downloadCode")
        return {"downloadUrl": f"{self._world.url}/download/{code}"}

    def upload(self, me: App, *, kind: str, name: str, data: bytes) -> Json:
        ending = name.rpartition(".")[2].lower()
        if ending not in {"image": PICTURES, "file": FILES}.get(kind, ()):
            raise Refused(40005, errmsg="不合法的文件类型")
        if not data or len(data) > MOST_FILE:
            raise Refused(40009, errmsg="不合法的文件大小")
        media = Media(id=f"@{self._world.new_id('media')}", kind=kind, name=name, data=data)
        self._world.media[media.id] = media
        return {"type": kind, "media_id": media.id, "created_at": int(self._world.clock.now() * 1000)}

    def user(self, me: App, body: Json) -> Json:
        person = self._world.people.get(str(body.get("userid")))
        if person is None or not person.staff_id:
            raise Refused(60121, errmsg="找不到该用户")
        return {"result": {"userid": person.staff_id, "name": person.nick, "unionid": f"u{person.staff_id}"}}

    def _is_mine(self, me: App, body: Json) -> None:
        if body.get("robotCode") != me.id:
            raise Refused("robot.notExist")


Method = Callable[[Methods, App, Json], Json]

METHODS: dict[str, tuple[str, Method]] = {
    "POST /v1.0/robot/groupMessages/send": ("qyapi_robot_sendmsg", Methods.send_to_group),
    "POST /v1.0/robot/oToMessages/batchSend": ("qyapi_robot_sendmsg", Methods.send_to_people),
    "POST /v1.0/robot/groupMessages/recall": ("qyapi_robot_sendmsg", Methods.recall),
    "POST /v1.0/robot/otoMessages/batchRecall": ("qyapi_robot_sendmsg", Methods.recall),
    "POST /v1.0/robot/emotion/reply": ("", Methods.react),
    "POST /v1.0/robot/emotion/recall": ("", Methods.unreact),
    "POST /v1.0/robot/messageFiles/download": ("", Methods.download),
    "POST /v1.0/card/instances/createAndDeliver": ("Card.Instance.Write", Methods.create_card),
    "PUT /v1.0/card/instances": ("Card.Instance.Write", Methods.update_card),
    "PUT /v1.0/card/streaming": ("Card.Streaming.Write", Methods.stream_card),
    "POST /topapi/v2/user/get": ("qyapi_get_member", Methods.user),
}
