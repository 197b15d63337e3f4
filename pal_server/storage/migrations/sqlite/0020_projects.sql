-- A project is what rooms are about. Its counters give codes (T-n, D-n, R-n) and never go back: a code means one thing for
-- ever.
CREATE TABLE projects (
    id               TEXT PRIMARY KEY,
    workspace_id     TEXT NOT NULL REFERENCES workspaces (id),
    key              TEXT NOT NULL,
    name             TEXT NOT NULL,
    goal             TEXT NOT NULL DEFAULT '',
    rules            TEXT NOT NULL DEFAULT '[]',
    tech_stack       TEXT NOT NULL DEFAULT '[]',
    default_room     TEXT NOT NULL REFERENCES rooms (id),
    next_task        INTEGER NOT NULL DEFAULT 1,
    next_decision    INTEGER NOT NULL DEFAULT 1,
    next_requirement INTEGER NOT NULL DEFAULT 1,
    created_by       TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    archived_at      INTEGER,
    UNIQUE (workspace_id, key)
);

ALTER TABLE rooms ADD COLUMN project_id TEXT REFERENCES projects (id);
CREATE INDEX rooms_of_project ON rooms (project_id) WHERE project_id IS NOT NULL;
