"""Asks a platform whether credentials are right, in a process of its own: the server loads no platform's SDK."""

import asyncio
import sys
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pal_server.errors import Invalid, Unavailable

CHECK_FOR = 40.0  # seconds for the process and its round trips


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedBot:
    ok: bool = False
    app_id: str = ""
    bot_id: str = ""
    name: str = ""
    findings: list[dict[str, object]] = field(default_factory=list)


async def check(
    platform: str,
    *,
    app_id: str,
    credentials: dict[str, str],
    base_url: str | None = None,
    options: dict[str, str] | None = None,
) -> CheckedBot:
    """What the platform says of them. `Invalid` when it will not have them, `Unavailable` when it cannot be asked."""
    checked = await look(platform, app_id=app_id, credentials=credentials, base_url=base_url, options=options)
    if not checked.ok:
        wrong = [one for one in checked.findings if not one.get("ok")]
        told = "; ".join(": ".join(filter(None, (str(one["text"]), str(one.get("advice") or "")))) for one in wrong)
        raise Invalid(
            f"{platform} does not confirm these credentials: {told or 'it refused them'}",
            field="credentials",
            findings=checked.findings,
        )
    return checked


async def look(
    platform: str,
    *,
    app_id: str,
    credentials: dict[str, str],
    base_url: str | None = None,
    options: dict[str, str] | None = None,
) -> CheckedBot:
    """The same, whatever the verdict is."""
    asked = {"app_id": app_id, "credentials": credentials, "base_url": base_url, "options": options or {}}
    document = await _run(platform, asked)
    if error := document.get("error"):
        raise Unavailable(f"The credentials could not be checked: {error}", platform=platform)
    findings: list[dict[str, object]] = list(document.get("findings", ()))
    return CheckedBot(
        ok=bool(document.get("ok")),
        app_id=document.get("app_id", ""),
        bot_id=document.get("bot_id", ""),
        name=document.get("name", ""),
        findings=findings,
    )


async def _run(platform: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The secrets go over stdin, so that no list of processes shows them."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pal_server.bridges.checking",
        platform,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(CHECK_FOR):
            said, _ = await child.communicate(msgspec.json.encode(asked))
    except TimeoutError:
        raise Unavailable(f"{platform} gave no answer within {CHECK_FOR:g} s.", platform=platform) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    try:
        document: dict[str, Any] = msgspec.json.decode(said.splitlines()[-1] if said else b"", type=dict[str, Any])
    except (msgspec.DecodeError, IndexError):
        raise Unavailable(f"The check of {platform} ended with {child.returncode} and no answer.") from None
    return document
