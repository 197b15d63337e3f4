-- Orders for runs that have ended: put aside what a dropped one left, read the log of one again. SQLite changes a check
-- by making the table anew.

CREATE TABLE new_commands (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    computer_id  TEXT NOT NULL REFERENCES computers (id),
    kind         TEXT NOT NULL CHECK (kind IN ('kill', 'stop', 'steer', 'answer', 'set_aside', 'rebuild')),
    run_id       INTEGER,
    data         TEXT NOT NULL DEFAULT '{}',
    created_at   INTEGER NOT NULL,
    done_at      INTEGER,
    ok           INTEGER,
    detail       TEXT
);
INSERT INTO new_commands SELECT * FROM commands;
DROP TABLE commands;
ALTER TABLE new_commands RENAME TO commands;
CREATE INDEX commands_open ON commands (computer_id, id) WHERE done_at IS NULL;
CREATE INDEX commands_of_run ON commands (run_id, id);
