"""Bodies and queries become checked structs, or `Invalid` names the field that is wrong.

What both databases cannot store never gets further: NUL, broken UTF-8, lone surrogates, integers beyond 64 bits.
"""

import re
from functools import cache
from urllib.parse import parse_qsl

import msgspec
from aiohttp.web_request import BaseRequest

from pal_server.api.incoming import next_part
from pal_server.api.problems import invalid_by_check
from pal_server.api.routing import INTEGER_MAX
from pal_server.contract.base import Request
from pal_server.errors import Invalid, TooLarge

LIMIT = 200  # things on one page
_SUSPECT = re.compile(rb"\\u0000|[:\[,]\s*-?[0-9]{19}")  # a cheap look; what it finds is then checked by name
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_PARAMETERS = 40  # more than any route knows


async def read_body(http: BaseRequest, /, *, limit: int) -> bytes:
    """The whole body; `TooLarge` as soon as it is known to be longer than `limit` bytes."""
    announced = http.content_length
    if announced is not None and announced > limit:
        raise TooLarge(f"The body has more than {limit} bytes.", limit=limit)
    content = http.content
    if content.is_eof() and content.at_eof():
        return b""
    if http.headers.get("Expect", "").lower() == "100-continue" and http.transport is not None:
        http.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    parts: list[bytes] = []
    size = 0
    while part := await next_part(content):
        size += len(part)
        if size > limit:
            raise TooLarge(f"The body has more than {limit} bytes.", limit=limit)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def decode_body(raw: bytes, kind: type[Request], /, *, content_type: str, is_data: bool = False) -> Request:
    """Check a JSON body. An empty one stands for `{}`; `is_data`: NUL is replaced instead of refused."""
    if raw and content_type and not _is_json(content_type):
        raise Invalid("The body is JSON: send Content-Type: application/json.", field="Content-Type")
    if is_data and b"\\u0000" in raw:
        raw = _NUL.sub(rb"\1\\ufffd", raw)
    try:
        request = _decode(raw or b"{}", kind)
    except msgspec.DecodeError as exc:
        raise Invalid(f"The body is not JSON: {exc}.", field="body") from exc
    except UnicodeDecodeError as exc:
        raise Invalid(f"The body is not UTF-8, from byte {_bad_byte(raw)} on.", field="body") from exc
    except RecursionError as exc:
        raise Invalid("The body is nested too deeply.", field="body") from exc
    if _SUSPECT.search(raw):
        try:
            _check_values(msgspec.to_builtins(request), path="")
        except RecursionError as exc:
            raise Invalid("The body is nested too deeply.", field="body") from exc
    return _check_limit(request)


def decode_query(raw: str, kind: type[Request] | None, /) -> Request | None:
    """Check a query string. Unknown and repeated parameters are refused; `limit` is cut to 200."""
    if not raw:
        return None if kind is None else _check_limit(kind())
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=_PARAMETERS)
    except UnicodeDecodeError as exc:
        raise Invalid("The query is not UTF-8.", field="query") from exc
    except ValueError as exc:
        raise Invalid("The query has too many parameters.", field="query") from exc
    values = dict(pairs)
    if kind is not None and _has_alias(kind) and "chat" in values and "room" not in values:
        values["room"] = values.pop("chat")
    if kind is None or len(values) != len(pairs):
        names = [name for name, _ in pairs]
        again = next((name for name in names if names.count(name) > 1), names[0] if names else "")
        what = "is given twice" if names.count(again) > 1 else "is not a parameter of this path"
        raise Invalid(f"{again} {what}.", field=again)
    try:
        request: Request = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise invalid_by_check(exc, place="query", kind=kind) from exc
    _check_values(msgspec.to_builtins(request), path="")
    return _check_limit(request)


def room_of(request: Request, /) -> str | None:
    """The room a request names, by either of its names."""
    room: str | None = getattr(request, "room", None)
    chat: str | None = getattr(request, "chat", None)
    if room is not None and chat is not None and room != chat:
        raise Invalid("chat is another word for room; the two differ here.", field="chat")
    return room if room is not None else chat


def _has_alias(kind: type[Request]) -> bool:
    """Whether `chat` may stand for its `room`; where the struct has both, `room_of` sees to it."""
    return "room" in kind.__struct_fields__ and "chat" not in kind.__struct_fields__


def _decode(raw: bytes, kind: type[Request]) -> Request:
    try:
        request: Request = _decoder(kind).decode(raw)
    except msgspec.ValidationError as exc:
        request = _decode_with_alias(raw, kind, exc)
    return request


def _decode_with_alias(raw: bytes, kind: type[Request], error: msgspec.ValidationError) -> Request:
    """Read the body again with `chat` in the place of `room`, when that was what was wrong; else the error."""
    if _has_alias(kind) and "unknown field `chat`" in str(error):
        values = msgspec.json.decode(raw)
        if "room" not in values and "chat" in values:
            values["room"] = values.pop("chat")
            try:
                request: Request = msgspec.convert(values, kind)
            except msgspec.ValidationError as exc:
                raise invalid_by_check(exc, place="body", kind=kind) from exc
            return request
    raise invalid_by_check(error, place="body", kind=kind) from error


@cache
def _decoder(kind: type[Request]) -> "msgspec.json.Decoder[Request]":
    return msgspec.json.Decoder(kind)


def _is_json(content_type: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _check_limit(request: Request) -> Request:
    limit = getattr(request, "limit", None)
    if not isinstance(limit, int) or 1 <= limit <= LIMIT:
        return request
    if limit < 1:
        raise Invalid("limit is a positive number.", field="limit")
    cut: Request = msgspec.structs.replace(request, limit=LIMIT)
    return cut


def _check_values(value: object, *, path: str) -> None:
    match value:
        case str():
            if "\0" in value:
                raise Invalid(f"{path} holds a NUL character, which no text may.", field=path)
        case bool():
            return
        case int():
            if not -INTEGER_MAX <= value <= INTEGER_MAX:
                raise Invalid(f"{path} is beyond 64 bits.", field=path)
        case dict():
            for name, part in value.items():
                _check_values(name, path=path or "body")
                _check_values(part, path=f"{path}.{name}" if path else str(name))
        case list() | tuple():
            for index, part in enumerate(value):
                _check_values(part, path=f"{path}[{index}]")


def _bad_byte(raw: bytes) -> int:
    try:
        raw.decode()
    except UnicodeDecodeError as exc:
        return exc.start
    return 0
