-- A person's webhook, with the key it signs with, sealed; and what waits to be told to it. `position` is up to where it
-- has read the log.
CREATE TABLE webhooks (
    user_id      TEXT PRIMARY KEY REFERENCES users (id),
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    url          TEXT NOT NULL,
    sealed       TEXT NOT NULL,
    needs        INTEGER NOT NULL,
    mentions     INTEGER NOT NULL,
    runs         INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    error        TEXT,
    failed_at    INTEGER
);
CREATE INDEX webhooks_of ON webhooks (workspace_id, position);

CREATE TABLE webhook_posts (
    id         INTEGER PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES webhooks (user_id),
    event      INTEGER NOT NULL,
    body       TEXT NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (user_id, event)
);
CREATE INDEX webhook_posts_due ON webhook_posts (not_before);
