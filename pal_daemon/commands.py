"""Carries out the server's durable orders: kill, stop, restart, answer, steer, probe; for ended runs, set_aside and
rebuild; terminal_open and terminal_close.

Promises: an order is reported done once it has had its effect, and not before; a repeat of an order has no second
effect; an order for a run that is just being opened is left for the next heartbeat, not refused.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import Iterator

import msgspec

from pal_daemon import git_state
from pal_daemon.account_keys import kept_values
from pal_daemon.attempt import Attempt
from pal_daemon.bus import ApiProblem
from pal_daemon.folders import run_folder
from pal_daemon.house import House
from pal_daemon.patience import until_answered
from pal_daemon.probes import CannotLook, Probes
from pal_daemon.probes import Order as ProbeOrder
from pal_daemon.rebuilding import CannotRebuild, has_spool, parse_place, parts, read_again, retell, runtime_of
from pal_daemon.redaction import Redactor, secrets_of
from pal_daemon.run_secrets import values_of
from pal_daemon.runs import Runs
from pal_daemon.runtimes.base import Answer, Given, InteractionKind, KeepsTranscripts, name_answer
from pal_daemon.terminal_plans import Order
from pal_daemon.terminals import CannotOpen, Terminals
from pal_daemon.version import own_version
from pal_server.contract.agents import Command
from pal_server.contract.runs import InteractionApplied, RebuiltPart, RunEventIn
from pal_server.contract.words import Decision

log = logging.getLogger(__name__)


class _Given(msgspec.Struct, frozen=True, kw_only=True):
    chosen: list[str] = []
    text: str = ""


class _AnswerData(msgspec.Struct, frozen=True, kw_only=True):
    """`data` of an `answer` command."""

    interaction: int
    key: str
    kind: InteractionKind
    answer: str | None = None
    decision: Decision | None = None
    reason: str | None = None
    answers: list[_Given] = []


class Refused(Exception):
    """The order cannot be carried out; the message is for the person who gave it."""


class Commands:
    """One task per order under way."""

    def __init__(self, house: House, runs: Runs, probes: Probes, terminals: Terminals) -> None:
        self._house = house
        self._terminals = terminals
        self._probes = probes
        self._runs = runs
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._answered: dict[int, None] = {}  # the newest that are done; the server may give one out once more

    def take(self, commands: list[Command]) -> None:
        """Begin what is new; whatever order they come in and however often."""
        for command in commands:
            if command.id in self._under_way or command.id in self._answered:
                continue
            attempt = None if command.run is None else self._runs.of_run(command.run)
            if command.run is not None and attempt is None and self._runs.is_opening:
                continue
            task = asyncio.create_task(self._carry_out(command, attempt), name=f"command {command.id}")
            self._under_way[command.id] = task

    async def leave(self) -> None:
        """Let go; what is not reported done is given out again."""
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, command: Command, attempt: Attempt | None) -> None:
        try:
            detail = await self._obey(command, attempt)
            is_ok = True
        except (Refused, CannotLook, CannotOpen) as refusal:
            is_ok, detail = False, str(refusal)
        except Exception as error:  # an edge: an order's defect must not end the daemon
            log.exception("an order failed", extra={"action": "command", "command": command.id})
            is_ok, detail = False, f"the daemon failed: {error}"
        try:
            await until_answered(
                lambda: self._house.bus.command_done(self._house.computer, command.id, ok=is_ok, detail=detail)
            )
            self._answered[command.id] = None
            if len(self._answered) > 1000:
                del self._answered[next(iter(self._answered))]
        except Exception as error:
            log.warning("not reported done: %s", error, extra={"action": "command", "command": command.id})
        finally:
            del self._under_way[command.id]

    async def _obey(self, command: Command, attempt: Attempt | None) -> str:
        match command.kind:
            case "set_aside":
                return await self._set_aside(command)
            case "probe":
                return await self._probes.carry_out(msgspec.convert(command.data, ProbeOrder))
            case "rebuild":
                return await self._rebuild(command)
            case "terminal_open":
                return await self._terminals.open(msgspec.convert(command.data, Order))
            case "terminal_close":
                return await self._terminals.close(str(command.data.get("terminal")))
            case "kill" | "stop" | "restart" | "answer" | "steer":
                return await self._obey_for(command, attempt)
            case _:
                raise Refused(f"pal {own_version()} here does not know the order {command.kind}: upgrade it")

    async def _obey_for(self, command: Command, attempt: Attempt | None) -> str:
        """An order for a run that goes on."""
        if attempt is None:
            raise Refused(f"run {command.run} is not running on this computer")
        log.info("order %s for run %s", command.kind, command.run, extra={"action": "command", "command": command.id})
        match command.kind:
            case "stop":
                return "asked to stop" if await attempt.ask_to_end("stop") else "it had ended already"
            case "answer":
                return await self._answer(msgspec.convert(command.data, _AnswerData), attempt)
            case "steer":
                return await self._steer(command, attempt)
            case _:
                return "killed" if await attempt.ask_to_end("kill") else "it had ended already"

    async def _answer(self, data: _AnswerData, attempt: Attempt) -> str:
        given = tuple(Given(chosen=tuple(one.chosen), text=one.text) for one in data.answers)
        answer = Answer(
            key=data.key, kind=data.kind, answer=data.answer, decision=data.decision, reason=data.reason, answers=given
        )
        rendered = await attempt.render_answer(answer)
        if rendered is None:
            raise Refused(f"{attempt.runtime_name} cannot be given an answer")
        with attempt.answering():
            name = name_answer(data.key, decision=data.decision, has_words=answer.has_words)
            if not await attempt.hand_over(name, rendered):
                raise Refused("the program reads no more")
            request = InteractionApplied(lease_id=attempt.lease.id, fence=attempt.lease.fence)
            try:
                await until_answered(lambda: self._house.bus.interaction_applied(data.interaction, request))
            except ApiProblem as error:  # the program has its answer; only the note of it came too late
                log.info("not noted as applied: %s", error, extra={"action": "command", "command": data.interaction})
        return "answered"

    async def _set_aside(self, command: Command) -> str:
        assert command.run is not None, "what is put aside was left by a run"
        folder = run_folder(self._house.settings, command.run)
        try:
            return await asyncio.to_thread(git_state.set_aside, folder, run=command.run)
        except git_state.GitFailed as error:
            raise Refused(str(error)) from error

    async def _rebuild(self, command: Command) -> str:
        assert command.run is not None, "a log is of a run"
        run = command.run
        settings = self._house.settings
        its_own = values_of(run_folder(settings, run))
        redactor = Redactor(secrets_of(os.environ) + its_own + kept_values(settings))
        try:
            events, is_partial = self._find_log(command, redactor)
            read = parts(events)
            part = await asyncio.to_thread(next, read)
            is_first = True
            while True:
                following = await asyncio.to_thread(next, read, None)
                request = RebuiltPart(
                    command=command.id,
                    events=part,
                    first=is_first,
                    last=following is None,
                    partial=is_partial,
                )
                answer = await until_answered(functools.partial(self._house.bus.hand_in, run, request))
                if following is None:
                    return "its log is whole again" if answer.changed else "nothing was missing"
                part, is_first = following, False
        except (CannotRebuild, ApiProblem) as error:
            raise Refused(str(error)) from error

    def _find_log(self, command: Command, redactor: Redactor) -> tuple[Iterator[RunEventIn], bool]:
        """The run's events, from its spool or else from the program's own transcript; whether it is the latter."""
        assert command.run is not None, "a log is of a run"
        folder = run_folder(self._house.settings, command.run)
        name = runtime_of(folder)
        runtime = None if name is None else self._house.registry.get(name)
        if runtime is not None and has_spool(folder):
            return read_again(folder / "spool", reader=runtime.reader(), redactor=redactor), False
        place = parse_place(command.data)
        keeper = None if place is None else self._house.registry.get(place.runtime)
        if place is None or not isinstance(keeper, KeepsTranscripts):
            raise CannotRebuild("what the program said is not on this computer any more")
        return retell(keeper, place, env=os.environ, redactor=redactor), True

    async def _steer(self, command: Command, attempt: Attempt) -> str:
        key = f"steer-{command.id}"
        rendered = await attempt.render_steer(str(command.data.get("text", "")), key=key)
        if rendered is None:
            raise Refused(f"{attempt.runtime_name} takes no text while it works")
        if not await attempt.give_answer(key, rendered):
            raise Refused("the program reads no more")
        return "handed to the program"
