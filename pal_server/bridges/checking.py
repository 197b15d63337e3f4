"""`python -m pal_server.bridges.checking PLATFORM`: asks the platform about credentials on stdin, answers in one line.

A process of its own, because the server loads no platform's SDK. In: {"app_id", "credentials", "base_url", "options"}.
Out, as the last line: {"ok", "app_id", "bot_id", "name", "findings": [{"what", "ok", "text", "advice"}]} or {"error"}.
"""

import asyncio
import os
import sys
from dataclasses import replace
from typing import Any

import msgspec

from pal_server.contract.platforms import PLATFORMS

from .platform import BotSettings, Checked
from .registry import UnknownPlatform, load

WITHIN = 30.0  # seconds


def main(argv: list[str]) -> int:
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, Any])
    try:
        checked = asyncio.run(_check(argv[0], asked))
    except UnknownPlatform as error:
        answer: dict[str, Any] = {"ok": False, "findings": [{"what": "platform", "ok": False, "text": str(error)}]}
    except TimeoutError:
        answer = {"error": f"no answer within {WITHIN:g} s"}
    except Exception as defect:  # the edge of the process: whatever an SDK raises is no verdict about credentials
        answer = {"error": f"{type(defect).__name__} in the platform's own code"}
    else:
        answer = msgspec.to_builtins(checked)
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    return 0


async def _check(name: str, asked: dict[str, Any]) -> Checked:
    platform = load(name)
    form = PLATFORMS.get(name)
    base_url = asked["base_url"] or (None if form is None else os.environ.get(form.base_url_variable))
    secrets: dict[str, str] = asked["credentials"]
    settings = BotSettings(
        id="check",
        app_id=asked["app_id"] or platform.app_id(secrets),
        secrets=secrets,
        base_url=base_url,
        options=asked["options"],
    )
    async with asyncio.timeout(WITHIN):
        checked = await platform.check(settings)
    return checked if checked.app_id else replace(checked, app_id=settings.app_id)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
