"""Computers, and what their daemons say."""

import shlex

import msgspec

from pal_server import tokens as secret_words
from pal_server.actions import computers, daemons
from pal_server.actions.daemons import Greeting
from pal_server.api.present import present, present_all, present_live_run
from pal_server.api.routing import Call
from pal_server.contract import agents as contract
from pal_server.contract.base import Done, Page
from pal_server.domain.computers import Checkout, Computer, RuntimeState
from pal_server.domain.deliveries import POLICY
from pal_server.errors import Invalid


async def list_computers(call: Call) -> contract.ComputersAnswer:
    query = call.query(Page)
    page = await call.read(computers.list_page, actor=call.actor, after=query.after, limit=query.limit)
    return contract.ComputersAnswer(computers=present_all(page.items, contract.Computer), next=page.next)


async def get(call: Call) -> contract.ComputerAnswer:
    return _answer(await call.read(computers.get, actor=call.actor, ref=call.text()))


async def provision(call: Call) -> contract.ProvisionedAnswer:
    request = call.body(contract.ProvisionComputer)
    url = call.services.url() if request.server_url is None else _parse_url(request.server_url)
    key, key_hash = secret_words.new_secret(secret_words.MACHINE)
    computer = await call.write(
        computers.provision,
        actor=call.actor,
        name=request.name,
        key_hash=key_hash,
        client_id=request.client_id,
    )
    return contract.ProvisionedAnswer(
        computer=present(computer, contract.Computer), api_key=key, command=_command(url, key)
    )


async def rotate(call: Call) -> contract.RotatedAnswer:
    key, key_hash = secret_words.new_secret(secret_words.MACHINE)
    computer = await call.write(computers.rotate, actor=call.actor, ref=call.text(), key_hash=key_hash)
    return contract.RotatedAnswer(
        computer=present(computer, contract.Computer), api_key=key, command=_command(call.services.url(), key)
    )


async def revoke(call: Call) -> contract.ComputerAnswer:
    return _answer(await call.write(computers.revoke, actor=call.actor, ref=call.text()))


async def drain(call: Call) -> contract.ComputerAnswer:
    request = call.body(contract.DrainComputer)
    return _answer(await call.write(computers.drain, actor=call.actor, ref=call.text(), draining=request.draining))


async def connect(call: Call) -> contract.ConnectedAnswer:
    request = call.body(contract.ConnectComputer)
    greeting = await call.services.store.write(
        daemons.connect,
        actor=call.actor,
        machine=request.machine,
        host=request.host,
        os=request.os,
        daemon_version=request.daemon_version,
        runtimes=[_runtime(runtime) for runtime in request.runtimes],
        interval=request.interval,
        take_over=request.take_over,
    )
    return _greet(greeting)


async def register_daemon(call: Call) -> contract.ConnectedAnswer:
    """The seed's form of connect, which knew nothing of machines: all daemons of one computer count as one machine."""
    request = call.body(contract.RegisterDaemon)
    if request.computer_id is not None and request.computer_id != call.actor.id:
        raise Invalid("computer_id is not the computer of this key.", field="computer_id")
    greeting = await call.services.store.write(
        daemons.connect,
        actor=call.actor,
        machine=request.machine or f"legacy {call.actor.id}",
        host=request.host,
        os=request.os,
        daemon_version=request.daemon_version,
        runtimes=[],
        interval=3000,
        take_over=False,
    )
    return _greet(greeting)


async def heartbeat(call: Call) -> contract.HeartbeatAnswer:
    request = call.body(contract.HeartbeatRequest)
    beat = await call.services.store.write(
        daemons.beat,
        actor=call.actor,
        computer=call.text(),
        epoch=call.epoch,
        runtimes=None if request.runtimes is None else [_runtime(runtime) for runtime in request.runtimes],
        stalled=request.stalled,
        running=request.running,
        checkouts=None if request.checkouts is None else [_checkout(checkout) for checkout in request.checkouts],
    )
    return contract.HeartbeatAnswer(
        agents=list(beat.computer.agents),
        commands=present_all(beat.commands, contract.Command),
        status=beat.computer.status.value,
        pending=beat.pending,
        strays=[live for run in beat.strays if (live := present_live_run(run)) is not None],
        now=beat.now,
    )


async def command_done(call: Call) -> Done:
    request = call.body(contract.CommandDone)
    await call.services.store.write(
        daemons.command_done,
        actor=call.actor,
        computer=call.text(),
        command=call.number("command"),
        epoch=call.epoch,
        ok=request.ok,
        detail=request.detail,
    )
    return Done()


def _greet(greeting: Greeting) -> contract.ConnectedAnswer:
    live = [present_live_run(run) for run in greeting.runs]
    return contract.ConnectedAnswer(
        computer=present(greeting.computer, contract.Computer),
        epoch=greeting.computer.epoch,
        agents=list(greeting.computer.agents),
        commands=present_all(greeting.commands, contract.Command),
        runs=[run for run in live if run is not None],
        lease_for=POLICY.lease_for,
        now=greeting.now,
    )


def _answer(computer: Computer) -> contract.ComputerAnswer:
    return contract.ComputerAnswer(computer=present(computer, contract.Computer))


def _runtime(runtime: contract.RuntimeStateIn) -> RuntimeState:
    return RuntimeState(**msgspec.structs.asdict(runtime))


def _checkout(checkout: contract.CheckoutIn) -> Checkout:
    return Checkout(**msgspec.structs.asdict(checkout))


def _command(url: str, key: str) -> str:
    """One shell line that needs nothing but `pal`."""
    return f"pal daemon --server {shlex.quote(url)} --api-key {shlex.quote(key)}"


def _parse_url(url: str) -> str:
    if not url.startswith(("http://", "https://")) or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise Invalid("server_url is an http address.", field="server_url")
    return url.rstrip("/")
