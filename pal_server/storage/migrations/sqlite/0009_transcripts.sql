-- Versions of plans; where a run's newest list and plan are; logs that are read again from the computer.

-- Of a plan: which of its run, from 1.
ALTER TABLE interactions ADD COLUMN version INTEGER;

-- Numbers of the run's newest events of these kinds.
ALTER TABLE runs ADD COLUMN todo_seq INTEGER;
ALTER TABLE runs ADD COLUMN plan_seq INTEGER;

-- The log of an ended run as its computer reads it again, until all of it is there and takes the place of the stored one.
CREATE TABLE rebuilt_events (
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
