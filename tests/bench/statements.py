"""A send that runs the statements of a durable send and nothing else: what is left when all of pal's own code is gone.

Nothing is looked up that an action would not read from the database, nothing is decided, and the answer is a constant.
"""

from typing import Any

from pal_server.actions import access
from pal_server.api.routing import Call
from pal_server.contract import messages as contract
from pal_server.domain.actors import Actor
from pal_server.storage.tx import Tx


async def send(call: Call, *, answer: contract.SentAnswer) -> contract.SentAnswer:
    asked = call.body(contract.SendMessage)
    await call.write(_send, actor=call.actor, asked=asked)
    return answer


def _send(tx: Tx, *, actor: Actor, asked: contract.SendMessage) -> None:
    sql = tx.sql
    sql.one("messages.client_id", actor=actor.key, client_id=asked.client_id)
    room = access.room(tx, actor, str(asked.room))
    sql.one("topics.speak", id=asked.topic, room_id=room.id, now=tx.now)
    message = _id(
        sql.one(
            "messages.add",
            workspace_id=actor.workspace_id,
            room_id=room.id,
            topic_id=asked.topic,
            seq=_id(sql.one("rooms.next_seq", id=room.id)),
            parent_id=None,
            kind="text",
            sender_kind="user",
            sender=actor.name,
            sender_name=actor.name,
            sender_origin="",
            sender_key=actor.key,
            content=asked.content,
            mentions='["worker"]',
            unresolved="[]",
            files="[]",
            card=None,
            run_id=None,
            chain_id=None,
            hop=0,
            client_id=asked.client_id,
            now=tx.now,
        )
    )
    delivery = _id(
        sql.one(
            "deliveries.add",
            workspace_id=actor.workspace_id,
            room_id=room.id,
            topic_id=asked.topic,
            message_id=message,
            agent="worker",
            reason="mention",
            max_attempts=3,
            not_before=tx.now,
            chain_id=message,
            hop=0,
            now=tx.now,
        )
    )
    sql.one("deliveries.before_in_lane", topic_id=asked.topic, agent="worker", id=delivery, ahead=0)
    sql.run(
        "messages.keep_client_id",
        actor=actor.key,
        client_id=asked.client_id,
        verb="messages.send",
        target=str(message),
        digest="0" * 32,
        now=tx.now,
    )
    tx.index_message(message, room_id=room.id, text=asked.content)
    tx.emit("message.created", workspace_id=actor.workspace_id, room_id=room.id, data=_EVENT)


def _id(row: Any) -> int:
    return int(row[0])


_EVENT = {"text": "x" * 600}  # as long as a real one
