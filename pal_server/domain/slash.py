"""Commands to pal itself, said to an agent: `@codex /stop`. Everything else that begins with a slash is the agent's."""

import re
from dataclasses import dataclass

from pal_server.domain.names import AT

COMMANDS = {
    "help": "what can be said here",
    "new": "begin a new session: the agent forgets, the topic stays",
    "clear": "the same as /new",
    "stop": "stop what it does now",
    "plan": "let it plan and change nothing; /plan off ends that",
    "model": "which model it uses here; /model NAME chooses, /model default goes back",
    "effort": "how hard it thinks here; /effort WORD chooses, /effort default goes back",
    "status": "what it does, with which model, in which session",
}

HINTS = {"plan": "[off]", "model": "[NAME]", "effort": "[WORD]"}  # what may stand after them

LONGEST = 2_000  # characters; what is longer is a text, and is not searched for commands
_CALLED = re.compile(rf"(?<!\S){AT}[A-Za-z0-9][\w.-]*[,:]?(?!\S)")
_COMMAND = re.compile(r"/([a-z]+)(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slash:
    """`rest` is what stands after the command, without calls by name."""

    name: str
    rest: str


def parse_slash(content: str) -> Slash | None:
    """The command a message is, whomever it calls beside; None for any other text."""
    if "/" not in content[:LONGEST] or len(content) > LONGEST:
        return None
    match = _COMMAND.fullmatch(_CALLED.sub(" ", content).strip())
    if match is None or match[1] not in COMMANDS:
        return None
    return Slash(name=match[1], rest=" ".join((match[2] or "").split()))
