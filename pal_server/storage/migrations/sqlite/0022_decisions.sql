-- What was settled in a project, and the texts its runs are told. Where a decision was proposed may go with its room; the
-- decision stays.
CREATE TABLE decisions (
    id             INTEGER PRIMARY KEY,
    workspace_id   TEXT NOT NULL REFERENCES workspaces (id),
    project_id     TEXT NOT NULL REFERENCES projects (id),
    number         INTEGER NOT NULL,
    title          TEXT NOT NULL,
    rationale      TEXT NOT NULL DEFAULT '',
    status         TEXT NOT NULL CHECK (status IN ('proposed', 'approved', 'rejected', 'superseded')),
    proposed_by    TEXT NOT NULL,
    proposer       TEXT NOT NULL,
    supersedes     INTEGER,
    superseded_by  INTEGER,
    decided_by     TEXT,
    decided_at     INTEGER,
    reason         TEXT,
    room_id        TEXT REFERENCES rooms (id),
    topic_id       INTEGER REFERENCES topics (id),
    message_id     INTEGER REFERENCES messages (id),
    interaction_id INTEGER REFERENCES interactions (id),
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    UNIQUE (project_id, number),
    CHECK ((status = 'proposed') = (decided_at IS NULL))
);
CREATE INDEX decisions_of_room ON decisions (room_id) WHERE room_id IS NOT NULL;

-- The card of a decision is answered as every approval is.
ALTER TABLE interactions ADD COLUMN decision_id INTEGER REFERENCES decisions (id);

-- Context documents by name.
CREATE TABLE docs (
    project_id  TEXT NOT NULL REFERENCES projects (id),
    name        TEXT NOT NULL,
    content     TEXT NOT NULL,
    inject      INTEGER NOT NULL DEFAULT 1,
    written_by  TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    archived_at INTEGER,
    PRIMARY KEY (project_id, name)
);
