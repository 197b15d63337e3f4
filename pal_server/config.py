"""The server's settings: defaults < `$PAL_HOME/config.toml` < environment < flags. Frozen once read.

Where a `LOCK_…` and a `PAL_…` variable are both set, `LOCK_…` wins.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from pal_server.errors import Invalid, Unavailable

DEFAULT_PORT = 4127


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `pal server` runs with. Field names are the names in `config.toml`; the variable is `PAL_` and the name."""

    home: Path
    db: str = ""
    """A path or `postgresql://…`; `$PAL_HOME/lock.sqlite` when empty."""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0 picks a free one."""
    public_url: str = ""
    """How others reach this server, for links and commands; made from host and port when empty."""
    allowed_hosts: tuple[str, ...] = ()
    """Names besides loopback and `host` under which browsers may reach this server, as behind a proxy."""
    webhook_hosts: tuple[str, ...] = ()
    """Names and addresses inside this network that webhooks of people may reach all the same."""
    lark_config: str = ""
    """The file with Lark bots; `$PAL_HOME/lark.json` when empty. Read with every reload."""
    slack_config: str = ""
    """The file with Slack bots; `$PAL_HOME/slack.json` when empty."""
    dingtalk_config: str = ""
    """The file with DingTalk bots; `$PAL_HOME/dingtalk.json` when empty."""
    bridges: bool = True
    """Whether this server starts the bridges its bots need; without, somebody runs `pal bridge run`."""
    terminal_role: Literal["member", "admin", "owner"] = "member"
    """The role a user needs to open terminals and to type into them; everybody else who sees the room may watch."""
    terminals_per_topic: int = 8
    terminals_per_computer: int = 20
    terminal_idle: int = 1800
    """Seconds without a viewer, a key or a word of its own after which a terminal is closed."""
    nats: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    access_log: bool = False
    server: str = ""
    """Read by the command line and the daemon; here only so that one file may serve all."""

    @property
    def database(self) -> str:
        return self.db or str(self.home / "lock.sqlite")

    @property
    def is_embedded(self) -> bool:
        return not self.database.startswith(("postgresql://", "postgres://"))

    @property
    def files(self) -> Path:
        return self.home / "files"

    def platform_config(self, platform: str, /) -> Path:
        """The file in which bots of a platform may stand."""
        chosen = {"lark": self.lark_config, "slack": self.slack_config, "dingtalk": self.dingtalk_config}
        return Path(chosen.get(platform) or self.home / f"{platform}.json").expanduser()

    def url(self, port: int, /) -> str:
        """Where this server is reached when it listens on `port`."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.host in ("0.0.0.0", "", "::") else self.host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def load_settings(*, environment: Mapping[str, str], flags: Mapping[str, object] | None = None) -> Settings:
    """Put the sources together. `Invalid` names the setting, its source and what it should be."""
    flags = {name: value for name, value in (flags or {}).items() if value is not None}
    home = Path(str(flags.get("home") or _variable(environment, "HOME") or "~/.pal"))
    home = home.expanduser().absolute()
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, values in (
        (str(home / "config.toml"), _file_values(home / "config.toml")),
        ("environment", _environment_values(environment)),
        ("flags", dict(flags)),
    ):
        merged.update(values)
        sources.update(dict.fromkeys(values, source))
    merged["home"] = home
    try:
        settings = msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as exc:
        field = next((name for name in merged if f"`{name}`" in str(exc) or f"$.{name}" in str(exc)), "")
        where = f" (from {sources[field]})" if field in sources else ""
        raise Invalid(f"The setting {field or 'given'}{where} is not right: {exc}.", setting=field) from exc
    if not 0 <= settings.port <= 65535:
        raise Invalid("The setting port must be between 0 and 65535.", setting="port")
    for name in ("terminals_per_topic", "terminals_per_computer", "terminal_idle"):
        if getattr(settings, name) < 1:
            raise Invalid(f"The setting {name} must be above zero.", setting=name)
    return settings


def prepare_home(home: Path, /) -> None:
    """Make `home` for its owner alone; `Unavailable` with one clear sentence when that cannot be."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = home / f".probe-{os.getpid()}"
        probe.touch(mode=0o600)
        probe.unlink()
        for folder in ("files", "backups"):
            (home / folder).mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise Unavailable(
            f"{home} cannot be written ({reason}). Set PAL_HOME to a folder you may write to.", home=str(home)
        ) from exc


def write_private(path: Path, text: str, /) -> None:
    """Put `text` at `path`, readable by its owner alone, whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, text.encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    part.replace(path)


def read_key(path: Path, /) -> bytes:
    """The key file at `path`, made on the first call: 32 random bytes as hex."""
    if not path.exists():
        write_private(path, os.urandom(32).hex() + "\n")
    try:
        return bytes.fromhex(path.read_text().strip())
    except ValueError as exc:
        raise Unavailable(f"{path} is damaged: it should hold 64 hex digits.", path=str(path)) from exc


_LISTS = {"allowed_hosts", "webhook_hosts"}
_NOT_FROM_ENVIRONMENT = {"home", "server"}


def _environment_values(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in Settings.__struct_fields__:
        if name in _NOT_FROM_ENVIRONMENT:
            continue
        if text := _variable(environment, name.upper()):
            values[name] = _listed(text) if name in _LISTS else text
    return values


def _variable(environment: Mapping[str, str], name: str) -> str | None:
    return environment.get(f"LOCK_{name}") or environment.get(f"PAL_{name}")


def _file_values(path: Path) -> dict[str, Any]:
    """Unknown names are left alone: the file also serves the daemon and the command line."""
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as exc:
        raise Unavailable(f"{path} cannot be read ({exc.strerror}).", path=str(path)) from exc
    try:
        values = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise Invalid(f"{path} is not valid TOML: {exc}.", path=str(path)) from exc
    known = {name: value for name, value in values.items() if name in Settings.__struct_fields__ and name != "home"}
    for name in _LISTS:
        if isinstance(known.get(name), str):
            known[name] = _listed(known[name])
    return known


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
