"""What the buttons of a card do: a token names the verb and its target, and proves that the card was ours.

A token is `verb.target.choice.proof`. The proof binds it to exactly what was shown, so a token of another card, of an
older question or of somebody's invention does nothing.
"""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

PROOF = 24  # hex digits
LIMIT = 100  # characters of a token


class Verb(StrEnum):
    STOP = "stop"  # a run
    RETRY = "retry"  # a delivery that failed: go on in its session
    FRESH = "fresh"  # a delivery that failed: begin anew
    DROP = "drop"  # a delivery that waits
    APPROVE = "approve"  # an interaction
    DENY = "deny"  # an interaction
    CHOOSE = "choose"  # an interaction: one of its options
    ANSWER = "answer"  # an interaction: what stands in the form


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    verb: Verb
    target: int
    choice: int = 0


def token(key: bytes, *, verb: Verb, target: int, choice: int = 0, bound: str = "") -> str:
    """`bound` is what the press is about, as an interaction's hash."""
    return f"{verb}.{target}.{choice}.{_proof(key, verb=verb, target=target, choice=choice, bound=bound)}"


def read(text: str) -> Press | None:
    """What a token claims to be; None when it is none. `is_ours` says whether to believe it."""
    verb, _, rest = text[:LIMIT].partition(".")
    parts = rest.split(".")
    if len(text) > LIMIT or verb not in list(Verb) or len(parts) != 3:
        return None
    target, choice, _ = parts
    if not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in (target, choice)):
        return None
    return Press(verb=Verb(verb), target=int(target), choice=int(choice))


def is_ours(key: bytes, text: str, *, press: Press, bound: str = "") -> bool:
    mine = token(key, verb=press.verb, target=press.target, choice=press.choice, bound=bound)
    return hmac.compare_digest(mine.encode(), text.encode("utf-8", "replace"))


def _proof(key: bytes, *, verb: Verb, target: int, choice: int, bound: str) -> str:
    said = f"button\x1f{verb}\x1f{target}\x1f{choice}\x1f{bound}"
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()[:PROOF]
