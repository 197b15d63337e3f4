"""Takes secrets out of what agents say before it leaves this computer, and what no server can store (`storable`); the
spool keeps every byte.

Two kinds are known: texts of the shape that keys, tokens and private keys have, wherever they came from; and the values
of the run's own secret variables and of the keys kept here (`run_secrets`), in each form they are written in.

What comes in pieces is held back from where a secret may have begun, at most HELD characters. What is held back
depends on shapes and on those values alone, which a later daemon knows too: reading a spool again, it gives out the
same pieces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pal_daemon.run_secrets import SHORTEST, forms_of
from pal_daemon.runtimes.base import Ask, Event, Outcome, Question
from pal_daemon.storable import storable_integer, storable_text, storable_usage

HIDDEN = "[redacted]"
HELD = 8192  # characters
SECRET_NAME = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:$|_)", re.IGNORECASE)
NO_SECRET = "PAL_AGENT_KEY"  # a name: every agent of eight letters or more would else be taken out of its own words
IN_JSON = re.compile(r"(?:(?:api|access|private)[_-]?key|token|secret|password|authorization)$", re.IGNORECASE)
STARTS = (
    "sk-",
    "sk_machine_",
    "pal_",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xox",
    "xapp-",
    "AKIA",
    "ASIA",
    "AIza",
    "eyJ",
    "npm_",
    "hf_",
)
# A word begins behind these too, although they end with a letter or a digit: \\n of JSON, %3D of an address, a colour.
# In each stands a character that no secret has, so what follows is looked at once.
ESCAPES = (r"\\[nrtbf]", r"%[0-9A-Fa-f]{2}", r"[\[;]m", r"[\[;]\dm", r"[\[;]\d\dm")


def _shape(start: str, rest: str) -> str:
    """A word that begins so. Its first letters come first and what stands before them is looked at afterwards: nearly
    every place of a text is passed over for its letter alone.
    """
    begins = "|".join((rf"(?<![\w-]{start})", *(f"(?<={escape}{start})" for escape in ESCAPES)))
    return f"{start}(?:{begins}){rest}"


ESCAPE = re.compile("|".join(ESCAPES))
OPEN_ESCAPE = re.compile(r"(?:\\|%[0-9A-Fa-f]?|[\[;]\d{0,2})\Z")
LONGEST_ESCAPE = 4  # characters
# How a word begins, always as long, and how it goes on: bounded or possessive, so that the time is linear in the text.
WORDS = (
    ("sk-", r"(?=[\w-]{0,200}\d)[\w-]{20,}+"),
    ("sk_machine_", r"[\w-]{12,}+"),
    ("pal_", r"(?:user|session|run|bridge|code|daemon)_[\w-]{12,}+"),
    ("gh[oprsu]_", r"\w{30,}+"),
    ("github_pat_", r"\w{30,}+"),
    ("glpat-", r"[\w-]{20,}+"),
    ("xox[abeoprs]-", r"[\w-]{10,}+"),
    ("xapp-", r"[\w-]{10,}+"),
    ("A[KS]IA", r"[A-Z0-9]{16}"),
    ("AIza", r"[\w-]{35}"),
    ("eyJ", r"[\w-]{10,4000}+\.eyJ[\w-]{10,4000}+\.[\w-]{10,}+"),
    ("npm_", r"\w{36}"),
    ("hf_", r"[A-Za-z]{30,}+"),
)
KEY_END = r"PRIVATE KEY(?: BLOCK)?-----"
SHAPES = re.compile(
    rf"-----BEGIN [A-Z ]{{0,40}}{KEY_END}(?:(?!-----BEGIN).){{0,8000}}?(?:-----END [A-Z ]{{0,40}}{KEY_END}|\Z)"
    + "".join("|" + _shape(start, rest) for start, rest in WORDS),
    re.DOTALL,
)
OPEN_KEY = re.compile(
    rf"-----BEGIN [A-Z ]{{0,40}}(?:-{{0,5}}\Z|{KEY_END}(?!.*-----END [A-Z ]{{0,40}}{KEY_END}))", re.DOTALL
)
END_OF_KEY = re.compile(rf"-----END [A-Z ]{{0,40}}{KEY_END}\Z")
CUT = re.compile(r"\n\[(?:… )?[\d,]+ characters more[^\]\n]{0,80}\]\Z")  # what `capping` and `asks` say at the end
LONGEST_CUT = 130  # characters
TELLING = 6  # characters: a shorter beginning of a secret tells nothing
LONGEST_END = 80  # characters
PRIVATE_KEY = "-----BEGIN "
WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."


def secrets_of(env: Mapping[str, str]) -> tuple[str, ...]:
    """The values of an environment that are secrets by their name, longest first; those in variables of JSON, too."""
    values = {value for name, value in env.items() if SECRET_NAME.search(name) and name != NO_SECRET}
    for value in env.values():
        if value.startswith("{"):
            values.update(_secrets_in(value))
    return tuple(sorted(filter(_is_secret, values), key=len, reverse=True))


def _secrets_in(text: str) -> Iterator[str]:
    """The texts in a JSON object, such as a whole configuration in a variable, whose names say that they are secret."""
    try:
        left: list[object] = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while left:
        match left.pop():
            case dict() as part:
                yield from (value for name, value in part.items() if isinstance(value, str) and IN_JSON.search(name))
                left.extend(part.values())
            case list() as part:
                left.extend(part)
            case _:
                pass


class Redactor:
    """Of one run."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        forms = sorted(
            {form for value in values if _is_secret(value) for form in forms_of(value)}, key=len, reverse=True
        )
        self._forms = tuple(forms)
        self._values = re.compile("|".join(map(re.escape, forms))) if forms else None
        self._first = re.compile("|".join({re.escape(form[0]) for form in forms})) if forms else None
        self._longest = min(len(forms[0]), HELD) if forms else 0
        self._held: dict[tuple[str, str, str], Event] = {}

    def text(self, text: str) -> str:
        text = storable_text(text)
        cut = CUT.search(text, max(len(text) - LONGEST_CUT, 0))
        if cut is not None:
            text = self._without_half(text[: cut.start()]) + cut.group()
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        return SHAPES.sub(HIDDEN, text)

    def _without_half(self, text: str) -> str:
        """A text that was cut, without what may be the beginning of a secret at its end."""
        at = self._held_from(text)
        return text if len(text) - at < TELLING else f"{text[:at]}{HIDDEN}"

    def _held_from(self, text: str) -> int:
        """Where the end of `text` may be the beginning of a secret; its length when nowhere."""
        return min(_shape_from(text), self._value_from(text))

    def _value_from(self, text: str) -> int:
        if self._first is None:
            return len(text)
        for found in self._first.finditer(text, max(len(text) - self._longest + 1, 0)):
            rest = text[found.start() :]
            if any(form.startswith(rest) and form != rest for form in self._forms):
                return found.start()
        return len(text)

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
        usage = None if outcome.usage is None else storable_usage(outcome.usage)
        return replace(outcome, text=text, error=error, usage=usage)

    def events(self, event: Event) -> list[Event]:
        """What may be told now, in order."""
        key = (event.kind, event.lane, str(event.data))
        before = self.rest(but=key if event.is_piece else None)
        if not event.is_piece or event.text is None:
            return [*before, self._clean(event)]
        held = self._held.pop(key, None)
        text = event.text if held is None else f"{held.text}{event.text}"
        at = self._held_from(text)
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
        return replace(event, text=text, data=self._names(event.data))

    def _names(self, data: Mapping[str, object]) -> dict[str, object]:
        return {self.text(name): self._value(part) for name, part in data.items()}

    def _value(self, value: object) -> object:
        match value:
            case str():
                return self.text(value)
            case dict():
                return self._names(value)
            case list() | tuple():
                return [self._value(part) for part in value]
            case int() if not isinstance(value, bool):
                return storable_integer(value)
            case _:
                return value


def is_shaped(value: str) -> bool:
    """Whether its shape alone tells that it is a secret."""
    return SHAPES.fullmatch(value) is not None


def _is_secret(value: str) -> bool:
    return len(value) >= SHORTEST and not value.startswith(("/", "~"))


def _shape_from(text: str) -> int:
    """Where the end of `text` may be the beginning of something of a secret's shape; its length when nowhere."""
    tail = max(len(text) - HELD, 0)
    begun = OPEN_KEY.search(text, tail)
    if begun is not None:
        return begun.start()
    start = len(text.rstrip(WORD))
    if start < tail:
        return len(text)
    word = text[start:]
    escape = ESCAPE.match(text, max(start - 1, 0))
    behind = [] if escape is None else [escape.end() - start]
    places = [0, *behind, *(place + 1 for place, letter in enumerate(word) if letter == ".")]
    for place in sorted(places):
        if place < len(word) and _may_begin(word[place:]):
            return start + place if place or escape is None else escape.start()
    escaping = OPEN_ESCAPE.search(text, max(len(text) - LONGEST_ESCAPE, 0))
    if escaping is not None:
        return escaping.start()
    if END_OF_KEY.search(text, max(len(text) - LONGEST_END, 0)):
        return len(text)
    for length in range(len(PRIVATE_KEY) - 1, 0, -1):
        if text.endswith(PRIVATE_KEY[:length]):
            return len(text) - length
    return len(text)


def _may_begin(word: str) -> bool:
    return word.startswith(STARTS) or any(start.startswith(word) for start in STARTS)
