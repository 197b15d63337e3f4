"""A plain client for setting things up: one connection, one request at a time."""

import http.client
import json
from typing import Any
from urllib.parse import urlencode


class Api:
    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, path: str, /, **body: Any) -> Any:
        return self._ask("POST", path, json.dumps(body))

    def get(self, path: str, /, **query: Any) -> Any:
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def as_computer(self, key: str) -> "Api":
        return Api(self.port, key)

    def _ask(self, method: str, path: str, body: str | None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        text = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {text.decode()[:500]}")
        return json.loads(text)
