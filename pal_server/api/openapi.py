"""The OpenAPI 3.1 document, made from the table: what is not in the table is not in the document, and the reverse."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import msgspec

from pal_server.api.problems import STATUSES
from pal_server.api.routing import Route
from pal_server.contract.base import ProblemAnswer

_REF = "#/components/schemas/{name}"


def document_of(routes: Iterable[Route], *, version: str) -> Callable[[], bytes]:
    """The document as JSON, made when somebody asks for the first time."""
    return cache(lambda: msgspec.json.encode(describe_api(routes, version=version)))


def describe_api(routes: Iterable[Route], *, version: str) -> dict[str, Any]:
    """The whole document."""
    routes = list(routes)
    kinds: list[Any] = [ProblemAnswer]
    for route in routes:
        kinds += [kind for kind in (route.body, route.query, route.answer) if kind is not None and kind not in kinds]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    refs = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route, refs, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pal",
            "version": version,
            "description": "A chat-first message bus for people and coding agents. Times are UTC milliseconds; `next` "
            "of a page goes back as `after`. Every error has one shape.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "pal_session",
                    "description": "Set by log-in; the name carries a suffix of this server's own.",
                },
            },
            "responses": {
                "Problem": {
                    "description": "Refused, for the reason its code names: " + ", ".join(STATUSES) + ".",
                    "content": {"application/json": {"schema": refs[ProblemAnswer]}},
                }
            },
        },
        "security": [{"bearer": []}, {"cookie": []}],
    }


def _operation(route: Route, refs: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 0} if is_integer else {"type": "string"},
        }
        for name, is_integer in route.parameters
    ]
    if route.query is not None:
        parameters += _query_parameters(refs[route.query], components)
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "tags": [route.operation.partition(".")[0]],
        "summary": route.summary,
        "description": f"For {route.who.describe()}.",
        "parameters": parameters,
        "responses": {str(route.status): _success(route, refs), "default": {"$ref": "#/components/responses/Problem"}},
    }
    if route.who.is_open:
        operation["security"] = []
    if route.body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": refs[route.body]}}}
    elif route.reads_body:
        operation["requestBody"] = {"content": {"application/octet-stream": {"schema": {}}}}
    return operation


def _success(route: Route, refs: dict[Any, Any]) -> dict[str, Any]:
    if route.answer is not None:
        return {"description": "Done.", "content": {"application/json": {"schema": refs[route.answer]}}}
    if route.upgrades:
        return {"description": "The WebSocket is open."}
    return {"description": "Done.", "content": {route.media: {}}}


def _query_parameters(schema: dict[str, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    properties = components[schema["$ref"].rpartition("/")[2]]
    required = properties.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": kind}
        for name, kind in properties["properties"].items()
    ]
