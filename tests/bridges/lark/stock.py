"""A bot made of the stock SDK alone: its socket in a thread, its HTTP client for orders on standard input.

Every event is one JSON line, every answer another. It shows that the loopback platform speaks the real wire. A text
with the word "fail" makes its handler raise.

Of the SDK only what is used here is loaded (see `pal_server/bridges/lark/sdk.py`); what is loaded is as it was shipped.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import threading
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from pal_server.bridges.lark import sdk

sdk.prepare()
_api = ModuleType("lark_oapi.api")  # its __init__ imports every service there is
_found = find_spec("lark_oapi.ws")
assert _found is not None
assert _found.submodule_search_locations is not None
_api.__path__ = [_found.submodule_search_locations[0].removesuffix("ws") + "api"]
sys.modules["lark_oapi.api"] = _api

from lark_oapi.api.im.v1 import (  # noqa: E402 - after the stand-ins
    CreateFileRequest,
    CreateFileRequestBody,
    CreateMessageReactionRequest,
    CreateMessageReactionRequestBody,
    CreateMessageRequest,
    CreateMessageRequestBody,
    Emoji,
    GetMessageResourceRequest,
    ListMessageRequest,
    PatchMessageRequest,
    PatchMessageRequestBody,
    ReplyMessageRequest,
    ReplyMessageRequestBody,
)
from lark_oapi.api.im.v1.version import V1  # noqa: E402
from lark_oapi.core.json import JSON  # noqa: E402
from lark_oapi.core.model import Config  # noqa: E402
from lark_oapi.ws.client import Client  # noqa: E402

Json = dict[str, Any]


def tell(**facts: Any) -> None:
    print(json.dumps(facts, ensure_ascii=False), flush=True)  # noqa: T201 - its only voice


class Handler:
    """Gets each event's JSON; what it returns answers a click."""

    def _do_without_validation(self, payload: bytes) -> Any:
        event = json.loads(payload)
        tell(event=event)
        if event["header"]["event_type"] == "card.action.trigger":
            return {"toast": {"type": "success", "content": "done"}}
        if "fail" in event["event"]["message"]["content"]:
            raise RuntimeError("ordered")
        return None


def create(im: V1, order: Json) -> Any:
    body = CreateMessageRequestBody.builder().receive_id(order["chat"]).msg_type(order["type"])
    body = body.content(json.dumps(order["content"])).uuid(order["uuid"])
    request = CreateMessageRequest.builder().receive_id_type("chat_id").request_body(body.build()).build()
    return im.message.create(request)


def reply(im: V1, order: Json) -> Any:
    body = ReplyMessageRequestBody.builder().msg_type("text").content(json.dumps(order["content"]))
    body = body.reply_in_thread(True).uuid(order["uuid"])
    request = ReplyMessageRequest.builder().message_id(order["message"]).request_body(body.build()).build()
    return im.message.reply(request)


def patch(im: V1, order: Json) -> Any:
    body = PatchMessageRequestBody.builder().content(json.dumps(order["content"])).build()
    request = PatchMessageRequest.builder().message_id(order["message"]).request_body(body).build()
    return im.message.patch(request)


def react(im: V1, order: Json) -> Any:
    emoji = Emoji.builder().emoji_type(order["emoji"]).build()
    body = CreateMessageReactionRequestBody.builder().reaction_type(emoji).build()
    request = CreateMessageReactionRequest.builder().message_id(order["message"]).request_body(body).build()
    return im.message_reaction.create(request)


def upload(im: V1, order: Json) -> Any:
    file = io.BytesIO(order["text"].encode())
    file.name = order["name"]
    body = CreateFileRequestBody.builder().file_type("stream").file_name(order["name"]).file(file).build()
    return asyncio.run(im.file.acreate(CreateFileRequest.builder().request_body(body).build()))


def resource(im: V1, order: Json) -> Any:
    request = GetMessageResourceRequest.builder().message_id(order["message"]).file_key(order["key"]).type("file")
    return im.message_resource.get(request.build())


def history(im: V1, order: Json) -> Any:
    request = ListMessageRequest.builder().container_id_type("chat").container_id(order["chat"]).build()
    return im.message.list(request)


ORDERS = {
    "create": create,
    "reply": reply,
    "patch": patch,
    "react": react,
    "upload": upload,
    "resource": resource,
    "history": history,
}


def main() -> None:
    domain, app_id, secret = sys.argv[1:4]
    sdk.hush()
    socket = Client(app_id, secret, event_handler=Handler(), domain=domain)
    threading.Thread(target=socket.start, daemon=True).start()
    config = Config()
    config.domain, config.app_id, config.app_secret = domain, app_id, secret
    im = V1(config)
    for line in sys.stdin:
        order = json.loads(line)
        answer = ORDERS[order["do"]](im, order)
        content = answer.file.read().decode() if getattr(answer, "file", None) else None
        data = json.loads(JSON.marshal(answer.data) or "null") if getattr(answer, "data", None) else None
        tell(answer={"code": answer.code, "msg": answer.msg, "data": data, "file": content})


if __name__ == "__main__":
    main()
