"""Debates: two agents take turns in a topic of their own."""

from pal_server.actions import debates
from pal_server.api.present import present
from pal_server.api.routing import Call
from pal_server.contract import rooms as contract


async def start(call: Call) -> contract.DebateAnswer:
    request = call.body(contract.StartDebate)
    debate = await call.write(
        debates.start,
        actor=call.actor,
        room=request.room,
        a=request.a,
        b=request.b,
        subject=request.subject,
        turns=request.turns,
        client_id=request.client_id,
    )
    return contract.DebateAnswer(debate=present(debate, contract.Debate))


async def get(call: Call) -> contract.DebateAnswer:
    debate = await call.read(debates.get, actor=call.actor, id=call.text())
    return contract.DebateAnswer(debate=present(debate, contract.Debate))


async def stop(call: Call) -> contract.DebateAnswer:
    debate = await call.write(debates.stop, actor=call.actor, id=call.text())
    return contract.DebateAnswer(debate=present(debate, contract.Debate))
