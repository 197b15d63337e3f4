"""What an interrupted run had done, as far as it can be seen: in its events, in its messages, and in git."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pal_server.errors import Invalid

SHOWN = 100  # of each kind of effect on a card
NAMED = 5  # of each in its words
TEXT = 200  # characters of a command line

_PUSH = re.compile(r"\bgit\b[^\n;|&]*\bpush\b")


class Choice(StrEnum):
    """What becomes of an interrupted run's work; a person chooses once."""

    RESUME = "resume"  # the same session goes on
    START_OVER = "start_over"  # a new session, the same message; the files stay as they are
    DROP = "drop"  # nothing more is done, and what was changed and not committed is put aside in a stash
    KEEP_FILES = "keep_files"  # nothing more is done, and the files stay as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A run event that tells of an effect."""

    kind: str
    text: str | None
    data: Mapping[str, Any]


def parse_choice(choice: str) -> Choice:
    try:
        return Choice(choice)
    except ValueError:
        raise Invalid(f"choice is one of {', '.join(Choice)}", field="choice", value=choice[:64]) from None


def effects_of(told: Iterable[Told], *, messages: Sequence[int], found: Mapping[str, Any]) -> dict[str, Any]:
    """The effects as a card holds them: files, commits, pushes, messages, commands that had no result, and what is not
    known (`note`). `found` is what the computer says, git's part of it under `git`.
    """
    git = _mapping(found.get("git"))
    root = str(git.get("root") or "")
    files: dict[str, str] = {}
    commands: dict[str, str] = {}
    results: set[str] = set()
    pushed: list[dict[str, str]] = []
    for event in told:
        id = str(event.data.get("id") or "")
        match event.kind:
            case "file_change":
                for path in _paths(event):
                    files[_below(path, root)] = str(event.data.get("change") or "edit")
            case "command" | "tool_call":
                commands.setdefault(id, _line(event))
                if event.kind == "command":
                    commands[id] = _line(event)
            case "tool_result":
                results.add(id)
                if event.data.get("status") == "ok" and _PUSH.search(commands.get(id, "")):
                    pushed.append({"command": commands[id]})
    for file in _list(git.get("files")):
        files.setdefault(str(_mapping(file).get("path")), str(_mapping(file).get("change") or "edit"))
    going = [line for id, line in commands.items() if id not in results and line]
    effects: dict[str, Any] = {
        "files": [{"path": path, "change": files[path]} for path in sorted(files)[:SHOWN]],
        "commits": _list(git.get("commits"))[:SHOWN],
        "pushes": [*_list(git.get("pushes")), *pushed][:SHOWN],
        "messages": list(messages)[:SHOWN],
        "commands": going[-SHOWN:],
    }
    more = max(0, len(files) - SHOWN) + int(git.get("more_files") or 0)
    told_too = {name: git[name] for name in ("root", "branch", "branch_before", "note") if git.get(name)}
    return {**effects, **told_too, **({"more_files": more} if more else {})}


def describe(effects: Mapping[str, Any]) -> list[str]:
    """The effects in words, a line for each kind there is."""
    commits = [f"{one.get('id', '')[:10]} {one.get('subject', '')}".strip() for one in effects["commits"]]
    pushes = [str(one.get("ref") or one.get("command")) for one in effects["pushes"]]
    lines = [
        _named("Files changed", [one["path"] for one in effects["files"]], more=effects.get("more_files", 0)),
        _named("Commits", commits),
        _named("Pushed", pushes),
        _named("Messages sent", [str(id) for id in effects["messages"]]),
        _named("Still going when it broke off", effects["commands"]),
    ]
    if effects.get("branch_before") and effects.get("branch"):
        lines.append(f"Branch: {effects['branch']}, before {effects['branch_before']}")
    if effects.get("note"):
        lines.append(f"Not known from git: {effects['note']}")
    return [line for line in lines if line] or ["It is not known to have changed anything."]


def _named(what: str, names: Sequence[str], *, more: int = 0) -> str:
    left = len(names) - NAMED + more
    listed = ", ".join(names[:NAMED])
    return f"{what}: {listed}{f' and {left} more' if left > 0 else ''}" if names else ""


def _paths(event: Told) -> list[str]:
    paths = event.data.get("paths")
    if isinstance(paths, list):
        return [str(path) for path in paths]
    path = event.data.get("path") or event.text
    return [str(path)] if path else []


def _below(path: str, root: str) -> str:
    """As git names it, so that one file is told once."""
    return path.removeprefix(f"{root}/") if root else path


def _line(event: Told) -> str:
    line = " ".join(str(event.data.get("command") or event.data.get("title") or event.text or "").split())
    return line if len(line) <= TEXT else f"{line[: TEXT - 1]}…"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
