"""Agents, the computers they are assigned to, and accounts."""

from typing import Any, Literal

import msgspec

from .base import Answer, Request
from .words import AgentMode, ApprovalPolicy, ComputerStatus, LoginState, Sandbox


class AgentSettings(Answer, frozen=True, kw_only=True):
    """For programs with a sandbox of their own, where the mode leaves a choice."""

    sandbox: Sandbox | None = None
    approval: ApprovalPolicy | None = None
    network: bool = False


class AgentSettingsIn(Request, frozen=True, kw_only=True):
    """All three at once; only an admin gives the network."""

    sandbox: Sandbox | None = None
    approval: ApprovalPolicy | None = None
    network: bool = False


class Agent(Answer, frozen=True, kw_only=True):
    key: str
    display_name: str
    description: str
    runtime: str
    runtime_state: Literal["available", "unavailable", "unknown"]
    runtime_note: str = ""
    """Why it is unavailable and what to do."""
    computer: str | None
    command: str | None = None
    command_allowed: bool = False
    cwd: str | None = None
    model: str | None = None
    effort: str | None = None
    mode: AgentMode = "ask"
    """What it may do without asking a person."""
    instructions: str = ""
    skills: list[str] = []
    servers: list[str] = []
    """Servers of tools (MCP) it may use, by the names its computer knows; `pal` is pal's own."""
    settings: AgentSettings = AgentSettings()
    isolation: str | None = None
    """Put before its program, as a container's command line."""
    account: str | None = None
    concurrency: int
    max_duration: int | None = None
    enabled: bool = True
    created_at: int
    updated_at: int


class AgentAnswer(Answer, frozen=True, kw_only=True):
    agent: Agent
    outdated: list[int] = []
    """Topics whose session goes on with an earlier profile; told of one agent that is shown or changed."""


class AgentsAnswer(Answer, frozen=True, kw_only=True):
    agents: list[Agent]
    next: str | None = None


class CreateAgent(Request, frozen=True, kw_only=True):
    """Creates the agent or, when it exists, updates what is named."""

    agent_key: str | None = None
    key: str | None = None
    display_name: str | None = None
    name: str | None = None
    runtime: str | None = None
    description: str | None = None
    computer_id: str | None = None
    command: str | None = None
    cwd: str | None = None
    model: str | None = None
    effort: str | None = None
    mode: AgentMode | None = None
    instructions: str | None = None
    skills: list[str] | None = None
    servers: list[str] | None = None
    settings: AgentSettingsIn | None = None
    isolation: str | None = None
    account: str | None = None
    concurrency: int | None = None
    max_duration: int | None = None
    client_id: str | None = None


class ChangeAgent(Request, frozen=True, kw_only=True):
    display_name: str | msgspec.UnsetType = msgspec.UNSET
    runtime: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    command: str | msgspec.UnsetType | None = msgspec.UNSET
    cwd: str | msgspec.UnsetType | None = msgspec.UNSET
    model: str | msgspec.UnsetType | None = msgspec.UNSET
    effort: str | msgspec.UnsetType | None = msgspec.UNSET
    mode: AgentMode | msgspec.UnsetType = msgspec.UNSET
    instructions: str | msgspec.UnsetType = msgspec.UNSET
    skills: list[str] | msgspec.UnsetType = msgspec.UNSET
    servers: list[str] | msgspec.UnsetType = msgspec.UNSET
    settings: AgentSettingsIn | msgspec.UnsetType = msgspec.UNSET
    isolation: str | msgspec.UnsetType | None = msgspec.UNSET
    account: str | msgspec.UnsetType | None = msgspec.UNSET
    concurrency: int | msgspec.UnsetType = msgspec.UNSET
    max_duration: int | msgspec.UnsetType | None = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET


class DuplicateAgent(Request, frozen=True, kw_only=True):
    key: str
    display_name: str | None = None
    client_id: str | None = None


class ApplyProfile(Request, frozen=True, kw_only=True):
    topic: int | None = None
    """Null: everywhere."""


class AppliedAnswer(Answer, frozen=True, kw_only=True):
    agent: str
    topics: list[int]
    """Whose next run has the agent's present profile."""


class Choice(Answer, frozen=True, kw_only=True):
    """What was chosen for an agent in one topic; null is what its profile says."""

    topic: int
    agent: str
    model: str | None = None
    effort: str | None = None
    mode: AgentMode | None = None


class ChoiceAnswer(Answer, frozen=True, kw_only=True):
    choice: Choice


class ChooseForTopic(Request, frozen=True, kw_only=True):
    """Holds from the next turn on; null goes back to the agent's profile."""

    model: str | msgspec.UnsetType | None = msgspec.UNSET
    effort: str | msgspec.UnsetType | None = msgspec.UNSET
    mode: AgentMode | msgspec.UnsetType | None = msgspec.UNSET


class AssignAgent(Request, frozen=True, kw_only=True):
    computer_id: str | None


class AssignmentAnswer(Answer, frozen=True, kw_only=True):
    agent: Agent


class RuntimeState(Answer, frozen=True, kw_only=True):
    """What a computer says of one runtime."""

    name: str
    available: bool
    version: str | None = None
    note: str = ""
    capabilities: dict[str, bool] = {}
    login: LoginState | None = None
    """Whether somebody is logged in at the program's usual place; null for a program without logins."""
    login_method: str = ""
    """`api key`, `subscription`, or the program's own word."""
    install: str = ""
    """What installs or updates it."""


class RuntimeStateIn(Request, frozen=True, kw_only=True):
    name: str
    available: bool
    version: str | None = None
    note: str = ""
    capabilities: dict[str, bool] = {}
    login: LoginState | None = None
    login_method: str = ""
    install: str = ""


class Checkout(Answer, frozen=True, kw_only=True):
    """A repository in which runs of the computer work."""

    root: str
    """Its folder there."""
    branch: str | None = None
    """Null while none is checked out."""
    used_at: int
    """When a run began there last."""


class Computer(Answer, frozen=True, kw_only=True):
    id: str
    name: str
    status: ComputerStatus
    os: str | None = None
    host: str | None = None
    daemon_version: str | None = None
    runtimes: list[RuntimeState] = []
    agents: list[str] = []
    live_runs: int = 0
    max_runs: int = 20
    checkouts: list[Checkout] = []
    """The one used last comes first."""
    last_seen_at: int | None = None
    created_at: int


class ComputerAnswer(Answer, frozen=True, kw_only=True):
    computer: Computer


class ComputersAnswer(Answer, frozen=True, kw_only=True):
    computers: list[Computer]
    next: str | None = None


class ProvisionComputer(Request, frozen=True, kw_only=True):
    name: str
    server_url: str | None = None
    client_id: str | None = None


class ProvisionedAnswer(Answer, frozen=True, kw_only=True):
    computer: Computer
    api_key: str
    """Shown this once."""
    command: str


class RotatedAnswer(Answer, frozen=True, kw_only=True):
    computer: Computer
    api_key: str
    command: str


class ConnectComputer(Request, frozen=True, kw_only=True):
    """A daemon begins. `machine` identifies this computer and `$PAL_HOME`, the same across restarts."""

    machine: str
    host: str = ""
    os: str = ""
    daemon_version: str = ""
    runtimes: list[RuntimeStateIn] = []
    interval: int = 3000
    take_over: bool = False
    legacy_agent: str | None = None


class Command(Answer, frozen=True, kw_only=True):
    """A durable order to a computer; given out until it is reported done.

    The words of a `steer` (`data`: text, message, delivery) go to the program under the input name `steer-<id>`; a run
    event `status` with `{"state": "read", "input": "steer-<id>"}` and, if known, `step` says that it read them.
    Two are for runs that have ended. `set_aside`: what it changed and did not commit goes into a stash of its
    repository. `rebuild`: its log is read again and handed in by `/api/runs/{id}/rebuilt`.
    A `probe` has no run: the computer looks at a program (`data`: runtime, account, agent, folder) and reports what it
    found.
    """

    id: int
    kind: str
    """kill, stop, restart, steer, answer, set_aside, rebuild or probe. A newer server may know more; what a daemon does
    not know it reports done with `ok` false, and everything else in the same answer counts."""
    run: int | None = None
    data: dict[str, Any] = {}
    created_at: int


class LiveRun(Answer, frozen=True, kw_only=True):
    """A run the server believes this computer has."""

    id: int
    delivery: int
    agent: str
    status: str
    lease_id: str
    fence: int
    last_seq: int
    last_source: int | None


class ConnectedAnswer(Answer, frozen=True, kw_only=True):
    computer: Computer
    epoch: int
    """Sent back as the `X-Pal-Epoch` header; an older one is refused once another daemon has taken over."""
    agents: list[str]
    commands: list[Command]
    runs: list[LiveRun]
    lease_for: int
    now: int


class CheckoutIn(Request, frozen=True, kw_only=True):
    root: str
    branch: str | None = None
    used_at: int


class HeartbeatRequest(Request, frozen=True, kw_only=True):
    running: list[int] = []
    """Runs this daemon has alive."""
    runtimes: list[RuntimeStateIn] | None = None
    checkouts: list[CheckoutIn] | None = None
    """All of them, when they are others than told before."""
    stalled: list[int] = []


class HeartbeatAnswer(Answer, frozen=True, kw_only=True):
    agents: list[str]
    commands: list[Command]
    status: ComputerStatus
    pending: int
    """Deliveries waiting for this computer now."""
    strays: list[LiveRun] = []
    """Live runs of this computer that the request did not name in `running`. Some may just have begun or ended."""
    now: int


class DrainComputer(Request, frozen=True, kw_only=True):
    """False: take work again."""

    draining: bool = True


class CommandDone(Request, frozen=True, kw_only=True):
    ok: bool = True
    detail: str = ""


class RegisterDaemon(Request, frozen=True, kw_only=True):
    """Seed form of `connect`, with a computer's id in the body."""

    computer_id: str | None = None
    machine: str = ""
    host: str = ""
    os: str = ""
    daemon_version: str = ""


class Account(Answer, frozen=True, kw_only=True):
    id: str
    computer: str
    runtime: str
    label: str
    bin: str | None = None
    home: str | None = None
    env: list[str] = []
    """Names only; values stay where they are used."""
    values: dict[str, str] | None = None
    """For the account's own computer alone."""
    args: list[str] = []
    disabled: bool = False
    agents: list[str] = []
    """Those that use it: what disabling it stops."""
    login: LoginState | None = None
    """As its computer saw it last; null when it has not looked yet."""
    login_method: str = ""
    login_seen_at: int | None = None
    created_at: int


class AccountAnswer(Answer, frozen=True, kw_only=True):
    account: Account


class AccountsAnswer(Answer, frozen=True, kw_only=True):
    accounts: list[Account]
    next: str | None = None


class AddAccount(Request, frozen=True, kw_only=True):
    computer: str
    runtime: str
    label: str
    bin: str | None = None
    home: str | None = None
    env: dict[str, str] = {}
    args: list[str] = []
    client_id: str | None = None


class ChangeAccount(Request, frozen=True, kw_only=True):
    disabled: bool
