"""Reads the launch document: what to start and within which limits.

One JSON object on stdin: argv, cwd, env (complete), input (text, or null), close_input, memo (JSON
as text, or null), spool_limit (bytes), ask_grace, terminate_grace, leftover_grace (seconds), and terminal ([columns,
rows], or null for a program with pipes). Bytes that are no UTF-8 travel as lone surrogates.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Document:
    """The launch document, checked."""

    __slots__ = (
        "argv",
        "ask_grace",
        "close_input",
        "cwd",
        "env",
        "input",
        "leftover_grace",
        "memo",
        "spool_limit",
        "terminal",
        "terminate_grace",
    )

    def __init__(self, text: str) -> None:
        """Raises ValueError, TypeError or KeyError with what is wrong."""
        fields = _scan(text)
        if not isinstance(fields, dict):
            raise TypeError("the launch document is no object")
        self.argv: list[str] = [_string(word) for word in fields["argv"]]
        if not self.argv:
            raise ValueError("argv is empty")
        self.cwd: str = _string(fields["cwd"])
        self.env: dict[str, str] = {_string(name): _string(value) for name, value in fields["env"].items()}
        prompt = fields["input"]
        self.input: bytes | None = None if prompt is None else prompt.encode("utf-8", "surrogateescape")
        self.close_input = bool(fields["close_input"])
        memo = fields["memo"]
        self.memo: bytes | None = None if memo is None else memo.encode("utf-8", "surrogateescape")
        self.spool_limit = int(fields["spool_limit"])
        self.ask_grace = float(fields["ask_grace"])
        self.terminate_grace = float(fields["terminate_grace"])
        self.leftover_grace = float(fields["leftover_grace"])
        size = fields.get("terminal")
        self.terminal: tuple[int, int] | None = None if size is None else (int(size[0]), int(size[1]))


def _string(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError("argv, cwd and env are strings without NUL")
    return value


class _Rules:
    """What the C scanner asks its decoder for; values of json.JSONDecoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str] = {}  # the scanner clears it after each use


def _scan(text: str) -> object:
    """The value `text` begins with. `import json` costs 6 ms of the agent's start, the scanner inside it nothing."""
    scanner: Callable[[str, int], tuple[object, int]]
    try:
        from _json import make_scanner

        scanner = make_scanner(_Rules())  # type: ignore[arg-type]  # the stub wants a JSONDecoder
    except (ImportError, AttributeError, TypeError):
        from json import loads

        return loads(text)
    try:
        return scanner(text, 0)[0]
    except StopIteration:
        raise ValueError("the launch document is empty or cut off") from None
