"""`python -m pal_server.bridges.creating PLATFORM NAME`: makes an app by a link that is opened or scanned.

Shows the link on stderr, also as a code to scan; prints what came of it as one JSON object: the credentials, beside
them `base_url` when it is on another host, and `owner_open_id` of whoever made it.
"""

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass

import msgspec
import segno

from pal_server.contract.platforms import PLATFORMS

from .platform import BadCredentials, CannotCreate, Dropped
from .registry import UnknownPlatform, load

DONE, REFUSED, AWAY = 0, 3, 4
MARGIN = 2  # modules around the code; scanners want some


def main(argv: list[str]) -> int:
    name, title, *more = argv
    form = PLATFORMS.get(name)
    base_url = more[0] if more else form and os.environ.get(form.base_url_variable)
    try:
        made = asyncio.run(load(name).create_app(title, base_url=base_url or None, show=_ShownInTerminal()))
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
        """The link stands beside the code, for whoever cannot scan, or whose client says that a good code has ended."""
        code = segno.make(link, error="l")
        columns, _ = code.symbol_size(border=MARGIN)
        if columns <= shutil.get_terminal_size().columns:
            code.terminal(out=sys.stderr, border=MARGIN, compact=True)
        sys.stderr.write(f"\n{note}\n\n  {link}\n\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
