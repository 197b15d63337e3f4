"""A loopback platform as a process: takes a free port of 127.0.0.1, says where it is, ends with whoever started it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

END_WITHIN = 40.0  # seconds


@contextmanager
def platform_process(name: str, *, is_quiet: bool = False) -> Iterator[str]:
    """The address of the platform `lark`, `slack` or `dingtalk`. Gone with the block, or with this process. A quiet one
    says nothing of clients that are killed while they talk to it.
    """
    command = [sys.executable, "-m", f"pal_cli.chaos.platforms.{name}"]
    errors = subprocess.DEVNULL if is_quiet else None
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        assert process.stdin is not None, "it was asked for"
        assert process.stdout is not None, "it was asked for"
        try:
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"the loopback platform {name} did not start")
            yield url
        finally:
            process.stdin.close()
            try:
                process.wait(END_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
