-- People in control: messages told to a run that works, and the order of what waits.

-- What a message does when its agent is at work: wait, be told to the run, or stop it.
ALTER TABLE rooms ADD COLUMN busy TEXT NOT NULL DEFAULT 'queue' CHECK (busy IN ('queue', 'steer', 'interrupt'));

-- `steered_into` is the live run that was offered the words and, once they are read, the run that has them. What is ahead
-- goes before older ones of its lane.
ALTER TABLE deliveries ADD COLUMN steered_into INTEGER;
ALTER TABLE deliveries ADD COLUMN read_step INTEGER;
ALTER TABLE deliveries ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_steered ON deliveries (steered_into) WHERE steered_into IS NOT NULL;
CREATE INDEX deliveries_ahead ON deliveries (topic_id, agent, ahead, id) WHERE status = 'pending' AND ahead > 0;

-- What an agent may do without asking a person.
ALTER TABLE agents ADD COLUMN mode TEXT NOT NULL DEFAULT 'ask'
    CHECK (mode IN ('ask', 'accept_edits', 'auto', 'bypass', 'read_only', 'plan'));

-- What was chosen for an agent in one topic, in place of what its profile says.
CREATE TABLE topic_choices (
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    agent    TEXT NOT NULL,
    model    TEXT,
    effort   TEXT,
    mode     TEXT CHECK (mode IN ('ask', 'accept_edits', 'auto', 'bypass', 'read_only', 'plan')),
    PRIMARY KEY (topic_id, agent)
);

-- When a run that waits for a limit goes on, in UTC milliseconds.
ALTER TABLE runs ADD COLUMN resume_at INTEGER;

-- Nobody has named the topic yet: the first run that succeeds in it does.
ALTER TABLE topics ADD COLUMN is_placeholder INTEGER NOT NULL DEFAULT 0;

-- Milliseconds after which an approval nobody has given counts as denied; without it it waits.
ALTER TABLE rooms ADD COLUMN deny_after INTEGER;
ALTER TABLE interactions ADD COLUMN deny_at INTEGER;
CREATE INDEX interactions_overdue ON interactions (deny_at) WHERE status = 'pending' AND deny_at IS NOT NULL;

-- What a person decided once for all requests of exactly this content: of one agent in a topic, of one agent everywhere, or
-- of anybody in a room. `action_hash` is of what was shown.
CREATE TABLE approval_rules (
    id             INTEGER PRIMARY KEY,
    workspace_id   TEXT NOT NULL REFERENCES workspaces (id),
    scope          TEXT NOT NULL CHECK (scope IN ('topic', 'agent', 'project')),
    room_id        TEXT NOT NULL REFERENCES rooms (id),
    topic_id       INTEGER,
    agent          TEXT,
    decision       TEXT NOT NULL CHECK (decision IN ('approve', 'deny')),
    reason         TEXT,
    title          TEXT NOT NULL,
    body           TEXT NOT NULL,
    action_hash    TEXT NOT NULL,
    interaction_id INTEGER NOT NULL,
    made_by        TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    used           INTEGER NOT NULL DEFAULT 0,
    used_at        INTEGER,
    revoked_at     INTEGER,
    CHECK ((scope = 'topic') = (topic_id IS NOT NULL)),
    CHECK ((scope = 'project') = (agent IS NULL))
);
CREATE INDEX approval_rules_of ON approval_rules (workspace_id, action_hash) WHERE revoked_at IS NULL;

-- What a run used, as it said at its end; money in millionths of a dollar. NULL is not known, which is not nothing.
ALTER TABLE runs ADD COLUMN input_tokens INTEGER;
ALTER TABLE runs ADD COLUMN output_tokens INTEGER;
ALTER TABLE runs ADD COLUMN cost_micros INTEGER;
CREATE INDEX runs_ended ON runs (workspace_id, ended_at) WHERE ended_at IS NOT NULL;
