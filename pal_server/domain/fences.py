"""How text that others wrote stands in a prompt: fenced, so that it is never read as pal's own words.

The fence carries a nonce of the delivery, so that no text can end it by guessing.
"""

import json


def fence(text: str, *, kind: str, nonce: str) -> str:
    return f"<<<{kind} {nonce}\n{text}\n{kind} {nonce}>>>"


def quote(text: str) -> str:
    """One line in quotes that the text cannot end: titles and names of files are written by others, too."""
    return json.dumps(text, ensure_ascii=False)


def indent(text: str) -> str:
    """Lines of one entry of a list: none of them looks like the beginning of another."""
    return "\n    ".join(text.splitlines())
