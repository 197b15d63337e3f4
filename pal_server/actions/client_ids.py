"""The same creating request again answers with the first result.

A client that did not hear the answer repeats with its `client_id`; one id means one request of one actor,
for as long as anybody would repeat it (a month).
"""

import hashlib
from typing import Any

import msgspec

from pal_server.domain.actors import Actor
from pal_server.errors import Conflict, Invalid
from pal_server.storage import messages
from pal_server.storage.tx import Tx

LIMIT = 200  # characters
FORGET_LIMIT = 1_000  # rows in one transaction

_encode = msgspec.json.Encoder(order="sorted", enc_hook=str).encode


def earlier(tx: Tx, *, actor: Actor, client_id: str | None, verb: str, said: dict[str, Any]) -> str | None:
    """What an earlier request with this id created, or None. The id for another request is a `Conflict`."""
    if client_id is None:
        return None
    if not 1 <= len(client_id) <= LIMIT:
        raise Invalid(f"client_id has 1 to {LIMIT} characters", field="client_id")
    messages.lock_client_id(tx, actor=actor.key, client_id=client_id)
    kept = messages.kept(tx, actor=actor.key, client_id=client_id)
    if kept is None:
        return None
    if kept.verb != verb or kept.digest != _digest(said):
        raise Conflict("this client_id was used for another request: make a new one", client_id=client_id)
    return kept.target


def remember(
    tx: Tx, *, actor: Actor, client_id: str | None, verb: str, said: dict[str, Any], target: str | int
) -> None:
    """Keep what the request created, in the same transaction."""
    if client_id is not None:
        messages.keep(
            tx,
            actor=actor.key,
            client_id=client_id,
            verb=verb,
            target=str(target),
            digest=_digest(said),
        )


def forget(tx: Tx, *, before: int) -> int:
    """Drop ids of requests so old that nobody repeats them; how many they were, at most `FORGET_LIMIT`."""
    return messages.forget_client_ids(tx, before=before, limit=FORGET_LIMIT)


def _digest(said: dict[str, Any]) -> str:
    return hashlib.sha256(_encode(said)).hexdigest()[:32]
