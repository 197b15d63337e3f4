"""The `manual` runtime: a person does the work. Writes the context into the folder and waits until somebody says it is
done.
"""

from __future__ import annotations

from pathlib import Path

from pal_daemon.runtimes.base import Capabilities, Context, Discovery, LaunchSpec, Reader, Surroundings
from pal_daemon.runtimes.program_lines import ProgramReader, render_prompt
from pal_server.contract.deliveries import Work

PROGRAM = Path(__file__).with_name("manual_program.py")


class ManualRuntime:
    name = "manual"
    capabilities = Capabilities(questions=True)

    def discover(self, surroundings: Surroundings) -> Discovery:
        return Discovery(is_available=True, version="1")

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        file = f"pal-run-{context.run}.md"
        return LaunchSpec(
            argv=(context.python, "-I", "-S", str(PROGRAM)),
            input=render_prompt(work.prompt, file=file, name=work.agent.display_name or work.agent.key),
        )

    def reader(self) -> Reader:
        return ProgramReader()
