-- The bus: who, where, what was said, what must be done, and what happened. Times are UTC milliseconds, JSON is text.

CREATE TABLE workspaces (
    id          TEXT PRIMARY KEY,
    slug        TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    position    INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL
);

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    username      TEXT NOT NULL UNIQUE,
    display_name  TEXT NOT NULL,
    password_hash TEXT,
    disabled      INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL
);

CREATE TABLE memberships (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    user_id      TEXT NOT NULL REFERENCES users (id),
    role         TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    PRIMARY KEY (workspace_id, user_id)
);

-- `subject` is the id of the user, computer or run the token speaks for. `code` is the one-time log-in link.
CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    kind         TEXT NOT NULL CHECK (kind IN ('user', 'session', 'computer', 'run', 'invite', 'share', 'bridge', 'code')),
    hash         TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    subject      TEXT NOT NULL,
    scopes       TEXT NOT NULL DEFAULT '[]',
    created_by   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
);
CREATE INDEX tokens_of ON tokens (workspace_id, kind, subject);

CREATE TABLE rooms (
    id            TEXT PRIMARY KEY,
    workspace_id  TEXT NOT NULL REFERENCES workspaces (id),
    name          TEXT NOT NULL,
    title         TEXT NOT NULL,
    rules         TEXT NOT NULL DEFAULT '',
    visibility    TEXT NOT NULL DEFAULT 'workspace' CHECK (visibility IN ('workspace', 'private')),
    seq           INTEGER NOT NULL DEFAULT 0,
    default_topic INTEGER,
    debounce_for  INTEGER NOT NULL DEFAULT 1500,
    digest_every  INTEGER NOT NULL DEFAULT 3600000,
    max_duration  INTEGER,
    created_by    TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    archived_at   INTEGER,
    UNIQUE (workspace_id, name)
);

-- `principal` is a user's id, an agent's key or a guest's name.
CREATE TABLE members (
    room_id    TEXT NOT NULL REFERENCES rooms (id),
    kind       TEXT NOT NULL CHECK (kind IN ('user', 'agent', 'guest')),
    principal  TEXT NOT NULL,
    mode       TEXT CHECK (mode IN ('mentions', 'all', 'periodic', 'muted', 'off')),
    joined_at  INTEGER NOT NULL,
    digest_at  INTEGER NOT NULL DEFAULT 0,
    digest_seq INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room_id, kind, principal),
    CHECK ((kind = 'agent') = (mode IS NOT NULL))
);
CREATE INDEX members_by_principal ON members (kind, principal, room_id);
CREATE INDEX members_periodic ON members (digest_at) WHERE mode = 'periodic';

CREATE TABLE topics (
    id              INTEGER PRIMARY KEY,
    room_id         TEXT NOT NULL REFERENCES rooms (id),
    title           TEXT NOT NULL,
    is_default      INTEGER NOT NULL DEFAULT 0,
    created_by      TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    last_message_at INTEGER,
    archived_at     INTEGER
);
CREATE INDEX topics_of ON topics (room_id, id);

-- What one human message set off; its id is that message's. The row exists once an agent has sent something in the chain.
-- Limits grow when a person lets it go on.
CREATE TABLE chains (
    id             INTEGER PRIMARY KEY,
    workspace_id   TEXT NOT NULL REFERENCES workspaces (id),
    hop_limit      INTEGER NOT NULL,
    delivery_limit INTEGER NOT NULL,
    deliveries     INTEGER NOT NULL DEFAULT 0
);

-- A topic has one room and one workspace for ever: its foreign key stands for theirs, which every send would pay for.
CREATE TABLE messages (
    id            INTEGER PRIMARY KEY,
    workspace_id  TEXT NOT NULL,
    room_id       TEXT NOT NULL,
    topic_id      INTEGER NOT NULL REFERENCES topics (id),
    seq           INTEGER NOT NULL,
    parent_id     INTEGER REFERENCES messages (id),
    kind          TEXT NOT NULL CHECK (kind IN ('text', 'card', 'system')),
    sender_kind   TEXT NOT NULL CHECK (sender_kind IN ('user', 'agent', 'guest', 'system')),
    sender        TEXT NOT NULL,
    sender_name   TEXT NOT NULL,
    sender_origin TEXT NOT NULL DEFAULT '',
    sender_key    TEXT NOT NULL,
    content       TEXT NOT NULL,
    mentions      TEXT NOT NULL DEFAULT '[]',
    unresolved    TEXT NOT NULL DEFAULT '[]',
    files         TEXT NOT NULL DEFAULT '[]',
    card          TEXT,
    run_id        INTEGER,
    chain_id      INTEGER,
    hop           INTEGER NOT NULL DEFAULT 0,
    client_id     TEXT,
    created_at    INTEGER NOT NULL,
    edited_at     INTEGER,
    deleted_at    INTEGER,
    UNIQUE (room_id, seq)
);
CREATE INDEX messages_of_topic ON messages (topic_id, id);
CREATE INDEX messages_replies ON messages (parent_id, id) WHERE parent_id IS NOT NULL;

-- The same creating request again answers with the first result; `target` is what was created. In order of their making,
-- so that the oldest are found without an index.
CREATE TABLE client_ids (
    id         INTEGER PRIMARY KEY,
    actor      TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    verb       TEXT NOT NULL,
    target     TEXT NOT NULL,
    digest     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (actor, client_id)
);

CREATE TABLE computers (
    id             TEXT PRIMARY KEY,
    workspace_id   TEXT NOT NULL REFERENCES workspaces (id),
    name           TEXT NOT NULL,
    machine        TEXT,
    epoch          INTEGER NOT NULL DEFAULT 0,
    host           TEXT,
    os             TEXT,
    daemon_version TEXT,
    runtimes       TEXT NOT NULL DEFAULT '[]',
    beat_every     INTEGER NOT NULL DEFAULT 3000,
    max_runs       INTEGER NOT NULL DEFAULT 20,
    draining       INTEGER NOT NULL DEFAULT 0,
    is_offline     INTEGER NOT NULL DEFAULT 1,
    last_seen_at   INTEGER,
    created_at     INTEGER NOT NULL,
    revoked_at     INTEGER
);
CREATE UNIQUE INDEX computers_name ON computers (workspace_id, name) WHERE revoked_at IS NULL;
CREATE INDEX computers_online ON computers (last_seen_at) WHERE is_offline = 0;

CREATE TABLE accounts (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    computer_id  TEXT NOT NULL REFERENCES computers (id),
    runtime      TEXT NOT NULL,
    label        TEXT NOT NULL,
    bin          TEXT,
    home         TEXT,
    env          TEXT NOT NULL DEFAULT '{}',
    args         TEXT NOT NULL DEFAULT '[]',
    disabled     INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    UNIQUE (computer_id, runtime, label)
);

CREATE TABLE agents (
    workspace_id    TEXT NOT NULL REFERENCES workspaces (id),
    key             TEXT NOT NULL,
    display_name    TEXT NOT NULL,
    description     TEXT NOT NULL DEFAULT '',
    runtime         TEXT NOT NULL,
    computer_id     TEXT REFERENCES computers (id),
    command         TEXT,
    command_allowed INTEGER NOT NULL DEFAULT 0,
    cwd             TEXT,
    model           TEXT,
    effort          TEXT,
    instructions    TEXT NOT NULL DEFAULT '',
    account_id      TEXT REFERENCES accounts (id),
    concurrency     INTEGER NOT NULL DEFAULT 4,
    max_duration    INTEGER,
    enabled         INTEGER NOT NULL DEFAULT 1,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, key)
);
CREATE INDEX agents_of_computer ON agents (computer_id) WHERE computer_id IS NOT NULL;

-- A lane is (topic, agent): one delivery of it is open at a time, the others wait their turn (`waits`).
CREATE TABLE deliveries (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    room_id      TEXT NOT NULL,
    topic_id     INTEGER NOT NULL REFERENCES topics (id),
    message_id   INTEGER NOT NULL REFERENCES messages (id),
    agent        TEXT NOT NULL,
    reason       TEXT NOT NULL,
    status       TEXT NOT NULL
        CHECK (status IN ('pending', 'claimed', 'acked', 'failed', 'interrupted', 'cancelled', 'dead')),
    waits        INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    not_before   INTEGER NOT NULL,
    lease_id     TEXT,
    lease_until  INTEGER,
    fence        INTEGER NOT NULL DEFAULT 0,
    started      INTEGER NOT NULL DEFAULT 0,
    computer_id  TEXT,
    run_id       INTEGER,
    fresh        INTEGER NOT NULL DEFAULT 0,
    chain_id     INTEGER NOT NULL,
    hop          INTEGER NOT NULL DEFAULT 0,
    prompt       TEXT,
    error        TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (message_id, agent),
    CHECK (status <> 'claimed' OR (lease_id IS NOT NULL AND lease_until IS NOT NULL AND computer_id IS NOT NULL)),
    CHECK (status = 'claimed' OR started = 0),
    CHECK (status = 'pending' OR waits = 0)
);
CREATE UNIQUE INDEX deliveries_open ON deliveries (topic_id, agent)
    WHERE status = 'claimed' OR (status = 'pending' AND waits = 0);
-- `waits` is in it so that a planner without statistics prefers it to `deliveries_of_agent`, which holds all of history.
CREATE INDEX deliveries_ready ON deliveries (agent, waits, id) WHERE status = 'pending' AND waits = 0;
CREATE INDEX deliveries_lane ON deliveries (topic_id, agent, id) WHERE status = 'pending';
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE status = 'claimed' AND started = 0;
CREATE INDEX deliveries_held_by ON deliveries (computer_id, agent) WHERE status = 'claimed';
CREATE INDEX deliveries_ended ON deliveries (workspace_id, status, id)
    WHERE status IN ('failed', 'interrupted', 'cancelled', 'dead');
CREATE INDEX deliveries_of_agent ON deliveries (agent, message_id);
CREATE INDEX deliveries_of_room ON deliveries (room_id, id);

-- Messages that joined a waiting delivery as part of one burst.
CREATE TABLE delivery_messages (
    delivery_id INTEGER NOT NULL REFERENCES deliveries (id),
    message_id  INTEGER NOT NULL REFERENCES messages (id),
    PRIMARY KEY (delivery_id, message_id)
) WITHOUT ROWID;
CREATE INDEX delivery_messages_by_message ON delivery_messages (message_id);

-- What was addressed to an agent and made no delivery of its own: muted, periodic, or part of a burst.
CREATE TABLE inbox (
    workspace_id TEXT NOT NULL,
    agent        TEXT NOT NULL,
    message_id   INTEGER NOT NULL REFERENCES messages (id),
    reason       TEXT NOT NULL,
    PRIMARY KEY (workspace_id, agent, message_id)
) WITHOUT ROWID;

CREATE TABLE sessions (
    id             TEXT PRIMARY KEY,
    workspace_id   TEXT NOT NULL REFERENCES workspaces (id),
    topic_id       INTEGER NOT NULL REFERENCES topics (id),
    agent          TEXT NOT NULL,
    computer_id    TEXT,
    generation     INTEGER NOT NULL DEFAULT 1,
    native_session TEXT,
    seen_message   INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    UNIQUE (topic_id, agent, generation)
);

CREATE TABLE runs (
    id            INTEGER PRIMARY KEY,
    workspace_id  TEXT NOT NULL REFERENCES workspaces (id),
    room_id       TEXT NOT NULL REFERENCES rooms (id),
    topic_id      INTEGER NOT NULL REFERENCES topics (id),
    message_id    INTEGER,
    delivery_id   INTEGER REFERENCES deliveries (id),
    agent         TEXT NOT NULL,
    computer_id   TEXT,
    session_id    TEXT NOT NULL REFERENCES sessions (id),
    status        TEXT NOT NULL CHECK (status IN ('starting', 'running', 'waiting', 'paused', 'succeeded', 'failed',
                                                  'cancelled', 'interrupted', 'dry_run')),
    lease_id      TEXT,
    fence         INTEGER,
    pid           INTEGER,
    exit_code     INTEGER,
    signal        TEXT,
    error_kind    TEXT,
    error         TEXT,
    stderr        TEXT,
    restart_of    INTEGER,
    wanted        TEXT CHECK (wanted IN ('stop', 'kill', 'restart')),
    wanted_by     TEXT,
    stalled_since INTEGER,
    result        TEXT,
    posted        INTEGER NOT NULL DEFAULT 0,
    last_seq      INTEGER NOT NULL DEFAULT 0,
    last_source   INTEGER,
    usage         TEXT,
    prompt        TEXT,
    profile       TEXT,
    created_at    INTEGER NOT NULL,
    started_at    INTEGER,
    ended_at      INTEGER,
    last_event_at INTEGER
);
CREATE UNIQUE INDEX runs_live ON runs (topic_id, agent)
    WHERE status IN ('starting', 'running', 'waiting', 'paused');
CREATE INDEX runs_live_on ON runs (computer_id) WHERE status IN ('starting', 'running', 'waiting', 'paused');
CREATE INDEX runs_of_delivery ON runs (delivery_id, id);
CREATE INDEX runs_of_workspace ON runs (workspace_id, id);
CREATE INDEX runs_of_agent ON runs (workspace_id, agent, id);
CREATE INDEX runs_of_session ON runs (session_id, id);
CREATE INDEX runs_of_topic ON runs (topic_id, id);

CREATE TABLE run_events (
    run_id INTEGER NOT NULL REFERENCES runs (id),
    seq    INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    lane   TEXT NOT NULL DEFAULT 'main',
    text   TEXT,
    data   TEXT NOT NULL DEFAULT '{}',
    source INTEGER,
    PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;

-- `key` is the program's own id of the request, so that a repeat is the same interaction.
CREATE TABLE interactions (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    room_id      TEXT NOT NULL REFERENCES rooms (id),
    topic_id     INTEGER NOT NULL REFERENCES topics (id),
    run_id       INTEGER,
    chain_id     INTEGER,
    key          TEXT NOT NULL,
    agent        TEXT,
    kind         TEXT NOT NULL CHECK (kind IN ('approval', 'question', 'plan')),
    status       TEXT NOT NULL CHECK (status IN ('pending', 'answered', 'applied', 'expired', 'cancelled')),
    title        TEXT NOT NULL,
    body         TEXT NOT NULL DEFAULT '',
    options      TEXT NOT NULL DEFAULT '[]',
    hash         TEXT NOT NULL,
    held         TEXT NOT NULL DEFAULT '[]',
    answer       TEXT,
    answered_by  TEXT,
    message_id   INTEGER,
    created_at   INTEGER NOT NULL,
    answered_at  INTEGER,
    UNIQUE (run_id, key),
    CHECK ((status IN ('answered', 'applied')) = (answer IS NOT NULL))
);
CREATE INDEX interactions_pending ON interactions (workspace_id, id) WHERE status = 'pending';
CREATE UNIQUE INDEX interactions_of_chain ON interactions (chain_id) WHERE status = 'pending' AND chain_id IS NOT NULL;
CREATE INDEX interactions_of_topic ON interactions (topic_id, id);

-- Durable orders to a computer, given out until reported done.
CREATE TABLE commands (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    computer_id  TEXT NOT NULL REFERENCES computers (id),
    kind         TEXT NOT NULL CHECK (kind IN ('kill', 'stop', 'steer', 'answer')),
    run_id       INTEGER,
    data         TEXT NOT NULL DEFAULT '{}',
    created_at   INTEGER NOT NULL,
    done_at      INTEGER,
    ok           INTEGER,
    detail       TEXT
);
CREATE INDEX commands_open ON commands (computer_id, id) WHERE done_at IS NULL;
CREATE INDEX commands_of_run ON commands (run_id, id);

CREATE TABLE debates (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    room_id      TEXT NOT NULL REFERENCES rooms (id),
    topic_id     INTEGER NOT NULL UNIQUE REFERENCES topics (id),
    a            TEXT NOT NULL,
    b            TEXT NOT NULL,
    turns        INTEGER NOT NULL,
    taken        INTEGER NOT NULL DEFAULT 0,
    status       TEXT NOT NULL CHECK (status IN ('running', 'finished', 'stopped')),
    created_at   INTEGER NOT NULL
);

-- The workspace log. Positions follow commit order without holes.
CREATE TABLE events (
    workspace_id TEXT NOT NULL,
    position     INTEGER NOT NULL,
    room_id      TEXT,
    audience     TEXT,
    kind         TEXT NOT NULL,
    at           INTEGER NOT NULL,
    data         TEXT NOT NULL,
    PRIMARY KEY (workspace_id, position)
) WITHOUT ROWID;

-- Each row is chained to the one before by an HMAC under the key file, so that a change shows.
CREATE TABLE audit (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    at           INTEGER NOT NULL,
    actor        TEXT NOT NULL,
    action       TEXT NOT NULL,
    target       TEXT NOT NULL,
    detail       TEXT NOT NULL DEFAULT '{}',
    hash         TEXT NOT NULL
);
CREATE INDEX audit_of ON audit (workspace_id, id);

CREATE TABLE files (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    room_id      TEXT,
    run_id       INTEGER,
    name         TEXT NOT NULL,
    title        TEXT NOT NULL DEFAULT '',
    mime         TEXT NOT NULL,
    size         INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER
);
CREATE INDEX files_of ON files (workspace_id, created_at);
CREATE INDEX files_content ON files (sha256);
CREATE INDEX files_expiring ON files (expires_at) WHERE expires_at IS NOT NULL;

-- Chores that exactly one server does at a time.
CREATE TABLE leaders (
    chore      TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    held_until INTEGER NOT NULL
);

-- Who may see a room: admins of its workspace, everyone in the workspace when it is open, its members, and the computers
-- of agents that are in it.
CREATE VIEW room_viewers AS
    SELECT id AS room_id, 'admin' AS kind, workspace_id AS principal FROM rooms
    UNION ALL
    SELECT id, 'workspace', workspace_id FROM rooms WHERE visibility = 'workspace'
    UNION ALL
    SELECT room_id, kind, principal FROM members
    UNION ALL
    SELECT m.room_id, 'computer', a.computer_id
      FROM members m
      JOIN rooms r ON r.id = m.room_id
      JOIN agents a ON a.workspace_id = r.workspace_id AND a.key = m.principal
     WHERE m.kind = 'agent' AND a.computer_id IS NOT NULL;
