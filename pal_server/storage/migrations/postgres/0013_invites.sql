-- Invites let somebody join a room without being a user. Of the link's token there is only its hash; who joined is a guest
-- with a credential of their own (a token of the kind invite, whose subject is the guest), which is good while both are.
CREATE TABLE invites (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    room_id      TEXT NOT NULL REFERENCES rooms (id),
    hash         TEXT NOT NULL UNIQUE,
    created_by   TEXT NOT NULL REFERENCES users (id),
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    uses         BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX invites_of ON invites (workspace_id, created_at, id);

-- `folded` is the name as it is compared; of those who have not left, one has it.
CREATE TABLE guests (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    room_id      TEXT NOT NULL REFERENCES rooms (id),
    invite_id    TEXT NOT NULL REFERENCES invites (id),
    name         TEXT NOT NULL,
    folded       TEXT NOT NULL,
    joined_at    BIGINT NOT NULL,
    left_at      BIGINT
);
CREATE UNIQUE INDEX guests_here ON guests (room_id, folded) WHERE left_at IS NULL;

-- A room may be for a while: at `expires_at` it goes with all that was said, and `ended_at` says that it is gone.
ALTER TABLE rooms ADD COLUMN expires_at BIGINT;
ALTER TABLE rooms ADD COLUMN ended_at BIGINT;
CREATE INDEX rooms_expiring ON rooms (expires_at) WHERE expires_at IS NOT NULL AND ended_at IS NULL;

DROP VIEW room_viewers;
CREATE VIEW room_viewers AS
    SELECT id AS room_id, 'admin' AS kind, workspace_id AS principal FROM rooms WHERE ended_at IS NULL
    UNION ALL
    SELECT id, 'workspace', workspace_id FROM rooms WHERE visibility = 'workspace' AND ended_at IS NULL
    UNION ALL
    SELECT room_id, kind, principal FROM members
    UNION ALL
    SELECT m.room_id, 'computer', a.computer_id
      FROM members m
      JOIN rooms r ON r.id = m.room_id
      JOIN agents a ON a.workspace_id = r.workspace_id AND a.key = m.principal
     WHERE m.kind = 'agent' AND a.computer_id IS NOT NULL;
