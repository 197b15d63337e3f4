"""Slack's limits as the core counts them: one bucket per limit."""

from __future__ import annotations

from pal_server.bridges.outbound import (
    EditCard,
    EditText,
    Outgoing,
    PostCard,
    PostFile,
    PostText,
    React,
    Unreact,
    Withdraw,
)
from pal_server.bridges.platform import Charge

TIER_2 = 20 / 60  # a second
TIER_3 = 50 / 60
TIER_4 = 100 / 60


def charges(out: Outgoing, *, app: str) -> tuple[Charge, ...]:
    """Posting: one a second in a channel with short bursts, some hundreds a minute in all; other methods by tier."""
    match out:
        case PostText() | PostCard():
            return (
                Charge(f"post:{app}:{out.place.chat}", per_second=1.0, burst=3.0),
                Charge(f"post:{app}", per_second=5.0, burst=20.0),
            )
        case PostFile():
            return (
                Charge(f"post:{app}:{out.place.chat}", per_second=1.0, burst=3.0),
                Charge(f"files:{app}", per_second=TIER_4, burst=10.0),
            )
        case EditText() | EditCard():
            return (Charge(f"update:{app}", per_second=TIER_3, burst=10.0),)
        case React():
            return (Charge(f"react:{app}", per_second=TIER_3, burst=10.0),)
        case Unreact():
            return (Charge(f"unreact:{app}", per_second=TIER_2, burst=5.0),)
        case Withdraw():
            return (Charge(f"delete:{app}", per_second=TIER_3, burst=10.0),)
