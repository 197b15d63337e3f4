-- Terminals on computers. What they print is in no table: it lies on its computer, and in the memory of the server that
-- shows it.
CREATE TABLE terminals (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    room_id      TEXT NOT NULL REFERENCES rooms (id),
    topic_id     INTEGER NOT NULL REFERENCES topics (id),
    computer_id  TEXT NOT NULL REFERENCES computers (id),
    agent        TEXT,
    kind         TEXT NOT NULL CHECK (kind IN ('shell', 'agent')),
    folder       TEXT,
    cols         INTEGER NOT NULL,
    rows         INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('opening', 'open', 'closing', 'closed', 'failed')),
    reason       TEXT,
    exit         INTEGER,
    opened_by    TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    opened_at    INTEGER,
    closed_at    INTEGER,
    last_used_at INTEGER NOT NULL,
    CHECK (kind = 'shell' OR agent IS NOT NULL),
    CHECK ((state IN ('closed', 'failed')) = (closed_at IS NOT NULL))
);
CREATE INDEX terminals_of ON terminals (topic_id, created_at, id);
CREATE INDEX terminals_live ON terminals (computer_id) WHERE state IN ('opening', 'open', 'closing');
-- One of an agent in a topic at most: it holds the lane, as a run does.
CREATE UNIQUE INDEX terminals_lane ON terminals (topic_id, agent)
    WHERE kind = 'agent' AND state IN ('opening', 'open', 'closing');

-- Computers are ordered to open and to close them. SQLite changes no CHECK, so the table is made anew.
CREATE TABLE commands_new (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    computer_id  TEXT NOT NULL REFERENCES computers (id),
    kind         TEXT NOT NULL CHECK (kind IN ('kill', 'stop', 'steer', 'answer', 'set_aside', 'rebuild', 'probe',
                                               'terminal_open', 'terminal_close')),
    run_id       INTEGER,
    data         TEXT NOT NULL DEFAULT '{}',
    created_at   INTEGER NOT NULL,
    done_at      INTEGER,
    ok           INTEGER,
    detail       TEXT
);
INSERT INTO commands_new (id, workspace_id, computer_id, kind, run_id, data, created_at, done_at, ok, detail)
SELECT id, workspace_id, computer_id, kind, run_id, data, created_at, done_at, ok, detail FROM commands;
DROP TABLE commands;
ALTER TABLE commands_new RENAME TO commands;
CREATE INDEX commands_open ON commands (computer_id, id) WHERE done_at IS NULL;
CREATE INDEX commands_of_run ON commands (run_id, id);
