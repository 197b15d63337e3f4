"""A runtime with conversations that can go on in a terminal: in a run it says which one it is, in a terminal too."""

from __future__ import annotations

from pal_daemon.runtimes.base import Capabilities, Context, Discovery, LaunchSpec, Reader, Surroundings
from pal_daemon.runtimes.program_lines import ProgramReader
from pal_server.contract.deliveries import Work

RUN = """
import json, sys
print(json.dumps({"type": "session", "id": sys.argv[1]}))
print(json.dumps({"type": "say", "text": f"this is {sys.argv[1]}"}))
"""


class TalkingRuntime:
    name = "talking"
    capabilities = Capabilities(resume=True, terminal=True)

    def discover(self, surroundings: Surroundings) -> Discovery:
        return Discovery(is_available=True)

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        session = work.native_session or f"conversation-{context.run}"
        return LaunchSpec(argv=(context.python, "-I", "-S", "-c", RUN, session))

    def interactive(self, work: Work, context: Context) -> LaunchSpec:
        assert work.native_session is not None, "the server opens none without"
        return LaunchSpec(argv=("/bin/sh", "-c", 'echo "hand on $0"; exec cat', work.native_session))

    def reader(self) -> Reader:
        return ProgramReader()
