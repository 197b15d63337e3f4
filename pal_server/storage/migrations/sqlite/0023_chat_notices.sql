-- What a person is told in a chat outside, and by which bot. `chat` is them as that bot's platform is written to, `position`
-- up to where the log was read for them; `told` and `held` count what was told singly since `window_at`, and what was not.
CREATE TABLE chat_notices (
    user_id      TEXT PRIMARY KEY REFERENCES users (id),
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    bot_id       TEXT NOT NULL REFERENCES bots (id),
    identity_id  TEXT NOT NULL,
    chat         TEXT NOT NULL,
    needs        INTEGER NOT NULL,
    mentions     INTEGER NOT NULL,
    runs         INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    window_at    INTEGER NOT NULL,
    told         INTEGER NOT NULL DEFAULT 0,
    held         INTEGER NOT NULL DEFAULT 0,
    newest_key   TEXT NOT NULL,
    created_at   INTEGER NOT NULL
);
CREATE INDEX chat_notices_of ON chat_notices (workspace_id, position);
