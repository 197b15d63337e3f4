"""A runtime whose program asks for something, and for something else under the same name; then it says what it got."""

from __future__ import annotations

from pal_daemon.runtimes.base import Capabilities, Context, Discovery, LaunchSpec, Reader, Surroundings
from pal_daemon.runtimes.program_lines import ProgramReader
from pal_server.contract.deliveries import Work

PROGRAM = """
import json, sys
for title in ("list the folder", "remove the folder"):
    print(json.dumps({"type": "ask", "key": "k", "kind": "approval", "title": title}), flush=True)
for line in sys.stdin:
    answer = json.loads(line)
    print(json.dumps({"type": "say", "text": f"{answer['decision']}: {answer['reason']}"}), flush=True)
"""


class ChangingRuntime:
    name = "changing"
    capabilities = Capabilities(permissions=True)

    def discover(self, surroundings: Surroundings) -> Discovery:
        return Discovery(is_available=True)

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        return LaunchSpec(argv=(context.python, "-c", PROGRAM))

    def reader(self) -> Reader:
        return ProgramReader()
