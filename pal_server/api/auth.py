"""From a credential to the actor it stands for.

Tokens come in `Authorization: Bearer …` or in the session cookie, never in a URL. Whatever is wrong with one, the
answer is the same; only who holds the key of a revoked computer is told so, because its daemon has to end its agents.
Look-ups are kept for at most two seconds, and not at all past a wake-up of `tokens`, which every revocation sends: on
this server a revoked token ends at once, on others within the two seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp.web_request import BaseRequest

from pal_server.domain.actors import Actor
from pal_server.errors import Unauthenticated
from pal_server.tokens import hash_secret
from pal_server.wakeups.hub import Hub

KEPT_FOR = 2.0  # seconds; contract: a revocation is effective within five
KEPT = 4096  # look-ups remembered
SECRET_LIMIT = 512  # characters; ours have well below a hundred
REVOKED = "tokens"  # the key that is woken by everything that ends a credential or changes what it may do

Authenticate = Callable[[str], Awaitable[Actor | None]]  # secret hash → actor, None when nobody knows it
IsStruckOff = Callable[[str], Awaitable[bool]]  # whether that hash is of a revoked computer's key


def credential_of(http: BaseRequest, /, *, cookie: str) -> tuple[str, bool]:
    """The hash of the secret that came, and whether it came in the cookie; `Unauthenticated` when none did."""
    secret, is_cookie = "", False
    if (header := http.headers.get("Authorization")) is not None:
        scheme, _, rest = header.partition(" ")
        secret = rest.strip() if scheme.lower() == "bearer" else ""
    elif "Cookie" in http.headers:
        secret, is_cookie = http.cookies.get(cookie, ""), True
    if not 0 < len(secret) <= SECRET_LIMIT:
        raise refusal()
    return hash_secret(secret), is_cookie


class Credentials:
    """Answers who a secret stands for. One per server. Secrets themselves are not kept, only their hashes."""

    def __init__(
        self,
        *,
        authenticate: Authenticate,
        is_struck_off: IsStruckOff,
        hub: Hub,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._authenticate = authenticate
        self._is_struck_off = is_struck_off
        self._hub = hub
        self._monotonic = monotonic
        self._found: dict[str, _Found] = {}
        self._asking: dict[str, tuple[int, asyncio.Task[_Found]]] = {}
        self._used: set[str] = set()

    async def actor(self, secret_hash: str, /) -> Actor:
        """Who it stands for, or `Unauthenticated`."""
        found = self._found.get(secret_hash)
        if found is None or found.until < self._monotonic() or found.seen < self._hub.count(REVOKED):
            found = await self._look_up(secret_hash)
        if found.actor is None:
            raise refusal(is_struck_off=found.is_struck_off)
        if found.actor.token_id is not None:
            self._used.add(found.actor.token_id)
        return found.actor

    def take_used(self) -> dict[str, int]:
        """Ids of the tokens used since the last call, with this moment in UTC milliseconds."""
        used, self._used = self._used, set()
        return dict.fromkeys(used, self._clock())

    async def _look_up(self, secret_hash: str) -> "_Found":
        """Those who ask at the same time share one look-up, unless a revocation came after it began."""
        seen = self._hub.count(REVOKED)
        begun, asking = self._asking.get(secret_hash, (0, None))
        if asking is None or begun < seen or not self._is_answer(asking):
            asking = asyncio.create_task(self._ask(secret_hash, seen=seen), name="credential look-up")
            self._asking[secret_hash] = (seen, asking)
        try:
            found = await asyncio.shield(asking)
        finally:
            if asking.done() and self._asking.get(secret_hash) == (seen, asking):
                del self._asking[secret_hash]
        self._found.pop(secret_hash, None)
        self._found[secret_hash] = found
        while len(self._found) > KEPT:
            del self._found[next(iter(self._found))]
        return found

    def _is_answer(self, asking: "asyncio.Task[_Found]") -> bool:
        """Whether it is one still, or will be: not one that failed, nor one that nobody waited for until it was old."""
        if not asking.done():
            return True
        return not asking.cancelled() and asking.exception() is None and asking.result().until >= self._monotonic()

    async def _ask(self, secret_hash: str, *, seen: int) -> "_Found":
        until = self._monotonic() + KEPT_FOR
        actor = await self._authenticate(secret_hash)
        is_struck_off = actor is None and await self._is_struck_off(secret_hash)
        return _Found(actor=actor, is_struck_off=is_struck_off, seen=seen, until=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    actor: Actor | None
    is_struck_off: bool
    seen: int  # the count of REVOKED before the look-up began
    until: float  # monotonic seconds


def refusal(*, is_struck_off: bool = False) -> Unauthenticated:
    """The one answer to every credential that does not do, but for the key of a revoked computer."""
    if is_struck_off:
        return Unauthenticated("This computer was revoked.", reason="revoked")
    return Unauthenticated("A valid credential is needed: Authorization: Bearer TOKEN, or log in.")
