"""What a route is, who may use it, and how a request finds it.

A path is matched by its raw segments; only then are they decoded. A segment that could mean another path (`..`, a
slash or NUL in disguise) is refused before anything sees it, so no id ever becomes a path.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar
from urllib.parse import unquote

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from pal_server.actions import daemons
from pal_server.api.services import Services
from pal_server.contract.base import Answer, Request
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.errors import Invalid, NotFound, PalError
from pal_server.storage.store import Tx

MIB = 1024 * 1024
INTEGER_MAX = 2**63 - 1  # what both databases store

_TEXT_ID = re.compile(r"\w[\w.@+-]{0,127}")
_PARAMETER = re.compile(r"\{(\w+)(?::(int))?\}")

R = TypeVar("R", bound=Request)
P = ParamSpec("P")
T = TypeVar("T")

EPOCH_HEADER = "X-Pal-Epoch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Which credentials a route is for. What they may do with one object is the action's decision."""

    user: Role | None = None  # the lowest role; None: no users
    computer: bool = False
    run: bool = False
    bridge: bool = False
    guest: bool = False  # who joined by an invite
    is_open: bool = False  # no credential needed

    def allows(self, actor: Actor) -> bool:
        match actor.kind:
            case ActorKind.USER:
                return self.user is not None and actor.is_at_least(self.user)
            case ActorKind.COMPUTER:
                return self.computer
            case ActorKind.RUN:
                return self.run
            case ActorKind.BRIDGE:
                return self.bridge
            case ActorKind.GUEST:
                return self.guest
            case ActorKind.SYSTEM:
                return False

    def describe(self) -> str:
        """For people: "users from member up, run"."""
        if self.is_open:
            return "anyone"
        kinds = [f"users from {self.user} up"] if self.user else []
        flags = {"computer": self.computer, "run": self.run, "bridge": self.bridge, "guest": self.guest}
        return ", ".join(kinds + [kind for kind, is_allowed in flags.items() if is_allowed])


class Call:
    """One checked request, as a handler gets it."""

    __slots__ = ("_actor", "_body", "_query", "http", "params", "request_id", "route", "secret_hash", "services")

    def __init__(
        self,
        *,
        http: BaseRequest,
        route: "Route",
        services: Services,
        params: dict[str, int | str],
        request_id: str,
        actor: Actor | None,
        secret_hash: str,
        query: Request | None,
        body: Request | None,
    ) -> None:
        self.http = http
        self.route = route
        self.services = services
        self.params = params
        self.request_id = request_id
        self.secret_hash = secret_hash  # of the credential; empty on open routes
        self._actor = actor
        self._query = query
        self._body = body

    @property
    def actor(self) -> Actor:
        """Who asks; only on routes that are not open."""
        assert self._actor is not None
        return self._actor

    @property
    def is_heard(self) -> bool:
        """Whether somebody still waits for the answer. To one who hung up, nothing may be given out."""
        return self.http.transport is not None and not self.http.transport.is_closing()

    def body(self, kind: type[R], /) -> R:
        """The checked body; `kind` is the one the table names."""
        assert isinstance(self._body, kind)
        return self._body

    def query(self, kind: type[R], /) -> R:
        """The checked query; `kind` is the one the table names."""
        assert isinstance(self._query, kind)
        return self._query

    @property
    def epoch(self) -> int | None:
        """Which daemon of its computer speaks, from `X-Pal-Epoch`; None for clients that take no part in that."""
        text = self.http.headers.get(EPOCH_HEADER)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()) or len(text) > 18:
            raise Invalid(f"{EPOCH_HEADER} is the epoch that connect answered.", field=EPOCH_HEADER)
        return int(text)

    async def read(self, query: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """One query on one snapshot."""
        return await self.services.store.read(query, *args, **kwargs)

    async def write(self, action: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """One action in one transaction; refused when it is a daemon's and another daemon has taken over."""
        services, actor, begun = self.services, self._actor, perf_counter()
        if actor is not None and actor.kind is ActorKind.COMPUTER and (epoch := self.epoch) is not None:
            written = await services.store.write(
                daemons.fenced, actor=actor, epoch=epoch, action=action, arguments=kwargs
            )
        else:
            written = await services.store.write(action, *args, **kwargs)
        services.metrics.observe("pal_store_write_seconds", "Time to a durable commit.", perf_counter() - begun)
        return written

    def number(self, name: str = "id", /) -> int:
        """The integer of that name in the path."""
        value = self.params[name]
        assert isinstance(value, int)
        return value

    def text(self, name: str = "id", /) -> str:
        """The text id of that name in the path."""
        value = self.params[name]
        assert isinstance(value, str)
        return value


Handler: TypeAlias = Callable[[Call], Awaitable[Answer | StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One line of the table. A path parameter is `{name}` (a text id) or `{name:int}`."""

    method: str
    path: str
    handler: Handler
    who: Who
    summary: str
    body: type[Request] | None = None
    query: type[Request] | None = None
    answer: type[Answer] | None = None  # None: the handler makes the whole response
    status: int = 200
    limit: int = MIB  # bytes of the body
    reads_body: bool = False  # the handler reads the raw body itself
    is_data: bool = False  # texts are what programs printed: NUL is replaced, not refused
    media: str = "application/json"  # of the answer
    upgrades: bool = False  # to a WebSocket
    name: str = ""  # of the operation, where one handler serves several routes

    @property
    def operation(self) -> str:
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.name or self.handler.__name__}"

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it."""
        return _PARAMETER.sub(r"{\1}", self.path)

    @property
    def parameters(self) -> list[tuple[str, bool]]:
        """Name, and whether it is an integer."""
        return [(name, kind == "int") for name, kind in _PARAMETER.findall(self.path)]


class MethodNotAllowed(PalError):
    """The path is there, the method is not."""

    code = "invalid"

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(f"{method} is not a method of this path; use {self.allowed}.", allowed=self.allowed)


@dataclass(slots=True)
class _Node:
    routes: dict[str, Route] = field(default_factory=dict)
    fixed: "dict[str, _Node]" = field(default_factory=dict)
    parameter: "_Node | None" = None
    name: str = ""
    is_integer: bool = False


class Table:
    """All routes, ready to be matched."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._fixed: dict[str, dict[str, Route]] = {}
        self._root = _Node()
        for route in self.routes:
            self._add(route)

    def match(self, method: str, raw_path: str, /) -> tuple[Route, dict[str, int | str]]:
        """The route and its path parameters. `NotFound`, `MethodNotAllowed`, `Invalid` for an impossible parameter."""
        path = raw_path.partition("?")[0]
        routes = self._fixed.get(path)
        params: dict[str, int | str] = {}
        if routes is None:
            routes = self._walk(path, params)
        if (route := routes.get(method)) is None:
            if method == "HEAD" and (route := routes.get("GET")) is not None and route.answer is not None:
                return route, params
            raise MethodNotAllowed(method, routes)
        return route, params

    def _walk(self, path: str, params: dict[str, int | str]) -> dict[str, Route]:
        node: _Node | None = self._root
        for segment in path.split("/")[1:]:
            assert node is not None
            if (fixed := node.fixed.get(segment)) is not None:
                node = fixed
            elif node.parameter is not None:
                node = node.parameter
                params[node.name] = _parse_parameter(segment, node)
            else:
                node = None
                break
        if node is None or not node.routes:
            if any(_is_traversal(segment) for segment in path.split("/")):
                raise Invalid("The path holds a segment that is not an id.", field="path")
            raise NotFound("There is no such path. GET /api/openapi.json lists those there are.")
        return node.routes

    def _add(self, route: Route) -> None:
        if "{" not in route.path:
            node_routes = self._fixed.setdefault(route.path, {})
        else:
            node = self._root
            for segment in route.path.split("/")[1:]:
                if match := _PARAMETER.fullmatch(segment):
                    name, is_integer = match[1], match[2] == "int"
                    if node.parameter is None:
                        node.parameter = _Node(name=name, is_integer=is_integer)
                    node = node.parameter
                    if (node.name, node.is_integer) != (name, is_integer):
                        raise ValueError(f"{route.path} names a parameter differently than another route")
                else:
                    node = node.fixed.setdefault(segment, _Node())
            node_routes = node.routes
        if route.method in node_routes:
            raise ValueError(f"{route.method} {route.path} is in the table twice")
        node_routes[route.method] = route


def _parse_parameter(segment: str, node: _Node) -> int | str:
    text = segment
    if "%" in segment:
        try:
            text = unquote(segment, errors="strict")
        except UnicodeDecodeError:
            raise Invalid(f"{node.name} in the path is not UTF-8.", field=node.name) from None
    if node.is_integer:
        if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > INTEGER_MAX:
            raise Invalid(f"{node.name} in the path is a whole number.", field=node.name)
        return int(text)
    if not _TEXT_ID.fullmatch(text):
        raise Invalid(
            f"{node.name} in the path has 1 to 128 letters, digits or . _ - @ + and begins with a letter or digit.",
            field=node.name,
        )
    return text


def _is_traversal(segment: str) -> bool:
    text = unquote(unquote(segment))
    return text in (".", "..") or any(sign in text for sign in "/\\\0")
