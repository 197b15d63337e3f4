"""The whole API on one page: routing, request checking, authorization and the OpenAPI document all follow from it."""

from pal_server.api import (
    agents,
    artifacts,
    computers,
    daemon_socket,
    debates,
    deliveries,
    events,
    findings,
    interactions,
    messages,
    pages,
    people,
    rooms,
    run_stream,
    runs,
    system,
    usage,
)
from pal_server.api.routing import MIB, Handler, Route, Who
from pal_server.contract import agents as a
from pal_server.contract import deliveries as d
from pal_server.contract import files as f
from pal_server.contract import findings as n
from pal_server.contract import messages as m
from pal_server.contract import people as p
from pal_server.contract import rooms as r
from pal_server.contract import runs as u
from pal_server.contract import usage as g
from pal_server.contract.base import Answer, Done, Page, Request
from pal_server.contract.events import EventsQuery
from pal_server.contract.system import Health, Version
from pal_server.domain.actors import Role

OPEN = Who(is_open=True)
READERS = Who(user=Role.VIEWER, computer=True, run=True, bridge=True)  # each what it may know of
SPEAKERS = Who(user=Role.MEMBER, computer=True, run=True, bridge=True)
PEOPLE = Who(user=Role.VIEWER)
TRUSTED = Who(user=Role.VIEWER, bridge=True)
HELPERS = Who(user=Role.MEMBER, bridge=True)  # people, also through an outside chat
MEMBERS = Who(user=Role.MEMBER)
WATCHERS = Who(user=Role.VIEWER, computer=True)
ADMINS = Who(user=Role.ADMIN)
DRAINERS = Who(user=Role.ADMIN, computer=True)
HANDERS = Who(user=Role.MEMBER, computer=True, bridge=True)
DAEMONS = Who(computer=True)
RUNS = Who(run=True)

FILE_LIMIT = 50 * MIB
MESSAGE_LIMIT = 3 * MIB  # the longest text fits, also with each character escaped as two surrogates
RUN_EVENTS_LIMIT = 8 * MIB
SSE = "text/event-stream"


def page(path: str, handler: Handler, media: str, summary: str) -> Route:
    return Route(method="GET", path=path, handler=handler, who=OPEN, media=media, summary=summary)


def get(
    path: str, handler: Handler, who: Who, summary: str, answer: type[Answer], query: type[Request] | None = None
) -> Route:
    return Route(method="GET", path=path, handler=handler, who=who, summary=summary, answer=answer, query=query)


def post(
    path: str,
    handler: Handler,
    who: Who,
    summary: str,
    answer: type[Answer],
    body: type[Request] | None = None,
    *,
    status: int = 200,
    limit: int = MIB,
    is_data: bool = False,
    method: str = "POST",
) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        who=who,
        summary=summary,
        answer=answer,
        body=body or Nothing,
        status=status,
        limit=limit,
        is_data=is_data,
    )


def create(path: str, handler: Handler, who: Who, summary: str, answer: type[Answer], body: type[Request]) -> Route:
    return post(path, handler, who, summary, answer, body, status=201)


def patch(path: str, handler: Handler, who: Who, summary: str, answer: type[Answer], body: type[Request]) -> Route:
    return post(path, handler, who, summary, answer, body, method="PATCH")


def delete(path: str, handler: Handler, who: Who, summary: str, answer: type[Answer]) -> Route:
    return post(path, handler, who, summary, answer, method="DELETE")


class Nothing(Request, frozen=True, kw_only=True):
    """A body that says nothing: empty, or `{}`."""


ROUTES: tuple[Route, ...] = (
    # pages and system
    page("/", pages.index, "text/html", "What to do next"),
    page("/login", pages.login, "text/html", "The log-in page"),
    page("/assets/plain.css", pages.style, "text/css", "Style of the plain pages"),
    page("/assets/login.js", pages.script, "text/javascript", "Script of the log-in page"),
    get("/health", system.health, OPEN, "Whether the server lives", Health),
    get("/health/ready", system.ready, OPEN, "Whether work gets done here", Health),
    Route(method="GET", path="/metrics", handler=system.metrics, who=PEOPLE, media="text/plain", summary="Counters"),
    get("/api/version", system.show_version, OPEN, "Version of server and protocol", Version),
    Route(method="GET", path="/api/openapi.json", handler=system.openapi, who=OPEN, summary="This document"),
    # people
    post("/api/login", people.log_in, OPEN, "Log in; sets the session cookie", p.MeAnswer, p.Login),
    post("/api/logout", people.log_out, READERS, "End the session", Done),
    get("/api/me", people.me, READERS, "Who the credential stands for", p.MeAnswer),
    get("/api/users", people.list_users, TRUSTED, "Users by name", p.UsersAnswer, Page),
    create("/api/users", people.create_user, ADMINS, "Add a user", p.UserAnswer, p.CreateUser),
    patch("/api/users/{username}", people.change_user, PEOPLE, "Change a user", p.UserAnswer, p.ChangeUser),
    get("/api/tokens", people.list_tokens, PEOPLE, "Tokens, newest first", p.TokensAnswer, Page),
    create("/api/tokens", people.create_token, PEOPLE, "Make a token", p.CreatedTokenAnswer, p.CreateToken),
    post("/api/tokens/{id}/revoke", people.revoke_token, PEOPLE, "End a token at once", p.TokenAnswer),
    get("/api/audit", people.list_audit, ADMINS, "The audit log, newest first", p.AuditAnswer, p.AuditQuery),
    get("/api/audit/verify", people.verify_audit, ADMINS, "Whether the audit log is whole", p.AuditVerified),
    # rooms
    get("/api/rooms", rooms.list_rooms, READERS, "Rooms by name", r.RoomsAnswer, Page),
    get("/api/chats", rooms.list_chats, READERS, "The same, by its older name", r.RoomsAnswer, Page),
    create("/api/rooms", rooms.create, HELPERS, "Make a room", r.RoomAnswer, r.CreateRoom),
    get("/api/rooms/{room}", rooms.get, READERS, "One room, by id or name", r.RoomAnswer),
    patch("/api/rooms/{room}", rooms.change, SPEAKERS, "Change title, rules, timing", r.RoomAnswer, r.ChangeRoom),
    get("/api/rooms/{room}/members", rooms.list_members, READERS, "Who is in it", r.MembersAnswer, Page),
    get(
        "/api/rooms/{room}/mentionables",
        rooms.list_mentionables,
        READERS,
        "Exactly the names that resolve after an @",
        r.MentionablesAnswer,
        Page,
    ),
    create(
        "/api/rooms/{room}/agents",
        rooms.invite_agent,
        SPEAKERS,
        "Let an agent in, or change its mode",
        r.MemberAnswer,
        r.InviteAgent,
    ),
    post(
        "/api/rooms/{room}/agents/{agent}/restart",
        rooms.restart_agent,
        SPEAKERS,
        "Restart what this agent runs in this room",
        u.RunsAnswer,
    ),
    create("/api/rooms/{room}/users", rooms.invite_user, MEMBERS, "Let a user in", r.MemberAnswer, r.InviteUser),
    get("/api/rooms/{room}/topics", rooms.list_topics, READERS, "Topics, oldest first", r.TopicsAnswer, Page),
    create("/api/rooms/{room}/topics", rooms.create_topic, SPEAKERS, "Begin a topic", r.TopicAnswer, r.CreateTopic),
    get("/api/topics/{id:int}", rooms.get_topic, READERS, "One topic", r.TopicAnswer),
    patch("/api/topics/{id:int}", rooms.change_topic, HELPERS, "Name it, archive it", r.TopicAnswer, r.ChangeTopic),
    create("/api/debates", debates.start, SPEAKERS, "Let two agents take turns", r.DebateAnswer, r.StartDebate),
    get("/api/debates/{id}", debates.get, READERS, "A debate and its turns so far", r.DebateAnswer),
    post("/api/debates/{id}/stop", debates.stop, SPEAKERS, "No turn after this one", r.DebateAnswer),
    # messages
    get("/api/messages", messages.list_messages, READERS, "Read, or search", m.MessagesAnswer, m.MessagesQuery),
    post(
        "/api/messages",
        messages.send,
        SPEAKERS,
        "Say something",
        m.SentAnswer,
        m.SendMessage,
        status=201,
        limit=MESSAGE_LIMIT,
    ),
    get("/api/messages/{id:int}", messages.get, READERS, "One message", m.MessageAnswer),
    post(
        "/api/messages/{id:int}",
        messages.edit,
        SPEAKERS,
        "Change one's own words",
        m.MessageAnswer,
        m.EditMessage,
        limit=MESSAGE_LIMIT,
        method="PATCH",
    ),
    delete("/api/messages/{id:int}", messages.delete, SPEAKERS, "Take back one's own words", m.MessageAnswer),
    post(
        "/api/messages/{id:int}/draft",
        messages.choose_draft,
        HELPERS,
        "Send, revise or drop an answer that was held",
        m.MessageAnswer,
        m.ChooseForDraft,
    ),
    get("/api/messages/{id:int}/trace", messages.trace, READERS, "Why there is no reply", m.TraceAnswer),
    get("/api/inbox", messages.inbox, READERS, "What was addressed to an agent", m.InboxAnswer, m.InboxQuery),
    # deliveries
    get(
        "/api/deliveries",
        deliveries.list_deliveries,
        READERS,
        "Deliveries, newest first",
        d.DeliveriesAnswer,
        d.DeliveriesQuery,
    ),
    create(
        "/api/deliveries",
        deliveries.create,
        HELPERS,
        "Give a message to an agent by hand",
        d.DeliveryAnswer,
        d.CreateDelivery,
    ),
    post(
        "/api/deliveries/claim",
        deliveries.claim_queue,
        DAEMONS,
        "Lease what waits for this computer",
        d.ClaimsAnswer,
        d.ClaimDeliveries,
    ),
    get("/api/deliveries/{id:int}", deliveries.get, READERS, "One delivery", d.DeliveryAnswer),
    post("/api/deliveries/{id:int}/claim", deliveries.claim, DAEMONS, "Lease this one", d.ClaimAnswer),
    post("/api/deliveries/{id:int}/renew", deliveries.renew, DAEMONS, "Keep the lease", d.RenewAnswer, d.UnderLease),
    post(
        "/api/deliveries/{id:int}/release",
        deliveries.release,
        DAEMONS,
        "Hand it back before it was started",
        d.DeliveryAnswer,
        d.ReleaseDelivery,
    ),
    post(
        "/api/deliveries/{id:int}/ack",
        deliveries.ack,
        DAEMONS,
        "It is done",
        d.DeliveryAnswer,
        d.AckDelivery,
        is_data=True,
    ),
    post(
        "/api/deliveries/{id:int}/fail",
        deliveries.fail,
        DAEMONS,
        "It failed",
        d.DeliveryAnswer,
        d.FailDelivery,
        is_data=True,
    ),
    post("/api/deliveries/{id:int}/cancel", deliveries.cancel, HELPERS, "Drop what waits", d.DeliveryAnswer),
    post("/api/deliveries/{id:int}/front", deliveries.move_to_front, HELPERS, "Let it come next", d.DeliveryAnswer),
    post(
        "/api/deliveries/{id:int}/merge",
        deliveries.merge,
        HELPERS,
        "Let one run answer it and another one that waits",
        d.DeliveryAnswer,
        d.MergeDelivery,
    ),
    post("/api/deliveries/{id:int}/retry", deliveries.retry, HELPERS, "Do it again", d.DeliveryAnswer, d.RetryDelivery),
    # computers
    get("/api/computers", computers.list_computers, WATCHERS, "Computers", a.ComputersAnswer, Page),
    create(
        "/api/computers/provision",
        computers.provision,
        ADMINS,
        "A key for a new computer, shown once",
        a.ProvisionedAnswer,
        a.ProvisionComputer,
    ),
    post("/api/computers/connect", computers.connect, DAEMONS, "A daemon begins", a.ConnectedAnswer, a.ConnectComputer),
    post("/api/daemons", computers.register_daemon, DAEMONS, "The seed's connect", a.ConnectedAnswer, a.RegisterDaemon),
    get("/api/computers/{id}", computers.get, WATCHERS, "One computer, by id or name", a.ComputerAnswer),
    post(
        "/api/computers/{id}/heartbeat",
        computers.heartbeat,
        DAEMONS,
        "The daemon is there; answers with its orders",
        a.HeartbeatAnswer,
        a.HeartbeatRequest,
    ),
    post(
        "/api/computers/{id}/commands/{command:int}/done",
        computers.command_done,
        DAEMONS,
        "An order was carried out",
        Done,
        a.CommandDone,
        is_data=True,
    ),
    post(
        "/api/computers/{id}/findings",
        findings.report,
        DAEMONS,
        "What a look at a program found",
        Done,
        n.ReportFindings,
        is_data=True,
    ),
    post("/api/computers/{id}/rotate", computers.rotate, ADMINS, "A new key; the old one ends", a.RotatedAnswer),
    post("/api/computers/{id}/revoke", computers.revoke, ADMINS, "End its key for good", a.ComputerAnswer),
    post(
        "/api/computers/{id}/drain",
        computers.drain,
        DRAINERS,
        "Finish what runs, take nothing new",
        a.ComputerAnswer,
        a.DrainComputer,
    ),
    Route(
        method="GET",
        path="/api/daemon/ws",
        handler=daemon_socket.socket,
        who=DAEMONS,
        upgrades=True,
        summary="Wake-ups for a daemon",
    ),
    # agents
    get("/api/agents", agents.list_agents, READERS, "Agents by key", a.AgentsAnswer, Page),
    create("/api/agents", agents.create, MEMBERS, "Create or update an agent", a.AgentAnswer, a.CreateAgent),
    create("/api/agents/onboard", agents.onboard, MEMBERS, "The same, by its older name", a.AgentAnswer, a.CreateAgent),
    get("/api/agents/{key}", agents.get, READERS, "One agent", a.AgentAnswer),
    patch("/api/agents/{key}", agents.change, MEMBERS, "Change what is named", a.AgentAnswer, a.ChangeAgent),
    delete("/api/agents/{key}", agents.delete, ADMINS, "Remove an agent and end what it does", a.AgentAnswer),
    post(
        "/api/agents/{key}/assignment",
        agents.assign,
        MEMBERS,
        "Which computer runs it; null ends that",
        a.AssignmentAnswer,
        a.AssignAgent,
    ),
    get("/api/topics/{id:int}/agents/{agent}", agents.show_choice, READERS, "What it uses in a topic", a.ChoiceAnswer),
    patch(
        "/api/topics/{id:int}/agents/{agent}",
        agents.choose,
        HELPERS,
        "Choose model, effort and mode for a topic",
        a.ChoiceAnswer,
        a.ChooseForTopic,
    ),
    get("/api/accounts", agents.list_accounts, WATCHERS, "Log-ins of runtimes", a.AccountsAnswer, Page),
    create("/api/accounts", agents.add_account, ADMINS, "Add a log-in", a.AccountAnswer, a.AddAccount),
    get("/api/accounts/{id}", agents.get_account, WATCHERS, "One log-in, and who uses it", a.AccountAnswer),
    patch("/api/accounts/{id}", agents.change_account, ADMINS, "Disable or enable", a.AccountAnswer, a.ChangeAccount),
    delete("/api/accounts/{id}", agents.remove_account, ADMINS, "Forget a log-in", a.AccountAnswer),
    get("/api/accounts/{id}/models", findings.account_models, PEOPLE, "Models this log-in has", n.ModelsAnswer),
    post("/api/accounts/{id}/probe", findings.probe_account, MEMBERS, "Look at its login and models", n.ProbeAnswer),
    get("/api/agents/{key}/models", findings.agent_models, READERS, "Models it can choose", n.ModelsAnswer),
    get(
        "/api/agents/{key}/commands",
        findings.agent_commands,
        READERS,
        "What can be said to it with a slash",
        n.CommandsAnswer,
        n.CommandsQuery,
    ),
    post(
        "/api/agents/{key}/probe",
        findings.probe_agent,
        MEMBERS,
        "Look what its program offers",
        n.ProbeAnswer,
        n.CommandsQuery,
    ),
    get(
        "/api/topics/{id:int}/commands",
        findings.topic_commands,
        READERS,
        "What can be said to each agent there with a slash",
        n.TopicCommandsAnswer,
    ),
    get("/api/quotas", findings.quotas, PEOPLE, "How much of subscriptions is used", n.QuotasAnswer),
    # runs
    get("/api/runs", runs.list_runs, READERS, "Runs, newest first", u.RunsAnswer, u.RunsQuery),
    post(
        "/api/runs",
        runs.open_run,
        HANDERS,
        "Open a run under a lease, or hand in a finished one",
        u.OpenedAnswer,
        u.OpenRun,
        status=201,
        is_data=True,
    ),
    get("/api/runs/{id:int}", runs.get, READERS, "One run", u.RunAnswer),
    get("/api/runs/{id:int}/prompt", runs.prompt, READERS, "What the run was told", u.PromptAnswer),
    get(
        "/api/runs/{id:int}/events",
        run_stream.events,
        READERS,
        "What the run did; live with Accept: text/event-stream",
        u.RunEventsAnswer,
        u.RunEventsQuery,
    ),
    post(
        "/api/runs/{id:int}/events",
        runs.add_events,
        DAEMONS,
        "Numbered events, stored once",
        u.AddedAnswer,
        u.AddRunEvents,
        limit=RUN_EVENTS_LIMIT,
        is_data=True,
    ),
    post("/api/runs/{id:int}/pid", runs.set_pid, DAEMONS, "The process is there", u.RunAnswer, u.ReportPid),
    post("/api/runs/{id:int}/state", runs.set_state, DAEMONS, "Running, waiting or paused", u.RunAnswer, u.RunState),
    post(
        "/api/runs/{id:int}/finish",
        runs.finish,
        DAEMONS,
        "Settle the run and its delivery",
        u.RunAnswer,
        u.FinishRun,
        is_data=True,
    ),
    post("/api/runs/{id:int}/kill", runs.kill, SPEAKERS, "End the process tree now", u.RunAnswer, u.RunAction),
    post("/api/runs/{id:int}/stop", runs.stop, SPEAKERS, "Ask it to end", u.RunAnswer, u.RunAction),
    post("/api/runs/{id:int}/restart", runs.restart, SPEAKERS, "End it and begin anew", u.RunAnswer, u.RunAction),
    post(
        "/api/runs/{id:int}/steer",
        runs.steer,
        SPEAKERS,
        "Tell it something while it works",
        u.SteeredAnswer,
        u.SteerRun,
    ),
    post(
        "/api/runs/{id:int}/choose",
        runs.choose,
        HELPERS,
        "What becomes of an interrupted run's work",
        u.RunAnswer,
        u.ChooseForRun,
    ),
    post("/api/runs/{id:int}/result", runs.report_result, RUNS, "What came of the work", u.RunAnswer, u.ReportResult),
    post(
        "/api/runs/{id:int}/interactions",
        interactions.open_for_run,
        DAEMONS,
        "The program asks a person",
        u.InteractionAnswer,
        u.OpenInteraction,
        status=201,
        is_data=True,
    ),
    get("/api/sessions", runs.list_sessions, READERS, "Sessions", u.SessionsAnswer, u.SessionsQuery),
    create("/api/sessions", runs.create_session, HELPERS, "Open or renew a session", u.SessionAnswer, u.CreateSession),
    get("/api/sessions/{id}/runs", runs.runs_of_session, READERS, "Runs of a session", u.RunsAnswer, Page),
    post(
        "/api/sessions/{id}/runtime-session",
        runs.bind_session,
        DAEMONS,
        "The program's own conversation",
        u.SessionAnswer,
        u.BindNativeSession,
    ),
    get("/api/usage", usage.show, PEOPLE, "What runs used, by agent, room or day", g.UsageAnswer, g.UsageQuery),
    # interactions
    get(
        "/api/interactions",
        interactions.list_interactions,
        READERS,
        "What waits for a person, newest first",
        u.InteractionsAnswer,
        u.InteractionsQuery,
    ),
    create("/api/interactions", interactions.ask, RUNS, "An agent asks", u.InteractionAnswer, u.AskQuestion),
    get("/api/interactions/{id:int}", interactions.get, READERS, "One interaction", u.InteractionAnswer),
    post(
        "/api/interactions/{id:int}/answer",
        interactions.answer,
        HELPERS,
        "A person answers, once",
        u.InteractionAnswer,
        u.AnswerInteraction,
    ),
    post(
        "/api/interactions/{id:int}/applied",
        interactions.applied,
        DAEMONS,
        "The program has the answer",
        u.InteractionAnswer,
        u.InteractionApplied,
    ),
    get(
        "/api/approval-rules",
        interactions.list_rules,
        TRUSTED,
        "Standing approvals, newest first",
        u.ApprovalRulesAnswer,
        u.ApprovalRulesQuery,
    ),
    post(
        "/api/approval-rules/{id:int}/revoke",
        interactions.revoke_rule,
        HELPERS,
        "Ask a person again from now on",
        u.ApprovalRuleAnswer,
    ),
    # files
    get(
        "/api/artifacts", artifacts.list_artifacts, READERS, "Files, newest first", f.ArtifactsAnswer, f.ArtifactsQuery
    ),
    Route(
        method="POST",
        path="/api/artifacts",
        handler=artifacts.upload,
        who=SPEAKERS,
        query=f.UploadQuery,
        answer=f.ArtifactAnswer,
        status=201,
        limit=FILE_LIMIT,
        reads_body=True,
        summary="Store a file; the body is its content",
    ),
    post("/api/artifacts/cleanup", artifacts.cleanup, ADMINS, "Remove what has ended", f.CleanedAnswer),
    post("/api/artifacts/{id}/revoke", artifacts.revoke, SPEAKERS, "End the offer of a file", f.ArtifactAnswer),
    get(
        "/api/workbench/artifacts",
        artifacts.list_workbench,
        PEOPLE,
        "The same list, for the workbench",
        f.ArtifactsAnswer,
        f.ArtifactsQuery,
    ),
    Route(
        method="GET",
        path="/f/{id}",
        handler=artifacts.download,
        who=READERS,
        media="application/octet-stream",
        summary="The content of a file",
    ),
    # events
    Route(
        method="GET",
        path="/api/events",
        handler=events.stream,
        who=READERS,
        query=EventsQuery,
        media=SSE,
        summary="Everything one may see, from a position on",
    ),
    Route(
        method="GET",
        path="/api/ws",
        handler=events.socket,
        who=READERS,
        query=EventsQuery,
        upgrades=True,
        summary="The same events over a WebSocket",
    ),
)
