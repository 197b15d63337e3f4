"""The part of the daemon's door that `pal cli auth` speaks to. Only the daemon's own token opens it: what an agent's
run may do never includes seeing or changing logins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from pal_daemon.bus import ApiProblem, Unreachable
from pal_daemon.logins import Logins, NoSuchLogin, Place, Unfit

Handler = Callable[[web.Request], Awaitable[web.Response]]
Check = Callable[[web.Request], web.Response | None]
Problem = Callable[[int, str, str], web.Response]


class SetKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: str
    variable: str | None = None


class LoginDoor:
    """`check` refuses everybody but who has the daemon's own token."""

    def __init__(self, logins: Logins, *, check: Check, problem: Problem) -> None:
        self._logins = logins
        self._check = check
        self._problem = problem

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/logins", self._guarded(self._list))
        router.add_put("/logins/{name}/key", self._guarded(self._set_key))
        router.add_delete("/logins/{name}", self._guarded(self._clear))
        router.add_get("/logins/{name}/shell", self._guarded(self._shell))

    async def _list(self, request: web.Request) -> web.Response:
        places = await self._logins.all()
        seen = await asyncio.gather(*map(self._seen, places))
        return _json({"logins": [self._shown(place) | state for place, state in zip(places, seen, strict=True)]})

    async def _set_key(self, request: web.Request) -> web.Response:
        wanted = msgspec.json.decode(await request.read(), type=SetKey)
        place = await self._logins.find(request.match_info["name"])
        detail = await self._logins.set_key(place, wanted.key, variable=wanted.variable)
        return await self._told(place.id, detail)

    async def _clear(self, request: web.Request) -> web.Response:
        place = await self._logins.find(request.match_info["name"])
        detail = await self._logins.clear(place)
        return await self._told(place.id, detail)

    async def _shell(self, request: web.Request) -> web.Response:
        """What a terminal needs to be in the login's place: variables to set, keys included, and the log-in to run."""
        place = await self._logins.find(request.match_info["name"])
        begin = None
        if place.way_in.begin is not None and place.program is not None:
            begin = [str(place.program), *place.way_in.begin]
        shown = self._shown(place)
        unset = [name for name in place.way_in.reads if name not in place.own] if place.account is not None else []
        return _json({"login": shown, "set": dict(place.own), "unset": unset, "begin": begin})

    async def _told(self, name: str, detail: str) -> web.Response:
        place = await self._logins.find(name)
        return _json({"login": self._shown(place) | await self._seen(place), "detail": detail})

    def _shown(self, place: Place) -> dict[str, Any]:
        account = place.account
        return {
            "account": None if account is None else account.id,
            "label": None if account is None else account.label,
            "runtime": place.runtime,
            "home": None if account is None else account.home,
            "program": None if place.program is None else str(place.program),
            "disabled": account is not None and account.disabled,
            "keys": self._logins.keys_of(place),
        }

    async def _seen(self, place: Place) -> dict[str, str]:
        seen = await self._logins.look(place)
        return {"login": seen.login.value, "method": seen.method}

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            refusal = self._check(request)
            if refusal is not None:
                return refusal
            try:
                return await handler(request)
            except NoSuchLogin as error:
                return self._problem(404, "not_found", str(error))
            except Unfit as error:
                return self._problem(409, "conflict", str(error))
            except msgspec.ValidationError as error:
                return self._problem(400, "invalid", str(error))
            except msgspec.DecodeError:
                return self._problem(400, "invalid", "the body is no JSON")
            except OSError as error:
                return self._problem(503, "unavailable", f"this computer's disk: {error.strerror or error}")
            except (ApiProblem, Unreachable) as error:
                text = f"which accounts there are the server knows, and it does not tell: {error}"
                return self._problem(503, "unavailable", text)

        return answer


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
