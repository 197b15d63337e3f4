"""Runs, run events, sessions and interactions."""

from typing import Any

from .base import Answer, Page, Request
from .deliveries import UnderLease
from .messages import Message, Receipt
from .words import Choice, Decision, InteractionKind, InteractionStatus, RunStatus, Scope


class Usage(Answer, frozen=True, kw_only=True):
    user_ms: int | None = None
    system_ms: int | None = None
    max_rss_kib: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


class Run(Answer, frozen=True, kw_only=True):
    id: int
    delivery: int | None
    agent: str
    computer: str | None
    room: str
    topic: int
    message: int | None
    session: str
    status: RunStatus
    pid: int | None = None
    exit_code: int | None = None
    signal: str | None = None
    error_kind: str | None = None
    """agent, spawn, auth, rate_limit, timeout, lost, missing_program, old_program, stopped, killed."""
    error: str | None = None
    stderr: str | None = None
    """The last lines the program wrote there."""
    restart_of: int | None = None
    stalled_since: int | None = None
    result: dict[str, Any] | None = None
    last_seq: int = 0
    last_source: int | None = None
    """End of the newest accepted event in the spool, in bytes; a new daemon goes on from here."""
    usage: Usage | None = None
    resume_at: int | None = None
    """When it goes on after a limit: by itself while it is paused, as a new attempt when it has ended."""
    wanted: str | None = None
    """stop, kill or restart: asked for by a person and not carried out yet."""
    created_at: int
    started_at: int | None = None
    ended_at: int | None = None
    duration_ms: int | None = None


class SentFile(Answer, frozen=True, kw_only=True):
    id: str
    name: str
    mime: str
    size: int
    url: str


class RunSummary(Answer, frozen=True, kw_only=True):
    """What of a run fits beside its name."""

    todo: list[dict[str, Any]] = []
    """Each with `text` and `status`."""
    done: int = 0
    """Entries of the list that are completed."""
    plan: str | None = None
    plan_seq: int | None = None
    """The run event that has all of it."""
    files: list[SentFile] = []
    cost_usd: float | None = None
    duration_ms: int | None = None


class RunAnswer(Answer, frozen=True, kw_only=True):
    run: Run
    summary: RunSummary | None = None
    """Where one run is asked for."""


class SummedRun(Answer, frozen=True, kw_only=True):
    run: Run
    summary: RunSummary


class OpenedAnswer(Answer, frozen=True, kw_only=True):
    run: Run
    token: str
    """The run's credential; dies with the run. Empty for a finished run that was handed in."""


class PromptAnswer(Answer, frozen=True, kw_only=True):
    """What the run was told."""

    prompt: str


class RunsAnswer(Answer, frozen=True, kw_only=True):
    runs: list[Run]
    next: str | None = None


class RunsQuery(Page, frozen=True, kw_only=True):
    agent: str | None = None
    computer: str | None = None
    room: str | None = None
    topic: int | None = None
    status: RunStatus | None = None
    since: int | None = None
    until: int | None = None


class OpenRun(Request, frozen=True, kw_only=True):
    """With a lease: open a run for a delivery. Without: hand in a finished run of an external client (DR-24)."""

    delivery_id: int | None = None
    lease_id: str | None = None
    fence: int | None = None
    dry_run: bool = False
    agent: str | None = None
    topic: int | None = None
    status: RunStatus | None = None
    text: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    client_id: str | None = None


class ReportPid(UnderLease, frozen=True, kw_only=True):
    pid: int


class RunEventIn(Request, frozen=True, kw_only=True):
    seq: int
    kind: str
    at: int | None = None
    """When it happened; when it arrives, when left out."""
    text: str | None = None
    source: int | None = None
    """Where in the spool this event's last byte ends; see `Run.last_source`."""
    lane: str = "main"
    data: dict[str, Any] = {}


class AddRunEvents(UnderLease, frozen=True, kw_only=True):
    events: list[RunEventIn]
    after_source: int | None = None
    """Where the sender believes the server stands; 409 conflict with the true value otherwise."""


class AddedAnswer(Answer, frozen=True, kw_only=True):
    accepted: int
    last_seq: int
    last_source: int | None


class RunEvent(Answer, frozen=True, kw_only=True):
    run: int
    seq: int
    kind: str
    at: int
    text: str | None = None
    lane: str = "main"
    data: dict[str, Any] = {}


class RunEventsAnswer(Answer, frozen=True, kw_only=True):
    events: list[RunEvent]
    next: str | None = None


class RunEventsQuery(Request, frozen=True, kw_only=True):
    after: int = 0
    before: int | None = None
    """The page before this number, oldest first; `next` is the `before` of the page before it."""
    limit: int = 200


class RebuiltPart(Request, frozen=True, kw_only=True):
    """Part of the log of an ended run, read again from the spool, in order; `seq` counts from 1 anew."""

    command: int
    """The order it is the answer to."""
    events: list[RunEventIn]
    first: bool = False
    last: bool = False
    partial: bool = False
    """It is from the program's own transcript, which has less than the spool."""


class RebuiltAnswer(Answer, frozen=True, kw_only=True):
    run: Run
    changed: bool
    """With the last part: whether the stored log differed, and this one took its place."""


class TailQuery(Request, frozen=True, kw_only=True):
    limit: int = 50
    """Messages."""
    events: int = 100
    """Of the newest run."""


class TailAnswer(Answer, frozen=True, kw_only=True):
    """The end of a topic, oldest first."""

    messages: list[Message]
    before: int | None = None
    """`before` of the page of messages before; null when there is none."""
    last_said: Message | None = None
    """The newest words of a person, when they are not among the messages."""
    runs: list[SummedRun]
    """The newest ones."""
    events: list[RunEvent]
    """Of the newest run."""
    events_before: int | None = None


class FinishRun(UnderLease, frozen=True, kw_only=True):
    status: RunStatus | None = None
    """succeeded, failed, cancelled, interrupted or dry_run; follows from exit_code and signal when left out."""
    exit_code: int | None = None
    signal: str | None = None
    error_kind: str | None = None
    error: str | None = None
    stderr: str | None = None
    text: str | None = None
    """The final text, posted once when the run itself posted none."""
    usage: Usage | None = None
    ended_at: int | None = None
    effects: dict[str, Any] = {}
    """Of an interrupted run: `git` has what its folder's repository shows (root, branch, head, files, commits, pushes),
    or a `note`.
    """
    resume_at: int | None = None
    """With the error kind rate_limit: when the limit has passed, and another attempt begins by itself."""


class RunState(UnderLease, frozen=True, kw_only=True):
    """The run is now running, waiting or paused."""

    status: RunStatus
    resume_at: int | None = None
    """For paused: when it goes on by itself, if that is known."""


class RunAction(Request, frozen=True, kw_only=True):
    reason: str = ""


class ChooseForRun(Request, frozen=True, kw_only=True):
    """What becomes of an interrupted run's work."""

    choice: Choice
    """resume: the same session goes on. start_over: a new session, the files stay. drop: no more is done, and what it
    changed and did not commit goes into a stash of its repository. keep_files: no more is done, the files stay.
    """


class SteerRun(Request, frozen=True, kw_only=True):
    text: str
    """Becomes a message in the run's topic."""


class SteeredAnswer(Answer, frozen=True, kw_only=True):
    run: Run
    message: Message
    receipt: Receipt


class ReportResult(Request, frozen=True, kw_only=True):
    status: str
    """done, blocked or needs_input."""
    summary: str
    blockers: list[str] = []
    next_steps: list[str] = []


class Session(Answer, frozen=True, kw_only=True):
    id: str
    topic: int
    agent: str
    computer: str | None
    generation: int
    native_session: str | None
    is_outdated: bool = False
    """It goes on with the profile it began with; the agent has another one now. Applied, the next run has that."""
    created_at: int


class SessionAnswer(Answer, frozen=True, kw_only=True):
    session: Session


class SessionsAnswer(Answer, frozen=True, kw_only=True):
    sessions: list[Session]
    next: str | None = None


class CreateSession(Request, frozen=True, kw_only=True):
    topic: int
    agent: str
    fresh: bool = False
    """True: a new generation of the session."""
    client_id: str | None = None


class BindNativeSession(UnderLease, frozen=True, kw_only=True):
    native_session: str | None
    run: int | None = None


class SessionsQuery(Page, frozen=True, kw_only=True):
    topic: int | None = None
    agent: str | None = None


class Approval(Answer, frozen=True, kw_only=True):
    """One person's yes."""

    by: str
    at: int


class Suggestion(Answer, frozen=True, kw_only=True):
    """People approved exactly this so many times in a row: a decision with this `scope` would end the asking."""

    scope: Scope
    times: int


class Option(Answer, frozen=True, kw_only=True):
    label: str
    description: str = ""
    preview: str = ""
    """What it would look like: code, a diagram, a text."""


class Question(Answer, frozen=True, kw_only=True):
    text: str
    header: str = ""
    options: list[Option] = []
    multiple: bool = False
    """Several of its options may be chosen."""
    free: bool = True
    """Words of one's own are an answer too."""


class Given(Request, frozen=True, kw_only=True):
    """The answer to one question."""

    chosen: list[str] = []
    """Labels of its options; others are refused."""
    text: str = ""


class Interaction(Answer, frozen=True, kw_only=True):
    id: int
    run: int | None
    topic: int
    room: str
    agent: str | None
    kind: InteractionKind
    status: InteractionStatus
    title: str
    body: str
    options: list[str] = []
    hash: str
    """Of exactly what was shown; an answer may carry it and is refused when it differs."""
    answer: dict[str, Any] | None = None
    answered_by: str | None = None
    message: int | None = None
    """The card."""
    created_at: int
    answered_at: int | None = None
    deny_at: int | None = None
    """When it counts as denied, unless somebody answers before."""
    folder: str = ""
    """Where it would be done, on its computer; part of `hash`."""
    needs: int = 1
    """How many people have to approve; one who denies is enough."""
    approvals: list[Approval] = []
    suggestion: Suggestion | None = None
    version: int | None = None
    """Of a plan: which of its run, from 1; earlier ones stay as they were shown and answered."""
    questions: list[Question] = []
    """Of a card that asks several, or lets several options be chosen; answered by `answers`, or by one text."""
    decision: int | None = None
    """The id of the project's decision that the answer settles."""


class InteractionAnswer(Answer, frozen=True, kw_only=True):
    interaction: Interaction


class InteractionsAnswer(Answer, frozen=True, kw_only=True):
    interactions: list[Interaction]
    next: str | None = None


class InteractionsQuery(Page, frozen=True, kw_only=True):
    status: InteractionStatus | None = None
    topic: int | None = None
    run: int | None = None
    kind: InteractionKind | None = None
    """With `plan` and `run`: all versions of its plan."""


class OpenInteraction(UnderLease, frozen=True, kw_only=True):
    """Raised by a run through its daemon. `key` is the program's own id; the same one again is the same interaction."""

    key: str
    kind: InteractionKind
    title: str
    body: str = ""
    options: list[str] = []
    folder: str = ""
    """Where it would be done."""
    questions: list[Question] = []
    client_id: str | None = None
    """Accepted as everywhere; the `key` makes it repeatable."""


class AskQuestion(Request, frozen=True, kw_only=True):
    """Raised by an agent itself, with its run's token (`pal cli ask`)."""

    title: str
    body: str = ""
    options: list[str] = []
    kind: InteractionKind = "question"
    questions: list[Question] = []
    client_id: str | None = None


class AnswerInteraction(Request, frozen=True, kw_only=True):
    answer: str | None = None
    """For several questions: one line for each, in order or by number; several options divided by commas."""
    answers: list[Given] | None = None
    """For a card with questions: one for each, in order."""
    decision: Decision | None = None
    reason: str | None = None
    message: int | None = None
    """What was said in this message is the answer, or the reason of the decision; it makes no turn of its own."""
    hash: str | None = None
    scope: Scope = "once"
    """For an approval: also for all requests of exactly this content, of this agent in this topic, of this agent
    everywhere, or of every agent in the rooms of this project (in a room of none, in that room).
    """


class ApprovalRule(Answer, frozen=True, kw_only=True):
    """A decision that holds for all requests of exactly this content."""

    id: int
    scope: Scope
    room: str
    project: str | None = None
    topic: int | None
    agent: str | None
    decision: Decision
    reason: str | None
    title: str
    body: str
    hash: str
    interaction: int
    """The request whose answer made it."""
    made_by: str
    created_at: int
    used: int
    used_at: int | None
    revoked_at: int | None
    people: int = 1
    """How many made it together; in a room that wants two, one's approval does not stand."""


class ApprovalRuleAnswer(Answer, frozen=True, kw_only=True):
    rule: ApprovalRule


class ApprovalRulesAnswer(Answer, frozen=True, kw_only=True):
    rules: list[ApprovalRule]
    next: str | None = None


class ApprovalRulesQuery(Page, frozen=True, kw_only=True):
    agent: str | None = None


class InteractionApplied(UnderLease, frozen=True, kw_only=True):
    applied: bool = True
