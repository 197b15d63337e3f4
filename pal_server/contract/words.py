"""The words of the wire: statuses, modes, kinds. Closed sets, never renamed."""

from typing import Literal

DeliveryStatus = Literal["pending", "claimed", "acked", "failed", "interrupted", "cancelled", "dead"]
DeliveryReason = Literal["mention", "reply", "all", "direct", "periodic", "schedule", "task", "manual", "retry"]
RunStatus = Literal[
    "starting", "running", "waiting", "paused", "succeeded", "failed", "cancelled", "interrupted", "dry_run"
]
TaskStatus = Literal["backlog", "ready", "in_progress", "waiting", "review", "done", "failed", "cancelled"]
TaskOutcome = Literal["succeeded", "failed", "cancelled", "interrupted", "dead"]
Waiting = Literal["interaction", "agent_blocked", "error", "by_hand"]
ComputerStatus = Literal["provisioned", "online", "offline", "draining", "revoked"]
InteractionStatus = Literal["pending", "answered", "applied", "expired", "cancelled"]
InteractionKind = Literal["approval", "question", "plan"]
Mode = Literal["mentions", "all", "periodic", "muted", "off"]
Role = Literal["owner", "admin", "member", "viewer"]
TokenKind = Literal["user", "session", "computer", "run", "invite", "share", "bridge"]
ReceiptOutcome = Literal[
    "started", "queued", "offline", "steered", "read", "interrupts", "done", "held", "refused", "saved", "merged"
]
AgentMode = Literal["ask", "accept_edits", "auto", "bypass", "read_only", "plan"]
Scope = Literal["once", "topic", "agent", "project"]
Busy = Literal["queue", "steer", "interrupt"]
Decision = Literal["approve", "deny"]
LoginState = Literal["in", "out", "unknown"]
Choice = Literal["resume", "start_over", "drop", "keep_files"]
Sandbox = Literal["read-only", "workspace-write"]
ApprovalPolicy = Literal["untrusted", "on-request"]
