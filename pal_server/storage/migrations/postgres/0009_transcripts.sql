-- Versions of plans; where a run's newest list and plan are; logs that are read again from the computer.

-- Of a plan: which of its run, from 1.
ALTER TABLE interactions ADD COLUMN version BIGINT;

-- Numbers of the run's newest events of these kinds.
ALTER TABLE runs ADD COLUMN todo_seq BIGINT;
ALTER TABLE runs ADD COLUMN plan_seq BIGINT;

-- The log of an ended run as its computer reads it again, until all of it is there and takes the place of the stored one.
CREATE TABLE rebuilt_events (
    run_id BIGINT NOT NULL REFERENCES runs (id),
    seq    BIGINT NOT NULL,
    kind   TEXT NOT NULL,
    at     BIGINT NOT NULL,
    lane   TEXT NOT NULL DEFAULT 'main',
    text   TEXT,
    data   TEXT NOT NULL DEFAULT '{}',
    source BIGINT,
    PRIMARY KEY (run_id, seq)
);
