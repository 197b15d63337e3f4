"""`python -m pal_server.bridges.creating PLATFORM NAME`: makes an app by a link that is opened or scanned.

Shows the link on stderr; prints what came of it as one JSON object: the credentials, beside them `base_url` when it is
on another host, and `owner_open_id` of whoever made it.
"""

import asyncio
import sys
from dataclasses import dataclass

import msgspec

from .platform import BadCredentials, CannotCreate, Dropped
from .registry import UnknownPlatform, load

DONE, REFUSED, AWAY = 0, 3, 4


def main(argv: list[str]) -> int:
    name, title, *more = argv
    try:
        made = asyncio.run(load(name).create_app(title, base_url=more[0] if more else None, show=_ShownInTerminal()))
    except (BadCredentials, CannotCreate, UnknownPlatform) as refused:
        sys.stderr.write(f"{refused}\n")
        return REFUSED
    except Dropped as away:
        sys.stderr.write(f"{away}\n")
        return AWAY
    sys.stdout.buffer.write(msgspec.json.encode(dict(made)) + b"\n")
    return DONE


@dataclass(frozen=True, slots=True)
class _ShownInTerminal:
    def __call__(self, link: str, note: str) -> None:
        sys.stderr.write(f"\n{note}\n\n  {link}\n\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
