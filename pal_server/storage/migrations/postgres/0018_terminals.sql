-- Terminals on computers. What they print is in no table: it lies on its computer, and in the memory of the server that
-- shows it.
CREATE TABLE terminals (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    room_id      TEXT NOT NULL REFERENCES rooms (id),
    topic_id     BIGINT NOT NULL REFERENCES topics (id),
    computer_id  TEXT NOT NULL REFERENCES computers (id),
    agent        TEXT,
    kind         TEXT NOT NULL CHECK (kind IN ('shell', 'agent')),
    folder       TEXT,
    cols         BIGINT NOT NULL,
    rows         BIGINT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('opening', 'open', 'closing', 'closed', 'failed')),
    reason       TEXT,
    exit         BIGINT,
    opened_by    TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    opened_at    BIGINT,
    closed_at    BIGINT,
    last_used_at BIGINT NOT NULL,
    CHECK (kind = 'shell' OR agent IS NOT NULL),
    CHECK ((state IN ('closed', 'failed')) = (closed_at IS NOT NULL))
);
CREATE INDEX terminals_of ON terminals (topic_id, created_at, id);
CREATE INDEX terminals_live ON terminals (computer_id) WHERE state IN ('opening', 'open', 'closing');
-- One of an agent in a topic at most: it holds the lane, as a run does.
CREATE UNIQUE INDEX terminals_lane ON terminals (topic_id, agent)
    WHERE kind = 'agent' AND state IN ('opening', 'open', 'closing');

-- Computers are ordered to open and to close them.
ALTER TABLE commands DROP CONSTRAINT commands_kind_check;
ALTER TABLE commands ADD CONSTRAINT commands_kind_check
    CHECK (kind IN ('kill', 'stop', 'steer', 'answer', 'set_aside', 'rebuild', 'probe', 'terminal_open', 'terminal_close'));
