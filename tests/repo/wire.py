"""The types of the web client, made from the server's own description of its API.

`uv run python -m tests.repo.wire` writes them anew; a test fails while they say something else than the server.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests.repo.tree import ROOT

FILE = ROOT / "pal_server" / "workbench" / "src" / "wire" / "contract.ts"
HEAD = "// Made from the server's contract by `uv run python -m tests.repo.wire`; not to be edited by hand.\n"
_NAMES = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}


def render() -> str:
    """The whole file."""
    from pal_server.api.openapi import describe_api
    from pal_server.api.routes import ROUTES
    from pal_server.contract import terminals as t
    from pal_server.contract.base import Request
    from pal_server.contract.events import Event

    document = describe_api(ROUTES, version="")
    said = [Event, t.TerminalHello, t.TerminalSize, t.TerminalTyped, t.TerminalStateChange, t.TerminalClosed]
    said.append(t.TerminalResize)
    _, frames = msgspec.json.schema_components(said, ref_template="#/components/schemas/{name}")
    schemas = {**document["components"]["schemas"], **frames}
    asked = _requests(Request)
    parts = [HEAD]
    for name in sorted(schemas):
        parts.append("\n".join(_struct(name, schemas[name], is_answer=name not in asked)))
    parts.append("\n".join(_routes(document["paths"])))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _requests(kind: type[Any]) -> set[str]:
    """Names of everything that is sent to the server."""
    return {kind.__name__}.union(*(_requests(below) for below in kind.__subclasses__()))


def _refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield _last(value["$ref"])
        for part in value.values():
            yield from _refs(part)
    elif isinstance(value, list):
        for part in value:
            yield from _refs(part)


# In an answer every field is there; in a request those with a default may be left out.
def _struct(name: str, schema: dict[str, Any], *, is_answer: bool) -> Iterator[str]:
    if "properties" not in schema:
        yield f"export type {name} = {_type(schema)};"
        return
    about = schema.get("description", "").strip().splitlines()
    if about:
        yield f"/** {about[0]} */"
    required = set(schema.get("required", []))
    yield f"export interface {name} {{"
    for field, kind in schema["properties"].items():
        mark = "" if is_answer or field in required else "?"
        yield f"  {field}{mark}: {_type(kind)};"
    yield "}"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _last(schema["$ref"])
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    match schema.get("type"):
        case "array":
            inner = _type(schema.get("items", {}))
            return f"({inner})[]" if "|" in inner else f"{inner}[]"
        case "object":
            more = schema.get("additionalProperties")
            return f"Record<string, {_type(more) if isinstance(more, dict) else 'unknown'}>"
        case str() as kind:
            return _NAMES[kind]
        case _:
            return "unknown"


def _routes(paths: dict[str, Any]) -> Iterator[str]:
    yield "/** Body and answer of every route that speaks JSON. */"
    yield "export interface Routes {"
    for path, methods in paths.items():
        for method, operation in methods.items():
            answer = _answer(operation)
            if answer is None or not path.startswith("/api/"):
                continue
            body = next(_refs(operation.get("requestBody")), "undefined")
            yield f'  "{method.upper()} {path}": {{ body: {body}; answer: {answer} }};'
    yield "}"


def _answer(operation: dict[str, Any]) -> str | None:
    for status, response in operation["responses"].items():
        if status.isdigit():
            return next(_refs(response), None)
    return None


def _last(reference: str) -> str:
    return reference.rpartition("/")[2]


def main(target: Path = FILE) -> None:
    text = render()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{target.relative_to(ROOT)}: {len(text.splitlines())} lines\n")


if __name__ == "__main__":
    main()
