"""Looks at the agent programs of this computer for the server: who is logged in, which models, commands, skills and
tool servers there are. On demand, by a durable order; logins also now and then, when they change.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from pal_daemon.bus import ApiProblem, Unreachable
from pal_daemon.folders import shipped_skills, working_folder
from pal_daemon.house import House
from pal_daemon.logins import Logins, NoSuchLogin, Place, Unfit
from pal_daemon.runtimes.base import CannotStart
from pal_daemon.runtimes.offer import CannotTell, Offer, Offers
from pal_daemon.runtimes.shelf import HasShelf, Shelf, find_servers, find_skills
from pal_daemon.runtimes.way_in import Seen
from pal_server.contract.findings import (
    LoginIn,
    ModelIn,
    ReportFindings,
    SkillIn,
    SlashCommandIn,
    ToolServerIn,
)

OFFER_FOR = 50.0  # seconds; a program's own limits are shorter
LOOK_EVERY = 300.0  # seconds between two looks at the logins of accounts
PAL = ToolServerIn(name="pal", source="pal")  # `pal mcp`, which every agent may have

T = TypeVar("T", bound=msgspec.Struct)

log = logging.getLogger(__name__)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`data` of a `probe` command."""

    runtime: str
    account: str | None = None
    agent: str | None = None
    folder: str | None = None
    isolation: str | None = None
    """Of the agent: what lies in its folder is then not for a program outside of its container."""


class CannotLook(Exception):
    """Nothing can be looked at; the sentence is for the person who asked."""


class Probes:
    """`carry_out` may run several times at once; `watch` is one task."""

    def __init__(self, house: House, logins: Logins) -> None:
        self._house = house
        self._logins = logins
        self._seen: dict[str, Seen] = {}  # by account, as the server knows it

    async def carry_out(self, order: Order) -> str:
        """Look, report, and say in a few words what was found. Raises CannotLook."""
        try:
            place = await self._logins.find(order.account or order.runtime)
        except (NoSuchLogin, Unfit) as error:
            raise CannotLook(str(error)) from error
        folder = self._folder(order)
        login = await self._logins.look(place)
        beside = folder if order.isolation is None else None
        offer, why_not = await self._offer(place, beside or self._house.settings.folder)
        errors: dict[Literal["models", "commands", "skills", "servers"], str] = {}
        if why_not is not None:
            errors["models"] = why_not
            if order.agent is not None:
                errors["commands"] = why_not
        await self._report(order, place, login, offer, folder, errors)
        return why_not or "looked"

    async def watch(self) -> None:
        """Report the login of each account that changed, until cancelled."""
        while True:
            try:
                await self._look_at_accounts()
            except (ApiProblem, Unreachable) as error:
                log.debug("logins are not reported now: %s", error)
            except OSError as error:  # a full disk, or a home nobody may make: no reason for the daemon to end
                log.warning("logins cannot be looked at: %s", error, extra={"action": "probe"})
            self._logins.changed.clear()
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._logins.changed.wait()
            except TimeoutError:
                pass

    async def _look_at_accounts(self) -> None:
        for place in await self._logins.all():
            if place.account is None:
                continue
            seen = await self._logins.look(place)
            if self._seen.get(place.id) != seen:
                report = ReportFindings(runtime=place.runtime, account=place.id, login=_login(seen))
                await self._house.bus.report_findings(self._house.computer, report)
                self._seen[place.id] = seen

    async def _offer(self, place: Place, folder: Path) -> tuple[Offer | None, str | None]:
        runtime = self._house.registry.get(place.runtime)
        if not isinstance(runtime, Offers):
            return Offer(), None
        args: Sequence[str] = () if place.account is None else place.account.args
        try:
            async with asyncio.timeout(OFFER_FOR):
                return await asyncio.to_thread(
                    runtime.offer, place.program, env=place.env, folder=folder, args=args
                ), None
        except CannotTell as error:
            return None, str(error)
        except TimeoutError:
            return None, f"{place.runtime} did not say in time what it offers"
        except Exception as error:  # an edge: a plugin's code
            log.exception("asking a program failed", extra={"action": "probe"})
            return None, f"asking {place.runtime} failed: {type(error).__name__}"

    async def _report(
        self,
        order: Order,
        place: Place,
        login: Seen,
        offer: Offer | None,
        folder: Path | None,
        errors: dict[Literal["models", "commands", "skills", "servers"], str],
    ) -> None:
        models = None if offer is None or offer.models is None else [_in(model, ModelIn) for model in offer.models]
        commands = None
        skills: list[SkillIn] | None = None
        servers: list[ToolServerIn] | None = None
        if order.agent is not None and folder is not None:
            if offer is not None:
                commands = [_in(command, SlashCommandIn) for command in offer.commands or ()]
            skills, servers = await asyncio.to_thread(self._on_shelf, place, folder)
        report = ReportFindings(
            runtime=place.runtime,
            account=order.account,
            agent=order.agent,
            folder=order.folder,
            login=_login(login) if order.account is not None else None,
            models=models,
            commands=commands,
            skills=skills,
            servers=servers,
            errors=errors,
        )
        await self._house.bus.report_findings(self._house.computer, report)
        if order.account is not None:
            self._seen[place.id] = login

    def _on_shelf(self, place: Place, folder: Path) -> tuple[list[SkillIn], list[ToolServerIn]]:
        runtime = self._house.registry.get(place.runtime)
        shelf = runtime.shelf if isinstance(runtime, HasShelf) else Shelf()
        settings = self._house.settings
        skills = find_skills(
            shelf, folder=folder, env=place.env, library=settings.home / "skills", shipped=shipped_skills()
        )
        servers = find_servers(shelf, folder=folder, own=settings.home / "mcp.json")
        return (
            [SkillIn(name=skill.name, description=skill.description, source=skill.source) for skill in skills],
            [
                PAL,
                *(ToolServerIn(name=server.name, source=server.source) for server in servers if server.name != "pal"),
            ],
        )

    def _folder(self, order: Order) -> Path | None:
        """Where the agent works. Raises CannotLook."""
        if order.agent is None:
            return None
        try:
            return working_folder(self._house.settings, agent=order.agent, cwd=order.folder)
        except CannotStart as error:
            raise CannotLook(str(error)) from error


def _login(seen: Seen) -> LoginIn:
    return LoginIn(state=seen.login.value, method=seen.method)


def _in(found: object, kind: type[T]) -> T:
    return msgspec.convert(found, kind, from_attributes=True)
