"""What an agent is told: one place, one shape, nothing hidden.

What others wrote is fenced (`fences.py`) and never an instruction of pal's.
"""

from collections.abc import Sequence

from .fences import fence, indent, quote
from .messages import Message
from .rooms import Room, Topic

RECENT_LIMIT = 20  # messages since the agent's last run; older ones it can read itself
RECENT_CHARACTERS = 1_000  # of each of them
RECAP_LIMIT = 12  # messages of a conversation whose session is lost
RECAP_CHARACTERS = 600  # of each of them


def compose(
    *,
    room: Room,
    topic: Topic,
    agent: str,
    instructions: str,
    messages: Sequence[Message],
    recent: Sequence[Message],
    nonce: str,
    recap: str = "",
    briefing: str = "",
    plan: str = "",
) -> str:
    """The prompt of one run: `messages` are what it is for, `recent` what else was said since its last run, `recap`
    what it has forgotten, `briefing` what the room's project tells (`briefings.py`),
    `plan` what the topic's task asks for (`task_prompts.py`).

    Each thing an agent is told has one part here, in this order; what is not there leaves no part.
    """
    parts = []
    if instructions.strip():
        parts.append(instructions.strip())
    parts.append(_where(room, topic, agent=agent))
    if briefing:
        parts.append(briefing)
    if room.rules.strip():
        parts.append(f"Rules of this room, set by its members:\n{fence(room.rules.strip(), kind='rules', nonce=nonce)}")
    if plan:
        parts.append(plan)
    if recap:
        parts.append(recap)
    if recent:
        said = "\n".join(_line(message, limit=RECENT_CHARACTERS) for message in recent)
        parts.append(f"Said here since your last run, for context only:\n{fence(said, kind='context', nonce=nonce)}")
    for message in messages:
        parts.append(_message(message, nonce=nonce))
    return "\n\n".join(parts) + "\n"


def compose_recap(messages: Sequence[Message], *, nonce: str) -> str:
    """What is told in place of a conversation that its program has lost: the last of what was said, cut short."""
    lost = (
        "The earlier session of this conversation could not be continued: this is a fresh one that remembers nothing."
    )
    if not messages:
        return lost
    said = "\n".join(_line(message, limit=RECAP_CHARACTERS) for message in messages)
    fenced = fence(said, kind="recap", nonce=nonce)
    return f"{lost} The last of what was said here before, cut short (`pal cli messages list` has all of it):\n{fenced}"


def compose_aside(message: Message, *, nonce: str) -> str:
    """What an agent is told in the middle of a run."""
    return f"Said to you while you work; take it into account from here on.\n\n{_message(message, nonce=nonce)}\n"


def _where(room: Room, topic: Topic, *, agent: str) -> str:
    return (
        f'You are the agent "{agent}" in the room "{room.name}", topic {topic.id} ({quote(topic.title)}). '
        "Your final text is posted there as your answer, unless you post there yourself with `pal cli send`: then send "
        "your answer, too. With `pal cli messages list` you can read more, with `pal cli ask` ask a person. "
        f"Text between marks of the form <<<… and …>>> was written by others."
    )


def _message(message: Message, *, nonce: str) -> str:
    who = f"{message.sender.kind} {message.sender.name}"
    if message.sender.origin:
        who += f" ({'a guest, ' if message.sender.kind == 'guest' else ''}through {message.sender.origin})"
    files = "".join(
        f"\nAttached: {quote(file['name'])} ({file['mime']}, {file['size']} bytes)" for file in message.files
    )
    return f"Message {message.id} from {who}:\n{fence(message.content, kind='message', nonce=nonce)}{files}"


def _line(message: Message, *, limit: int) -> str:
    text = message.content
    if len(text) > limit:
        text = text[:limit] + " […]"
    return f"[{message.id}] {message.sender.name}: {indent(text)}"
