"""Every route is asked wrongly, and answers in the one error shape."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from pal_server.api.routes import ROUTES, WORKBENCH
from pal_server.api.routing import Route
from pal_server.domain.messages import CONTENT_LIMIT
from tests.support.server import Response, ServerUnderTest

CODES = {
    "invalid",
    "unauthenticated",
    "forbidden",
    "not_found",
    "conflict",
    "already_exists",
    "already_claimed",
    "lease_lost",
    "too_large",
    "rate_limited",
    "unavailable",
}
# Fields that hold what a program, a platform or a later version says.
LOOSE = {"data", "env", "effects", "errors", "usage", "values", "credentials", "options"}
OPEN = {
    ("GET", "/"),
    *(("GET", path) for path in WORKBENCH.values()),
    ("GET", "/login"),
    ("GET", "/assets/{name}"),
    ("GET", "/assets/plain.css"),
    ("GET", "/assets/login.js"),
    ("GET", "/health"),
    ("GET", "/health/ready"),
    ("GET", "/api/version"),
    ("GET", "/api/openapi.json"),
    ("POST", "/api/login"),
    ("GET", "/i/{token}"),
    ("POST", "/api/invited/{token}/join"),
    ("GET", "/s/{token}"),
    ("POST", "/s/{token}"),
    ("GET", "/api/shared/{token}"),
    ("GET", "/api/shared/{token}/topics"),
    ("GET", "/api/shared/{token}/messages"),
    ("POST", "/api/shared/{token}/messages"),
    ("GET", "/api/shared/{token}/run-events"),
    ("GET", "/api/shared/{token}/files/{file}"),
    ("GET", "/api/shared/{token}/events"),
}


def filled(route: Route) -> str:
    """A path with ids that exist nowhere."""
    path = route.template
    for name, is_integer in route.parameters:
        path = path.replace("{" + name + "}", "999999" if is_integer else "nothing-here")
    return path


def check_shape(response: Response, *, status: int) -> None:
    assert response.status == status, response.body
    assert set(response.body) == {"error"}
    error = response.body["error"]
    assert set(error) == {"code", "message", "facts", "request_id"}
    assert error["code"] in CODES
    assert error["message"]
    assert isinstance(error["facts"], dict)
    assert error["request_id"] == response.headers["X-Request-Id"] != ""
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


def named(route: Route) -> str:
    return f"{route.method} {route.template}"


def closed(routes: tuple[Route, ...] = ROUTES) -> list[Route]:
    return [route for route in routes if not route.who.is_open]


def test_only_health_pages_and_log_in_are_open() -> None:
    assert {(route.method, route.template) for route in ROUTES if route.who.is_open} == OPEN


async def test_without_a_credential_every_closed_route_says_401(server: ServerUnderTest) -> None:
    for route in closed():
        for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic bm9ib2R5"}):
            response = await server.request(route.method, filled(route), token=None, headers=headers)

            check_shape(response, status=401)
            assert response.code == "unauthenticated"
            assert "Bearer" in response.headers["WWW-Authenticate"]


async def test_a_token_in_the_query_is_no_credential(server: ServerUnderTest) -> None:
    response = await server.get("/api/me", token=None, access_token=server.owner)

    check_shape(response, status=401)


async def test_a_viewer_and_a_run_are_refused_what_is_not_theirs(server: ServerUnderTest) -> None:
    viewer = await server.user("victor", role="viewer")
    computer, _, opened = await server.running()
    actors = {"viewer": (viewer, False), "run": (opened["token"], True), "computer": (computer.key, True)}

    for route in closed():
        for kind, (token, is_machine) in actors.items():
            allowed = getattr(route.who, kind) if is_machine else route.who.user == "viewer"
            if allowed or route.upgrades:
                continue
            response = await server.request(route.method, filled(route), token=token, json={})

            check_shape(response, status=403)


async def test_unknown_fields_are_refused_by_name(server: ServerUnderTest) -> None:
    credentials = await credentials_of(server)
    for route in ROUTES:
        if route.body is None:
            continue
        body = {"no_such_field": 1}
        response = await server.request(route.method, filled(route), token=credentials(route), json=body)

        check_shape(response, status=400)
        assert response.facts["field"] in ("no_such_field", first_required(route)), named(route)


async def test_unknown_parameters_are_refused_by_name(server: ServerUnderTest) -> None:
    credentials = await credentials_of(server)
    for route in ROUTES:
        if route.media == "text/html" or route.upgrades:
            continue
        path = f"{filled(route)}?no_such_parameter=1"
        response = await server.request(route.method, path, token=credentials(route))

        check_shape(response, status=400)
        assert response.facts["field"] in ("no_such_parameter", first_required(route)), named(route)


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"{", "broken"),
        (b"[]", "a list"),
        (b"null", "null"),
        (b'"text"', "a text"),
        (b'{"a":"\xff\xfe"}', "broken UTF-8"),
        (b"\x00\x01\x02", "binary"),
        (b'{"a":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_no_json_object_is_refused(server: ServerUnderTest, raw: bytes, what: str) -> None:
    credentials = await credentials_of(server)
    for route in ROUTES:
        if route.body is None:
            continue
        response = await server.request(
            route.method,
            filled(route),
            token=credentials(route),
            data=raw,
            headers={"Content-Type": "application/json"},
        )

        check_shape(response, status=400)


async def test_a_wrong_type_names_its_field(server: ServerUnderTest) -> None:
    credentials = await credentials_of(server)
    for route in ROUTES:
        if route.body is None:
            continue
        for field in msgspec.structs.fields(route.body):
            if field.name in LOOSE:
                continue
            body = {**required_of(route), field.name: {"neither": ["this"], "nor": "that"}}
            response = await server.request(route.method, filled(route), token=credentials(route), json=body)

            check_shape(response, status=400)
            assert str(response.facts["field"]).startswith(field.name), (named(route), response.body)


async def test_a_word_that_is_none_of_a_closed_set_is_told_which_there_are(server: ServerUnderTest) -> None:
    said = await server.request("POST", "/api/rooms/general/agents", json={"agent": "bot", "mode": "sometimes"})
    asked = await server.request("GET", "/api/deliveries?status=lost")

    assert said.facts == {"field": "mode"}
    assert "mode is one of: mentions, all, periodic, muted, off." in said.body["error"]["message"]
    assert "status is one of: pending, claimed, acked" in asked.body["error"]["message"]


async def test_nul_lone_surrogates_and_huge_numbers_never_get_in(server: ServerUnderTest) -> None:
    nul = await server.post("/api/messages", {"room": "general", "content": "a\0b"})
    nested = await server.post("/api/messages", {"room": "general", "content": "a", "mentions": ["x", "a\0"]})
    lone = await server.request(
        "POST",
        "/api/messages",
        data=b'{"room":"general","content":"\\ud800"}',
        headers={"Content-Type": "application/json"},
    )
    huge = await server.post("/api/messages", {"room": "general", "content": "a", "topic": 2**70})
    in_query = await server.request("GET", "/api/messages?q=%00")
    broken_query = await server.request("GET", "/api/messages?q=%ff")
    huge_query = await server.request("GET", f"/api/messages?after={2**70}")
    escaped = await server.post("/api/messages", {"room": "general", "content": "a literal \\u0000 stays"})

    for response in (nul, nested, lone, huge, in_query, broken_query, huge_query):
        check_shape(response, status=400)
    assert nul.facts["field"] == "content"
    assert nested.facts["field"] == "mentions[1]"
    assert huge.facts["field"] == "topic"
    assert in_query.facts["field"] == "q"
    assert escaped.status == 201
    assert escaped["message"]["content"] == "a literal \\u0000 stays"


async def test_what_a_program_printed_is_kept_without_its_nul(server: ServerUnderTest) -> None:
    computer, claimed, opened = await server.running()
    run = opened["run"]["id"]
    body = {
        "lease_id": claimed["lease"]["id"],
        "fence": claimed["lease"]["fence"],
        "events": [{"seq": 1, "kind": "output", "at": 1, "text": "a\0b"}],
    }

    await server.post(f"/api/runs/{run}/events", body, token=computer.key)

    assert (await server.get(f"/api/runs/{run}/events"))["events"][0]["text"] == "a�b"


async def test_ten_megabytes_are_too_much_everywhere_but_where_files_go(server: ServerUnderTest) -> None:
    credentials = await credentials_of(server)
    body = json.dumps({"content": "x" * 10 * 1024 * 1024}).encode()
    for route in ROUTES:
        if route.body is None:
            continue
        response = await server.request(
            route.method,
            filled(route),
            token=credentials(route),
            data=body,
            headers={"Content-Type": "application/json"},
        )

        check_shape(response, status=413)
        assert response.facts["limit"] == route.limit


async def test_the_longest_message_fits_however_it_is_escaped(server: ServerUnderTest) -> None:
    longest = "\U0001f600" * CONTENT_LIMIT
    body = json.dumps({"room": "general", "content": longest}).encode()
    again = json.dumps({"content": longest}).encode()
    headers = {"Content-Type": "application/json"}

    sent = await server.request("POST", "/api/messages", data=body, headers=headers)
    edited = await server.request("PATCH", f"/api/messages/{sent['message']['id']}", data=again, headers=headers)

    assert (sent.status, edited.status) == (201, 200)
    assert edited["message"]["content"] == longest


async def test_a_body_that_does_not_say_its_length_is_cut_off_too(server: ServerUnderTest) -> None:
    async def pieces() -> Any:
        for _ in range(64):
            yield b" " * 65536

    headers = {"Authorization": f"Bearer {server.owner}", "Content-Type": "application/json"}
    async with server.session.post(server.url + "/api/rooms", data=pieces(), headers=headers) as response:
        assert response.status == 413


async def test_other_content_is_refused_with_a_remedy(server: ServerUnderTest) -> None:
    response = await server.request(
        "POST", "/api/rooms", data=b"name=x", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    check_shape(response, status=400)
    assert response.facts["field"] == "Content-Type"


async def test_unknown_paths_and_methods(server: ServerUnderTest) -> None:
    unknown = await server.get("/api/nothing")
    method = await server.request("PUT", "/api/rooms")

    check_shape(unknown, status=404)
    check_shape(method, status=405)
    assert method.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    "segment",
    [
        "..",
        "%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "a%2Fb",
        "a%5Cb",
        "%00",
        "a%00b",
        "%ff",
        "",
        ".hidden",
        "a b",
        "x" * 300,
    ],
)
async def test_an_id_is_never_a_path(server: ServerUnderTest, segment: str) -> None:
    raw = await raw_request(server, f"/api/rooms/{segment}")
    file = await raw_request(server, f"/f/{segment}")

    assert raw == file == 400


async def test_numbers_in_paths_are_numbers(server: ServerUnderTest) -> None:
    for text in ("x", "1x", "-1", "1.0", str(2**63), "١"):
        check_shape(await server.get(f"/api/messages/{text}"), status=400)


async def test_a_limit_is_cut_to_200_and_has_to_be_positive(server: ServerUnderTest) -> None:
    for route in ROUTES:
        fields = [] if route.query is None else [field.name for field in msgspec.structs.fields(route.query)]
        if "limit" not in fields or route.parameters:
            continue
        for wrong in ("0", "-1", "x", "1.5"):
            response = await server.request("GET", f"{route.template}?limit={wrong}")
            check_shape(response, status=400)
            assert response.facts["field"] == "limit"
        if route.template != "/api/inbox":
            assert (await server.request("GET", f"{route.template}?limit=100000")).status == 200, named(route)


async def test_what_is_no_http_is_answered_in_the_same_shape(server: ServerUnderTest) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.app.port)
    writer.write(b"\x16\x03\x01 not http\r\n\r\n")

    answer = await reader.read()

    writer.close()
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert b'{"error":{"code":"invalid"' in answer


async def test_a_bug_shows_its_request_id_and_nothing_else(server: ServerUnderTest, monkeypatch: Any) -> None:
    async def fails(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("the secret inside")

    monkeypatch.setattr("pal_server.storage.store.Store.read", fails)
    response = await server.get("/api/rooms", token="nobody-new")

    assert response.status == 500
    assert response.code == "internal"
    assert "secret" not in json.dumps(response.body)


async def test_openapi_lists_exactly_the_table(server: ServerUnderTest) -> None:
    document = (await server.get("/api/openapi.json", token=None)).body

    listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert document["openapi"].startswith("3.1")
    assert listed == {(route.method, route.template) for route in ROUTES}
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for reference in references(document):
        assert resolves(document, reference), reference
    for path, methods in document["paths"].items():
        for operation in methods.values():
            in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}
            assert "default" in operation["responses"]


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for part in value.values() for found in references(part)]
    return [found for part in value for found in references(part)] if isinstance(value, list) else []


def resolves(document: Any, reference: str) -> bool:
    for part in reference.removeprefix("#/").split("/"):
        document = document.get(part, {})
    return bool(document)


def required_of(route: Route) -> dict[str, Any]:
    """Something of the right type for every field that has to be there."""
    assert route.body is not None
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(route.body):
        if field.required:
            for candidate in ("x", 1, [], True, {}, None, "question", "succeeded"):
                try:
                    msgspec.convert(candidate, field.type)
                except msgspec.ValidationError:
                    continue
                values[field.name] = candidate
                break
    return values


def first_required(route: Route) -> str | None:
    """The checker may meet a missing field before the unknown one."""
    kind = route.body or route.query
    fields = [] if kind is None else msgspec.structs.fields(kind)
    return next((field.name for field in fields if field.required), None)


async def credentials_of(server: ServerUnderTest) -> Any:
    computer, _, opened = await server.running()
    bridge = await server.token("owner", kind="bridge")
    invite = await server.post("/api/invites", {"room": "general"})
    joined = await server.post(f"/api/invited/{invite['token']}/join", {"name": "visitor"}, token=None)
    guest = str(joined["token"])

    def choose(route: Route) -> str | None:
        if route.who.is_open:
            return None
        if route.who.user is not None:
            return server.owner
        if route.who.computer:
            return computer.key
        if route.who.guest:
            return guest
        return str(opened["token"]) if route.who.run else bridge

    return choose


async def raw_request(server: ServerUnderTest, path: str) -> int:
    """As it is: clients tidy paths up before they send them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.app.port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {server.owner}\r\n"
        "Connection: close\r\n\r\n".encode("utf-8", "surrogateescape")
    )
    head = await reader.readline()
    await reader.read()
    writer.close()
    return int(head.split()[1])
