"""Which models an endpoint has, by its own list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pal_daemon.runtimes.offer import ENTRIES, CannotTell, Model, Offer, clip

ASK_FOR = 15.0  # seconds
LARGEST = 4 << 20  # bytes of an answer


class _NoRedirects(HTTPRedirectHandler):
    """The key stays with its host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def read_offer(address: str, *, headers: Mapping[str, str]) -> Offer:
    """`address` is that of the completions. Raises CannotTell, without the key."""
    url = address.removesuffix("/chat/completions") + "/models"
    try:
        with build_opener(_NoRedirects).open(Request(url, headers=dict(headers)), timeout=ASK_FOR) as answer:
            found = json.loads(answer.read(LARGEST))
    except (URLError, HTTPException, OSError, ValueError) as error:
        why = getattr(error, "code", None) or getattr(error, "reason", None) or type(error).__name__
        raise CannotTell(f"{url} gives no list of models: {why}") from error
    listed = found.get("data") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise CannotTell(f"{url} gives no list of models")
    ids = [model["id"] for model in listed[:ENTRIES] if isinstance(model, dict) and isinstance(model.get("id"), str)]
    return Offer(models=tuple(Model(id=clip(id, limit=200)) for id in ids))
