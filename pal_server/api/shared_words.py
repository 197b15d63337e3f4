"""What others wrote, as HTML that does nothing: Markdown without markup of its own, pictures or addresses that act."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded with the first page that is shown: a server at rest does without
    from markdown_it import MarkdownIt

LONGEST = 20_000  # characters of a text that is read as Markdown; longer ones stand as they are
BRACKETS = 1_000  # of the kind a link begins with; the time grows with their square
ON_A_PAGE = 200_000  # characters read as Markdown for one page, so that nobody can make the server work by opening it


class Words:
    """Of one page."""

    def __init__(self) -> None:
        self._left = ON_A_PAGE

    def html(self, text: str) -> str:
        """Safe to stand anywhere in a page."""
        if len(text) > min(LONGEST, self._left) or text.count("[") > BRACKETS:
            return f"<pre>{escape(text)}</pre>"
        rendered = _reader().render(text)
        self._left -= max(len(text), len(rendered) // 4)  # a table has cells that nobody wrote
        return f"<div class=words>{rendered}</div>"


@cache
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # No markup, addresses of web and mail only (its own check), no pictures: what asks for one becomes a link to it.
    return MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True}).disable("image")
