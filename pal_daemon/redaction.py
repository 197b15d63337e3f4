"""Takes secrets out of what agents say before it leaves this computer; the spool keeps every byte.

Two kinds are known: texts of the shape that keys, tokens and private keys have, wherever they came from; and the values
of the run's own secret variables, as long as the daemon lives that started it, because they are never on disk.

What comes in pieces is held back from where a secret may have begun, at most HELD characters. What is held back
depends on shapes alone, so a daemon that reads a spool again gives out the same pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pal_daemon.runtimes.base import Ask, Event, Outcome, Question

HIDDEN = "[redacted]"
SHORTEST = 8  # characters of a value; shorter ones are no secrets but words
HELD = 8192  # characters
SECRET_NAME = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:$|_)", re.IGNORECASE)
STARTS = (
    "sk-",
    "sk_machine_",
    "pal_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xox",
    "AKIA",
    "ASIA",
    "AIza",
    "eyJ",
    "npm_",
    "hf_",
)
# Each begins where a word begins and is bounded or possessive: the time is linear in the text, whatever it is.
SHAPES = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----BEGIN).){0,8000}?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)"
    r"|(?<![\w-])(?:"
    r"sk-(?=[\w-]{0,200}\d)[\w-]{20,}+"
    r"|sk_machine_[\w-]{12,}+"
    r"|pal_(?:user|session|run|bridge|code|daemon)_[\w-]{12,}+"
    r"|gh[pos]_\w{30,}+|github_pat_\w{30,}+|glpat-[\w-]{20,}+"
    r"|xox[abeoprs]-[\w-]{10,}+"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|AIza[\w-]{35}"
    r"|eyJ[\w-]{10,4000}+\.eyJ[\w-]{10,4000}+\.[\w-]{10,}+"
    r"|npm_\w{36}|hf_[A-Za-z]{30,}+"
    r")",
    re.DOTALL,
)
OPEN_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}(?:-{0,5}\Z|PRIVATE KEY-----(?!.*-----END [A-Z ]{0,40}PRIVATE KEY-----))", re.DOTALL
)
END_OF_KEY = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY-----\Z")
LONGEST_END = 80  # characters
PRIVATE_KEY = "-----BEGIN "
WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."


def secrets_of(env: Mapping[str, str]) -> tuple[str, ...]:
    """The values of an environment that are secrets by their name, longest first."""
    values = {value for name, value in env.items() if SECRET_NAME.search(name) and _is_secret(value)}
    return tuple(sorted(values, key=len, reverse=True))


class Redactor:
    """Of one run."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        parts = [re.escape(value) for value in sorted(values, key=len, reverse=True) if _is_secret(value)]
        self._values = re.compile("|".join(parts)) if parts else None
        self._held: dict[tuple[str, str, str], Event] = {}

    def text(self, text: str) -> str:
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        return SHAPES.sub(HIDDEN, text)

    def ask(self, ask: Ask) -> Ask:
        return replace(
            ask,
            title=self.text(ask.title),
            body=self.text(ask.body),
            options=tuple(map(self.text, ask.options)),
            questions=tuple(map(self._question, ask.questions)),
        )

    def _question(self, question: Question) -> Question:
        return replace(
            question,
            text=self.text(question.text),
            header=self.text(question.header),
            options=tuple(map(self.text, question.options)),
            descriptions=tuple(map(self.text, question.descriptions)),
            previews=tuple(map(self.text, question.previews)),
        )

    def outcome(self, outcome: Outcome) -> Outcome:
        text, error = (None if said is None else self.text(said) for said in (outcome.text, outcome.error))
        return replace(outcome, text=text, error=error)

    def events(self, event: Event) -> list[Event]:
        """What may be told now, in order."""
        key = (event.kind, event.lane, str(event.data))
        before = self.rest(but=key if event.is_piece else None)
        if not event.is_piece or event.text is None:
            return [*before, self._clean(event)]
        held = self._held.pop(key, None)
        text = event.text if held is None else f"{held.text}{event.text}"
        at = _held_from(text)
        if at < len(text):
            self._held[key] = replace(event, text=text[at:])
        return [*before, self._clean(replace(event, text=text[:at]))] if at else before

    def rest(self, *, but: tuple[str, str, str] | None = None) -> list[Event]:
        """What was held back and is no secret after all, or all of one."""
        keys = [key for key in self._held if key != but]
        return [self._clean(self._held.pop(key)) for key in keys]

    def _clean(self, event: Event) -> Event:
        text = None if event.text is None else self.text(event.text)
        if not event.data:
            return event if text == event.text else replace(event, text=text)
        return replace(event, text=text, data={name: self._value(value) for name, value in event.data.items()})

    def _value(self, value: object) -> object:
        match value:
            case str():
                return self.text(value)
            case dict():
                return {name: self._value(part) for name, part in value.items()}
            case list() | tuple():
                return [self._value(part) for part in value]
            case _:
                return value


def _is_secret(value: str) -> bool:
    return len(value) >= SHORTEST and not value.startswith(("/", "~"))


def _held_from(text: str) -> int:
    """Where the end of `text` may be the beginning of a secret; its length when nowhere."""
    tail = max(len(text) - HELD, 0)
    begun = OPEN_KEY.search(text, tail)
    if begun is not None:
        return begun.start()
    start = len(text.rstrip(WORD))
    if start < tail:
        return len(text)
    word = text[start:]
    places = [0, *(place + 1 for place, letter in enumerate(word) if letter == ".")]
    for place in places:
        if place < len(word) and _may_begin(word[place:]):
            return start + place
    if END_OF_KEY.search(text, max(len(text) - LONGEST_END, 0)):
        return len(text)
    for length in range(len(PRIVATE_KEY) - 1, 0, -1):
        if text.endswith(PRIVATE_KEY[:length]):
            return len(text) - length
    return len(text)


def _may_begin(word: str) -> bool:
    return word.startswith(STARTS) or any(start.startswith(word) for start in STARTS)
