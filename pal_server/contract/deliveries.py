"""Deliveries, their leases, and the work a claim hands out."""

from typing import Any

from .base import Answer, Request
from .words import DeliveryReason, DeliveryStatus


class Delivery(Answer, frozen=True, kw_only=True):
    id: int
    message: int
    room: str
    topic: int
    agent: str
    status: DeliveryStatus
    reason: DeliveryReason
    attempts: int
    max_attempts: int
    hop: int
    run: int | None = None
    """The newest run."""
    computer: str | None = None
    """Who holds or last held the lease."""
    lease_until: int | None = None
    not_before: int
    error: str | None = None
    steered_into: int | None = None
    """The live run that was told its words; once they are read, the run that has them."""
    read_step: int | None = None
    """How many steps that run had made when it read them."""
    ahead: int = 0
    """What has more comes before older ones that wait for the same agent in the topic."""
    created_at: int
    updated_at: int


class DeliveryAnswer(Answer, frozen=True, kw_only=True):
    delivery: Delivery


class DeliveriesAnswer(Answer, frozen=True, kw_only=True):
    deliveries: list[Delivery]
    next: str | None = None


class Lease(Answer, frozen=True, kw_only=True):
    id: str
    fence: int
    """Higher with each claim of the delivery."""
    until: int


class AgentProfile(Answer, frozen=True, kw_only=True):
    """What a runtime needs to know of the agent it runs."""

    key: str
    display_name: str
    runtime: str
    command: str | None = None
    command_allowed: bool = False
    cwd: str | None = None
    model: str | None = None
    effort: str | None = None
    instructions: str = ""
    account: str | None = None
    max_duration: int | None = None
    settings: dict[str, Any] = {}


class Work(Answer, frozen=True, kw_only=True):
    """Everything needed to start the run: the composed prompt and who runs where."""

    agent: AgentProfile
    prompt: str
    content: str
    """What was said, without the mention and without anything composed around it."""
    slash: str | None = None
    """A command of the program's own that a person said, to be given to it in place of the prompt."""
    room: str
    room_name: str
    topic: int
    message: int
    session: str
    native_session: str | None = None
    recap: str = ""
    """What was said here last, fenced: told before the prompt where the program's own session turns out to be gone."""
    generation: int = 1
    files: list[dict[str, Any]] = []
    restart_of: int | None = None
    resume: bool = False
    env: dict[str, str] = {}


class ClaimedDelivery(Delivery, frozen=True, kw_only=True):
    lease: Lease
    work: Work


class ClaimsAnswer(Answer, frozen=True, kw_only=True):
    deliveries: list[ClaimedDelivery]
    now: int
    """The server's time, so that a lease is counted in durations and never in two clocks."""
    more: bool = False
    """There is more to claim now; ask again at once."""


class ClaimAnswer(Answer, frozen=True, kw_only=True):
    delivery: Delivery
    lease: Lease
    work: Work
    now: int


class CreateDelivery(Request, frozen=True, kw_only=True):
    message: int
    agent: str
    client_id: str | None = None


class ClaimDeliveries(Request, frozen=True, kw_only=True):
    agents: list[str] | None = None
    limit: int = 1
    held: list[int] | None = None
    """After a claim whose answer was lost: the deliveries the daemon has in hand. What this computer has claimed beside
    them and not started is given back first, without an attempt."""


class UnderLease(Request, frozen=True, kw_only=True):
    lease_id: str
    fence: int


class ReleaseDelivery(UnderLease, frozen=True, kw_only=True):
    reason: str = ""
    delay_for: int = 0
    """Milliseconds before it may be claimed again."""
    burn_attempt: bool = True
    """False when nothing was tried, as for a runtime that is not installed."""


class FailDelivery(UnderLease, frozen=True, kw_only=True):
    error: str = ""
    kind: str = "agent"


class AckDelivery(UnderLease, frozen=True, kw_only=True):
    text: str | None = None
    """The final text, posted once when the run itself posted none."""


class RenewAnswer(Answer, frozen=True, kw_only=True):
    lease: Lease
    now: int


class RetryDelivery(Request, frozen=True, kw_only=True):
    fresh: bool = False
    """True: start over; false: resume the session."""


class MergeDelivery(Request, frozen=True, kw_only=True):
    into: int
    """Another delivery that waits for the same agent in the same topic."""


class DeliveriesQuery(Request, frozen=True, kw_only=True):
    agent: str | None = None
    status: DeliveryStatus | None = None
    message: int | None = None
    room: str | None = None
    topic: int | None = None
    after: str | None = None
    limit: int = 50
