"""DingTalk's limits as the core counts them: one bucket per limit."""

from __future__ import annotations

from pal_server.bridges.outbound import EditCard, EditText, Outgoing, PostCard, PostFile, PostText
from pal_server.bridges.platform import Charge

ANSWERS = 15 / 60  # a second; a conversation that gets more than 20 in a minute is closed for ten
CALLS = 10.0  # a second of one API by one app; half of what is said to be allowed


def session_bucket(app: str, chat: str) -> str:
    return f"session:{app}:{chat}"


def charges(out: Outgoing, *, app: str, is_card: bool) -> tuple[Charge, ...]:
    """`is_card`: texts of this bot go out as cards."""
    match out:
        case PostText() if not is_card:
            return (
                Charge(session_bucket(app, out.place.chat), per_second=ANSWERS, burst=4.0),
                Charge(f"send:{app}", per_second=CALLS, burst=10.0),
            )
        case PostText() | PostCard() | EditCard() | EditText():
            return (Charge(f"cards:{app}", per_second=CALLS, burst=10.0),)
        case PostFile():
            return (
                Charge(f"send:{app}", per_second=CALLS, burst=10.0),
                Charge(f"files:{app}", per_second=2.0, burst=5.0),
            )
        case _:
            return (Charge(f"small:{app}", per_second=CALLS, burst=10.0),)
