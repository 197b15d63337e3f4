-- Links that show one thing to whoever has them. Of the token there is only its hash; `target` is the id of the thing. Nobody
-- sees more through a link than the user who made it.
CREATE TABLE shares (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    hash         TEXT NOT NULL UNIQUE,
    kind         TEXT NOT NULL CHECK (kind IN ('topic', 'room', 'task', 'file', 'run')),
    target       TEXT NOT NULL,
    rights       TEXT NOT NULL CHECK (rights IN ('view', 'comment')),
    may_trigger  INTEGER NOT NULL DEFAULT 0,
    created_by   TEXT NOT NULL REFERENCES users (id),
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    uses         BIGINT NOT NULL DEFAULT 0,
    last_used_at BIGINT,
    CHECK (rights = 'comment' OR may_trigger = 0)
);
CREATE INDEX shares_of ON shares (workspace_id, created_at, id);
