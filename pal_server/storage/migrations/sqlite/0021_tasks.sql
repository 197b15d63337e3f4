-- A task is a topic with a plan; title, room and archiving are the topic's. Its number is the project's, never given again.
CREATE TABLE tasks (
    id                    TEXT PRIMARY KEY,
    workspace_id          TEXT NOT NULL REFERENCES workspaces (id),
    project_id            TEXT NOT NULL REFERENCES projects (id),
    number                INTEGER NOT NULL,
    topic_id              INTEGER NOT NULL UNIQUE REFERENCES topics (id),
    body                  TEXT NOT NULL DEFAULT '',
    acceptance            TEXT NOT NULL DEFAULT '[]',
    verification          TEXT NOT NULL DEFAULT '',
    verification_required INTEGER NOT NULL DEFAULT 0,
    paths                 TEXT NOT NULL DEFAULT '[]',
    "references"          TEXT NOT NULL DEFAULT '[]',
    owner                 TEXT,
    agent                 TEXT,
    type                  TEXT NOT NULL,
    "order"               REAL NOT NULL,
    status                TEXT NOT NULL
        CHECK (status IN ('backlog', 'ready', 'in_progress', 'waiting', 'review', 'done', 'failed', 'cancelled')),
    waiting               TEXT CHECK (waiting IN ('interaction', 'agent_blocked', 'error', 'by_hand')),
    note                  TEXT NOT NULL DEFAULT '',
    last_outcome          TEXT CHECK (last_outcome IN ('succeeded', 'failed', 'cancelled', 'interrupted', 'dead')),
    result                TEXT,
    verified_at           INTEGER,
    is_moved              INTEGER NOT NULL DEFAULT 0,
    seen_run              INTEGER NOT NULL DEFAULT 0,
    created_by            TEXT NOT NULL,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    UNIQUE (project_id, number),
    CHECK ((status = 'waiting') = (waiting IS NOT NULL))
);
CREATE INDEX tasks_in_order ON tasks (workspace_id, number, id);

-- Both are of one project.
CREATE TABLE task_dependencies (
    task_id    TEXT NOT NULL REFERENCES tasks (id),
    depends_on TEXT NOT NULL REFERENCES tasks (id),
    PRIMARY KEY (task_id, depends_on),
    CHECK (task_id <> depends_on)
) WITHOUT ROWID;
CREATE INDEX task_dependents ON task_dependencies (depends_on);

CREATE TABLE task_verifications (
    id         INTEGER PRIMARY KEY,
    task_id    TEXT NOT NULL REFERENCES tasks (id),
    command    TEXT NOT NULL,
    exit_code  INTEGER NOT NULL,
    output     TEXT NOT NULL,
    made_by    TEXT NOT NULL,
    run_id     INTEGER,
    created_at INTEGER NOT NULL
);
CREATE INDEX task_verifications_of ON task_verifications (task_id, id);

-- What could not be started, by topic: a task waits for a person then.
CREATE INDEX deliveries_dead ON deliveries (topic_id) WHERE status = 'dead';
