"""Which server or daemon to talk to, with which credential, and where each value came from.

flag > `LOCK_…` > `PAL_…` > `.pal.toml` (found upward) > `$PAL_HOME/config.toml` > default. A project file may name a
server, never a credential. A token kept in `PAL_HOME` is given only to the server it was made for.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_SERVER = "http://127.0.0.1:4127"
DEFAULT_DAEMON = "http://127.0.0.1:4137"
PROJECT_FILE = ".pal.toml"
_SECRET_WORDS = ("token", "secret", "password", "passwd", "api_key", "apikey", "api-key", "credential")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Unusable(Exception):
    """A setting that cannot be used; the message names it, where it came from and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value and the name of the flag, variable or file that supplied it."""

    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to send requests. `token` is None when none may be sent there; `why_no_token` then says why."""

    url: str
    url_from: str
    token: str | None
    token_from: str = ""
    why_no_token: str = ""


def pal_home(env: Mapping[str, str] | None = None) -> Path:
    """`$PAL_HOME`, or `~/.pal`. Nothing is created."""
    env = os.environ if env is None else env
    named = env.get("LOCK_HOME") or env.get("PAL_HOME")
    return Path(named).expanduser() if named else Path(os.path.expanduser("~")) / ".pal"


def server_place(
    *,
    server: str | None = None,
    token: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Place:
    """The server and the credential for it; `server` and `token` are what flags said."""
    env = os.environ if env is None else env
    home = pal_home(env)
    url = find_server(server=server, env=env, cwd=cwd)
    found, why_not = _server_token(token=token, url=url.value, env=env, home=home)
    return Place(
        url=url.value,
        url_from=url.source,
        token=found.value if found else None,
        token_from=found.source if found else "",
        why_no_token=why_not,
    )


def daemon_place(*, daemon: str | None = None, token: str | None = None, env: Mapping[str, str] | None = None) -> Place:
    """This computer's daemon. Inside a run the run's own token goes before any other, so an agent speaks as itself."""
    env = os.environ if env is None else env
    home = pal_home(env)
    url = _first(
        _flag("--daemon", daemon),
        _variable(env, "LOCK_DAEMON_URL"),
        _variable(env, "PAL_DAEMON_URL"),
        _from_file(home / "config.toml", "daemon"),
        Found(value=DEFAULT_DAEMON, source="default"),
    )
    base = checked_url(url)
    found = _first_or_none(
        _flag("--token", token),
        _variable(env, "PAL_RUN_TOKEN"),
        _variable(env, "LOCK_DAEMON_TOKEN"),
        _variable(env, "PAL_DAEMON_TOKEN"),
    )
    why_not = ""
    if found is None:
        found, why_not = _daemon_token_file(home, base)
    return Place(
        url=base,
        url_from=url.source,
        token=found.value if found else None,
        token_from=found.source if found else "",
        why_no_token=why_not,
    )


def find_server(*, server: str | None = None, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Found:
    """The server's URL. Where nothing names one it is the server that last started in this `PAL_HOME`."""
    env = os.environ if env is None else env
    home = pal_home(env)
    found = _first_or_none(_flag("--server", server), _variable(env, "LOCK_SERVER_URL"), _variable(env, "PAL_SERVER"))
    found = found or project_setting("server", cwd=cwd) or _from_file(home / "config.toml", "server")
    if found is None:
        local = local_server(home)
        found = Found(value=local or DEFAULT_SERVER, source=str(home / "server.json") if local else "default")
    return Found(value=checked_url(found), source=found.source)


def project_setting(key: str, *, cwd: Path | None = None) -> Found | None:
    """What the nearest `.pal.toml` says of `server`, `workspace` or `project`."""
    file = find_project_file(cwd)
    return _from_file(file, key, may_hold_secrets=False) if file else None


def named_project(*, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str | None:
    """The project that `PAL_PROJECT` names, else the nearest `.pal.toml`."""
    found = _variable(os.environ if env is None else env, "PAL_PROJECT") or project_setting("project", cwd=cwd)
    return None if found is None else found.value


def find_project_file(cwd: Path | None = None) -> Path | None:
    """The `.pal.toml` of this folder or of the nearest one above it."""
    try:
        here = (cwd or Path.cwd()).absolute()
    except FileNotFoundError:  # the working folder was deleted
        return None
    return next((file for folder in (here, *here.parents) if (file := folder / PROJECT_FILE).is_file()), None)


def local_server(home: Path) -> str | None:
    """The URL of the server that runs, or last ran, in this home; `server.json` is written by it at its start."""
    try:
        url = json.loads((home / "server.json").read_text("utf-8"))["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url.rstrip("/") if isinstance(url, str) and url else None


def same_server(one: str, other: str) -> bool:
    """Whether two URLs name the same server: case, a final slash, the default port and `localhost` do not matter."""
    return _canonical(one) == _canonical(other)


def checked_url(found: Found) -> str:
    """The URL without a final slash; Unusable when it is none, or when it carries a password."""
    from urllib.parse import urlsplit

    text = found.value.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable, parts = False, None
    if not usable or parts is None:
        raise Unusable(f"{found.source}: {found.value!r} is not a server's address. Write it like {DEFAULT_SERVER}")
    if parts.username is not None or parts.password is not None:
        raise Unusable(f"{found.source}: an address must not carry a name or password. Use --token or PAL_TOKEN")
    return text


def _server_token(*, token: str | None, url: str, env: Mapping[str, str], home: Path) -> tuple[Found | None, str]:
    found = _first_or_none(_flag("--token", token), _variable(env, "PAL_TOKEN"))
    if found:
        return found, ""
    config = home / "config.toml"
    kept, kept_for = _from_file(config, "token"), _from_file(config, "server")
    if kept and kept_for and same_server(kept_for.value, url):
        return kept, ""
    file = home / "owner.token"
    if not file.exists():
        return None, f"there is no {file}. Give --token or set PAL_TOKEN"
    made_for = local_server(home)
    if made_for is None:
        return None, f"{file} is there, but not which server it was made for. Give --token or set PAL_TOKEN"
    if not same_server(made_for, url):
        return None, f"{file} was made for {made_for} and is not sent to {url}. Give --token or set PAL_TOKEN"
    return _secret_file(file)


def _daemon_token_file(home: Path, url: str) -> tuple[Found | None, str]:
    from urllib.parse import urlsplit

    file = home / "daemon" / "token"
    if urlsplit(url).hostname not in _LOOPBACK:
        return None, f"{file} is for a daemon on this computer and is not sent to {url}. Set LOCK_DAEMON_TOKEN"
    if not file.exists():
        return None, f"there is no {file}, so no daemon has run in this PAL_HOME yet. Start one with `pal up`"
    return _secret_file(file)


def _secret_file(file: Path) -> tuple[Found | None, str]:
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        return None, f"{file} cannot be read ({error})"
    return (Found(value=text, source=str(file)), "") if text else (None, f"{file} is empty")


def _from_file(file: Path, key: str, *, may_hold_secrets: bool = True) -> Found | None:
    settings = _read_toml(file)
    if not may_hold_secrets:
        _refuse_secrets(settings, file)
    value = settings.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Unusable(f'{file}: {key} must be text, as in {key} = "…"')
    return Found(value=value, source=str(file))


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        text = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise Unusable(f"{file} cannot be read: {error.strerror or error}") from error
    import tomllib

    try:
        return tomllib.loads(text.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{file} is not valid TOML: {error}") from error


def _refuse_secrets(settings: dict[str, Any], file: Path) -> None:
    for key, value in settings.items():
        if any(word in key.lower() for word in _SECRET_WORDS) or (isinstance(value, str) and value.startswith("sk_")):
            raise Unusable(
                f"{file} names a credential ({key}). A project file is shared with others, so it may name a server "
                f"but never a credential: take the line out and use PAL_TOKEN or $PAL_HOME/config.toml"
            )
        if isinstance(value, dict):
            _refuse_secrets(value, file)


def _canonical(url: str) -> tuple[str, str, int | None, str]:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or ""), parts.port
    except ValueError:
        return "", url, None, ""
    host = "127.0.0.1" if host == "localhost" else host
    return parts.scheme, host, port or {"http": 80, "https": 443}.get(parts.scheme), parts.path.rstrip("/")


def _flag(name: str, value: str | None) -> Found | None:
    return Found(value=value, source=name) if value is not None else None


def _variable(env: Mapping[str, str], name: str) -> Found | None:
    value = env.get(name)
    return Found(value=value, source=name) if value else None


def _first_or_none(*found: Found | None) -> Found | None:
    return next((one for one in found if one), None)


def _first(*found: Found | None) -> Found:
    return next(one for one in found if one)
