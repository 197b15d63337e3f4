"""Tokens of buttons prove what they say."""

import pytest

from pal_server.domain.buttons import LIMIT, Press, Verb, is_ours, read, token

KEY = b"key"


def test_a_token_says_what_it_does_and_proves_it() -> None:
    made = token(KEY, verb=Verb.CHOOSE, target=12, choice=3, bound="shown")

    assert read(made) == Press(verb=Verb.CHOOSE, target=12, choice=3)
    assert is_ours(KEY, made, press=Press(verb=Verb.CHOOSE, target=12, choice=3), bound="shown")
    assert len(made) <= LIMIT


@pytest.mark.parametrize("spoilt", ["key", "verb", "target", "choice", "bound", "proof"])
def test_anything_else_is_not_ours(spoilt: str) -> None:
    key = b"another" if spoilt == "key" else KEY
    verb = Verb.DENY if spoilt == "verb" else Verb.APPROVE
    target = 13 if spoilt == "target" else 12
    choice = 1 if spoilt == "choice" else 0
    bound = "changed" if spoilt == "bound" else "shown"
    made = token(key, verb=verb, target=target, choice=choice, bound=bound)
    made = made[:-1] + ("0" if made[-1] != "0" else "1") if spoilt == "proof" else made

    assert not is_ours(KEY, made, press=Press(verb=Verb.APPROVE, target=12), bound="shown")


@pytest.mark.parametrize(
    "text", ["", "stop", "stop.1", "fly.1.0.abc", "stop.x.0.abc", "stop.1.-1.abc", "stop.1.0." + "a" * 200]
)
def test_what_is_no_token_is_none(text: str) -> None:
    assert read(text) is None
