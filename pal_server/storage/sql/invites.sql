-- Invites by the hash of their token, and who joined by them.

-- name: insert(id, workspace_id, room_id, hash, created_by, now, expires_at)
INSERT INTO invites (id, workspace_id, room_id, hash, created_by, created_at, expires_at)
VALUES (:id, :workspace_id, :room_id, :hash, :created_by, :now, :expires_at);

-- name: by_hash(hash)
SELECT id, workspace_id, room_id, created_by, created_at, expires_at, revoked_at, uses FROM invites WHERE hash = :hash;

-- name: get(workspace_id, id)
SELECT id, workspace_id, room_id, created_by, created_at, expires_at, revoked_at, uses
  FROM invites
 WHERE workspace_id = :workspace_id AND id = :id;

-- name: list_page(workspace_id, created_by, at, id, limit)
-- Of one user, or of everybody when created_by is empty.
SELECT id, workspace_id, room_id, created_by, created_at, expires_at, revoked_at, uses
  FROM invites
 WHERE workspace_id = :workspace_id AND (:created_by = '' OR created_by = :created_by) AND (created_at, id) < (:at, :id)
 ORDER BY created_at DESC, id DESC
 LIMIT :limit;

-- name: set_hash(id, hash)
-- Another token for an invite whose first one nobody heard.
UPDATE invites SET hash = :hash WHERE id = :id AND revoked_at IS NULL AND uses = 0;

-- name: revoke(id, now)
UPDATE invites SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: note_use(id)
UPDATE invites SET uses = uses + 1 WHERE id = :id;

-- name: join(id, workspace_id, room_id, invite_id, name, folded, now)
INSERT INTO guests (id, workspace_id, room_id, invite_id, name, folded, joined_at)
VALUES (:id, :workspace_id, :room_id, :invite_id, :name, :folded, :now);

-- name: guest_named(room_id, folded)
SELECT g.id, g.room_id, g.invite_id, g.name, g.joined_at, t.last_used_at AS seen_at
  FROM guests g LEFT JOIN tokens t ON t.kind = 'invite' AND t.subject = g.id AND t.workspace_id = g.workspace_id
 WHERE g.room_id = :room_id AND g.folded = :folded AND g.left_at IS NULL;

-- name: guests_of_invite(invite_id)
SELECT id, room_id FROM guests WHERE invite_id = :invite_id AND left_at IS NULL ORDER BY id;

-- name: count_guests(room_id)
SELECT COUNT(*) AS many FROM guests WHERE room_id = :room_id AND left_at IS NULL;

-- name: leave(id, now)
UPDATE guests SET left_at = :now WHERE id = :id AND left_at IS NULL;

-- name: good_guest(id, now)
-- Who a guest's credential stands for, while the guest has not left, the invite is good, who made it is no stranger, and the
-- room is there.
SELECT g.id, g.name, g.room_id
  FROM guests g
  JOIN invites i ON i.id = g.invite_id
  JOIN users u ON u.id = i.created_by
  JOIN rooms r ON r.id = g.room_id
 WHERE g.id = :id AND g.left_at IS NULL AND i.revoked_at IS NULL AND (i.expires_at IS NULL OR i.expires_at > :now)
   AND u.disabled = 0 AND r.ended_at IS NULL AND (r.expires_at IS NULL OR r.expires_at > :now);
