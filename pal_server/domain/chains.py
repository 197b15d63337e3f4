"""Chains: everything one human message set off. People are never throttled; agents that talk to agents are.

A message an agent sends in a run is one hop further than the delivery it works on. At a limit nothing more is
delivered, and one card asks a person; approving it lets the chain go on for as much again, denying it ends the chain.
"""

from dataclasses import dataclass, replace

HOP_LIMIT = 8  # where a room does not say otherwise
HOP_MAX = 100  # a room may say
DELIVERY_LIMIT = 64  # deliveries that agents set off in one chain: stops fan-outs that a hop count alone does not


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    id: int
    hop_limit: int
    delivery_limit: int
    deliveries: int

    @property
    def is_ended(self) -> bool:
        """A person said no: nothing more of it is delivered, and nobody is asked again."""
        return self.hop_limit == 0


def stopped_by(chain: Chain, *, hop: int, more: int) -> str | None:
    """Why a message of an agent at `hop` may not set off `more` deliveries, in words; None when it may."""
    if hop >= chain.hop_limit:
        return f"agents have passed this on {hop} times"
    if chain.deliveries + more > chain.delivery_limit:
        return f"agents have set off {chain.deliveries} deliveries from one message"
    return None


def let_go_on(chain: Chain, *, hops: int = HOP_LIMIT) -> Chain:
    """Twice as far, because a person said so."""
    return replace(chain, hop_limit=chain.hop_limit + hops, delivery_limit=chain.delivery_limit + DELIVERY_LIMIT)


def end(chain: Chain) -> Chain:
    """No further, because a person said so."""
    return replace(chain, hop_limit=0)
