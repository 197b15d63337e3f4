-- Share links, by the hash of their token.

-- name: insert(id, workspace_id, hash, kind, target, rights, may_trigger, created_by, now, expires_at)
INSERT INTO shares (id, workspace_id, hash, kind, target, rights, may_trigger, created_by, created_at, expires_at)
VALUES (:id, :workspace_id, :hash, :kind, :target, :rights, :may_trigger, :created_by, :now, :expires_at);

-- name: by_hash(hash)
SELECT id, workspace_id, kind, target, rights, may_trigger, created_by, created_at, expires_at, revoked_at, uses, last_used_at
  FROM shares
 WHERE hash = :hash;

-- name: get(workspace_id, id)
SELECT id, workspace_id, kind, target, rights, may_trigger, created_by, created_at, expires_at, revoked_at, uses, last_used_at
  FROM shares
 WHERE workspace_id = :workspace_id AND id = :id;

-- name: list_page(workspace_id, created_by, at, id, limit)
-- Of one user, or of everybody when created_by is empty.
SELECT id, workspace_id, kind, target, rights, may_trigger, created_by, created_at, expires_at, revoked_at, uses, last_used_at
  FROM shares
 WHERE workspace_id = :workspace_id AND (:created_by = '' OR created_by = :created_by) AND (created_at, id) < (:at, :id)
 ORDER BY created_at DESC, id DESC
 LIMIT :limit;

-- name: set_hash(id, hash)
-- Another token for a link whose first one nobody heard.
UPDATE shares SET hash = :hash WHERE id = :id AND revoked_at IS NULL AND uses = 0;

-- name: revoke(id, now)
UPDATE shares SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: note_use(id, now)
UPDATE shares SET uses = uses + 1, last_used_at = :now WHERE id = :id;
