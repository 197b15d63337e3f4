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
    found_at    BIGINT,
    tried_at    BIGINT NOT NULL,
    error       TEXT,
    PRIMARY KEY (computer_id, runtime, account, agent, folder, kind),
    CHECK ((data IS NULL) = (found_at IS NULL)),
    CHECK (data IS NOT NULL OR error IS NOT NULL)
);

-- A computer can be ordered to look at its programs, too.
ALTER TABLE commands DROP CONSTRAINT commands_kind_check;
ALTER TABLE commands ADD CONSTRAINT commands_kind_check CHECK (kind IN ('kill', 'stop', 'steer', 'answer', 'set_aside', 'rebuild', 'probe'));
