"""Terminals as people open, list and close them."""

from pal_server.actions import terminals
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import terminals as contract


async def open_terminal(call: Call) -> contract.TerminalAnswer:
    request = call.body(contract.OpenTerminal)
    terminal = await call.write(
        terminals.open_terminal,
        actor=call.actor,
        policy=call.services.relays.policy,
        room=request.room,
        topic=request.topic,
        kind=request.kind,
        agent=request.agent,
        computer=request.computer,
        folder=request.folder,
        cols=request.cols,
        rows=request.rows,
        client_id=request.client_id,
    )
    return contract.TerminalAnswer(terminal=present(terminal, contract.Terminal))


async def list_terminals(call: Call) -> contract.TerminalsAnswer:
    query = call.query(contract.TerminalsQuery)
    page = await call.read(
        terminals.list_page,
        actor=call.actor,
        room=query.room,
        topic=query.topic,
        is_all=query.all,
        after=query.after,
        limit=query.limit,
    )
    return contract.TerminalsAnswer(terminals=present_all(page.items, contract.Terminal), next=page.next)


async def get(call: Call) -> contract.TerminalAnswer:
    terminal = await call.read(terminals.get, actor=call.actor, id=call.text())
    return contract.TerminalAnswer(terminal=present(terminal, contract.Terminal))


async def close(call: Call) -> contract.TerminalAnswer:
    terminal = await call.write(terminals.close, actor=call.actor, policy=call.services.relays.policy, id=call.text())
    return contract.TerminalAnswer(terminal=present(terminal, contract.Terminal))
