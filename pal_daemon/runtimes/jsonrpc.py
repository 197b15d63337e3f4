"""JSON-RPC 2.0 as lines, both ways: bytes of one line in, what it is out; and the lines we say.

Ids belong to a direction: ours and the other side's are counted apart, and 0 is an id like any other. Nothing here
remembers anything; who asked what is the reader's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import msgspec

METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602

Id = int | str
Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The other side asks and waits for an answer under this id of its own."""

    id: Id
    method: str
    params: Params


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The other side tells; there is no answer."""

    method: str
    params: Params


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer to a request of ours."""

    id: Id
    result: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The error answer to a request of ours; without an id the other side could not read us at all."""

    id: Id | None
    code: int
    message: str
    data: Any


Message = Request | Notice | Result | Failure


def parse_line(line: bytes) -> Message | None:
    """What the line is; None when it is no message of JSON-RPC, as the warnings some programs print.

    `jsonrpc` may be missing: not everybody sends it. Params that are no object count as none.
    """
    try:
        said = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    id = said.get("id")
    method = said.get("method")
    if isinstance(method, str):
        params = said.get("params")
        known: Params = params if isinstance(params, dict) else {}
        return Request(id=id, method=method, params=known) if _is_id(id) else Notice(method=method, params=known)
    if isinstance(said.get("error"), dict):
        return _failure(id if _is_id(id) else None, said["error"])
    if "result" in said and _is_id(id):
        return Result(id=id, result=said["result"])
    return None


def render_request(id: Id, method: str, params: Params | None = None) -> bytes:
    return _line({"id": id, "method": method, **({} if params is None else {"params": params})})


def render_notice(method: str, params: Params | None = None) -> bytes:
    return _line({"method": method, **({} if params is None else {"params": params})})


def render_result(id: Id, result: object) -> bytes:
    return _line({"id": id, "result": result})


def render_error(id: Id, code: int, message: str) -> bytes:
    return _line({"id": id, "error": {"code": code, "message": message}})


def _failure(id: Id | None, error: Mapping[str, Any]) -> Failure:
    code = error.get("code")
    return Failure(
        id=id,
        code=code if isinstance(code, int) else 0,
        message=str(error.get("message") or ""),
        data=error.get("data"),
    )


def _is_id(id: object) -> TypeGuard[Id]:
    return isinstance(id, int | str) and not isinstance(id, bool)


def _line(said: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", **said}) + b"\n"
