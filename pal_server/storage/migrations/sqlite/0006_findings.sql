-- What a daemon found out of programs on its computer: the newest of each kind, kept while a later look fails. `account` is
-- empty for the program's usual login, `agent` and `folder` for what is the same wherever its agents work.
CREATE TABLE findings (
    computer_id TEXT NOT NULL REFERENCES computers (id),
    runtime     TEXT NOT NULL,
    account     TEXT NOT NULL,
    agent       TEXT NOT NULL,
    folder      TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('login', 'models', 'quota', 'commands', 'skills', 'servers')),
    data        TEXT,
    found_at    INTEGER,
    tried_at    INTEGER NOT NULL,
    error       TEXT,
    PRIMARY KEY (computer_id, runtime, account, agent, folder, kind),
    CHECK ((data IS NULL) = (found_at IS NULL)),
    CHECK (data IS NOT NULL OR error IS NOT NULL)
);

-- A computer can be ordered to look at its programs, too. SQLite changes no CHECK, so the table is made anew.
CREATE TABLE commands_new (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    computer_id  TEXT NOT NULL REFERENCES computers (id),
    kind         TEXT NOT NULL CHECK (kind IN ('kill', 'stop', 'steer', 'answer', 'set_aside', 'rebuild', 'probe')),
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
