"""The agent's command as a request: `POST https://… --header 'Name: value' --body TEMPLATE --timeout S --host NAME`."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlsplit

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TIMEOUT, LONGEST = 60.0, 3600.0  # seconds
VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
PLACE = re.compile(r"\{(prompt|content|agent|room|topic|message|run)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """`hosts` are all that may be asked, redirects included."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None
    timeout: float
    hosts: tuple[str, ...]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def parse_request_line(command: str, *, env: Mapping[str, str]) -> RequestLine:
    """ValueError says what is wrong with it. `$NAME` in a header is a variable of the agent's account."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("method")
    parser.add_argument("url")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--body")
    parser.add_argument("--timeout", type=float, default=TIMEOUT)
    parser.add_argument("--host", action="append", default=[])
    said = parser.parse_args(shlex.split(command))
    method = said.method.upper()
    if method not in METHODS:
        raise ValueError(f"the method is one of {', '.join(METHODS)}, not {said.method}")
    host = urlsplit(said.url).hostname
    if not said.url.startswith(("http://", "https://")) or not host or not said.url.isprintable() or " " in said.url:
        raise ValueError(f"{said.url!r} is no http address")
    hosts = tuple(name.lower() for name in said.host) or (host,)
    if host not in hosts:
        raise ValueError(f"{host} is not among the hosts that may be asked: {', '.join(hosts)}")
    if not 0 < said.timeout <= LONGEST:
        raise ValueError(f"--timeout is above 0 and at most {LONGEST:.0f} seconds")
    headers = dict(_header(text, env) for text in said.header)
    return RequestLine(method=method, url=said.url, headers=headers, body=said.body, timeout=said.timeout, hosts=hosts)


def fill(template: str | None, values: Mapping[str, object]) -> str:
    """The template with each `{prompt}`, `{content}`, `{agent}`, `{room}`, `{topic}`, `{message}` and `{run}` as JSON,
    strings with their quotes; without a template an object of all of them. Other braces stay.
    """
    if template is None:
        return json.dumps(values, ensure_ascii=False)
    return PLACE.sub(lambda place: json.dumps(values[place[1]], ensure_ascii=False), template)


def _header(text: str, env: Mapping[str, str]) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise ValueError(f"a header is written as 'Name: value', not {name!r}")
    missing = [variable for variable in VARIABLE.findall(value) if variable not in env]
    if missing:
        raise ValueError(f"the header {name} needs {', '.join(missing)} in the agent's account")
    whole = VARIABLE.sub(lambda variable: env[variable[1]], value).strip()
    if not whole.isprintable():
        raise ValueError(f"the header {name} has a character that no header may have")
    return name, whole
