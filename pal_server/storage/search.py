"""Full-text search over messages: newest first, in rooms the caller names.

Words are runs of letters and digits, compared without case and accents. Inside Chinese, Japanese and Korean text
every character is a word and a run of them is a phrase, because neither engine finds anything in unspaced text. In a
query all words must occur; `"…"` is a phrase, `-word` must not occur, `word*` (three letters or more) is a beginning.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pal_server.storage.tx import Sql, Tx

INDEXED_CHARS = 100_000  # of one message; a tsvector ends at 1 MB, and nobody looks for word 20,000 of a log
WORD_CHARS = 200  # of one word; a lexeme ends at 2 kB
QUERY_TERMS = 16  # more is not a question of a person, and each costs
PREFIX_CHARS = 3  # shorter beginnings match so much that they cost up to a second
NEWEST = 2**63 - 1

_CJK = (  # Hangul, radicals, kana, bopomofo, ideographs with their extensions
    "\u1100-\u11ff\u2e80-\u2fdf\u3040-\u30ff\u3100-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
)
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_TERM = re.compile(r'(?P<no>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Words that must stand beside each other."""

    words: tuple[str, ...]
    is_prefix: bool = False  # the last word is a beginning
    is_excluded: bool = False


def find(tx: Tx, q: str, /, *, rooms: Sequence[str] | None, before: int | None = None, limit: int) -> list[int]:
    """Ids of messages that match `q` in `rooms`, newest first, below `before`.

    An empty list of rooms and a query without words find nothing; None is every room. Who may see which room is the
    caller's business.
    """
    terms = parse_query(q)
    if not terms or (rooms is not None and not rooms):
        return []
    render = _render_fts5 if tx.engine == "sqlite" else _render_tsquery
    rows = tx.sql.all(
        "search.find", query=render(terms, rooms), before=NEWEST if before is None else before, limit=limit
    )
    return [row[0] for row in rows]


def find_after(tx: Tx, q: str, /, *, rooms: Sequence[str] | None, after: int, limit: int) -> list[int]:
    """As `find`, oldest first above `after`."""
    terms = parse_query(q)
    if not terms or (rooms is not None and not rooms):
        return []
    render = _render_fts5 if tx.engine == "sqlite" else _render_tsquery
    rows = tx.sql.all("search.find_after", query=render(terms, rooms), after=after, limit=limit)
    return [row[0] for row in rows]


def unindex(tx: Tx, message_id: int, /) -> None:
    """Make a message unfindable. Not in the same transaction as `tx.index_message` of it, which is written later."""
    tx.sql.run("search.remove", message_id=message_id)


def write(sql: Sql, indexed: Iterable[tuple[int, str, str]], *, engine: str) -> None:
    """Write what `tx.index_message` gathered: (message, room, text). The last text of a message counts."""
    latest = {message_id: (room_id, text) for message_id, room_id, text in indexed}
    render = _fts5_body if engine == "sqlite" else _tsvector
    sql.many(
        "search.put",
        [
            {"message_id": message_id, "room": room_token(room_id), "body": render(text[:INDEXED_CHARS], room_id)}
            for message_id, (room_id, text) in latest.items()
        ],
    )


def parse_query(q: str, /) -> tuple[Term, ...]:
    """What a person typed → terms. Empty when there is nothing to look for; a query of exclusions only is empty
    too.
    """
    terms = []
    for match in _TERM.finditer(q):
        raw = match["word"] if match["phrase"] is None else match["phrase"]
        found = tuple(words(raw))
        if found:
            is_prefix = match["word"] is not None and raw.endswith("*") and len(found[-1]) >= PREFIX_CHARS
            terms.append(Term(words=found, is_prefix=is_prefix, is_excluded=bool(match["no"])))
    if all(term.is_excluded for term in terms):
        return ()
    return tuple(sorted(terms, key=lambda term: term.is_excluded)[:QUERY_TERMS])


def words(text: str, /) -> list[str]:
    """The words of `text` in order, ready to compare."""
    if text.isascii():
        found = _ASCII_WORD.findall(text.lower())
    else:
        plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
        found = _WORD.findall(unicodedata.normalize("NFC", plain).casefold())
    return [word[:WORD_CHARS] for word in found]


def room_token(room_id: str, /) -> str:
    """A room's id as one word, so that the index itself knows the room (measured: 26 ms → 0.6 ms for a quiet
    room).
    """
    return "r" + "".join(c for c in room_id.lower() if c.isalnum())


def _fts5_body(text: str, room_id: str) -> str:
    return " ".join(words(text))


def _tsvector(text: str, room_id: str) -> str:
    """The vector as text, `'word':1,4 'other':2`. The room is a word no text has: it holds a colon."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(words(text), 1):
        if len(places[word]) < 255:  # the engine keeps 255 places of a word
            places[word].append(min(place, 16383))  # and counts to 16383
    entries = [f"'{word}':{','.join(map(str, at))}" for word, at in places.items()]
    return " ".join([f"'room:{room_token(room_id)}'", *entries])


def _render_fts5(terms: Sequence[Term], rooms: Sequence[str] | None) -> str:
    def phrase(term: Term) -> str:
        return f'"{" ".join(term.words)}"' + (" *" if term.is_prefix else "")

    wanted = " AND ".join(phrase(term) for term in terms if not term.is_excluded)
    unwanted = " OR ".join(phrase(term) for term in terms if term.is_excluded)
    body = f"body : ({wanted})" + (f" NOT body : ({unwanted})" if unwanted else "")
    if rooms is None:
        return body
    where = " OR ".join(room_token(room) for room in rooms)
    return f"room : ({where}) AND ({body})"


def _render_tsquery(terms: Sequence[Term], rooms: Sequence[str] | None) -> str:
    def phrase(term: Term) -> str:
        quoted = [f"'{word}'" for word in term.words]
        if term.is_prefix:
            quoted[-1] += ":*"
        return f"({' <-> '.join(quoted)})"

    body = " & ".join(("!" if term.is_excluded else "") + phrase(term) for term in terms)
    if rooms is None:
        return body
    where = " | ".join(f"'room:{room_token(room)}'" for room in rooms)
    return f"({where}) & {body}"
