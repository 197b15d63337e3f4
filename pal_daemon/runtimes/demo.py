"""The `demo` runtime: needs nothing, answers by rules. For first steps and tests; `demo_program.py` is its program."""

from __future__ import annotations

from pathlib import Path

from pal_daemon.runtimes.base import Capabilities, Context, Discovery, LaunchSpec, Reader, Surroundings
from pal_daemon.runtimes.program_lines import ProgramReader, render_prompt
from pal_server.contract.deliveries import Work

PROGRAM = Path(__file__).with_name("demo_program.py")


class DemoRuntime:
    name = "demo"
    capabilities = Capabilities(permissions=True, questions=True, interrupt=True, live_input=True)

    def discover(self, surroundings: Surroundings) -> Discovery:
        return Discovery(is_available=True, version="1")

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        return LaunchSpec(
            argv=(context.python, "-I", "-S", str(PROGRAM)),
            input=render_prompt(work.content, name=work.agent.display_name or work.agent.key),
        )

    def reader(self) -> Reader:
        return ProgramReader(takes_text=True)
