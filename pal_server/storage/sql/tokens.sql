-- Tokens: credentials, by the hash of their secret.

-- name: insert(id, workspace_id, kind, hash, name, subject, scopes, created_by, now, expires_at)
INSERT INTO tokens (id, workspace_id, kind, hash, name, subject, scopes, created_by, created_at, expires_at)
VALUES (:id, :workspace_id, :kind, :hash, :name, :subject, :scopes, :created_by, :now, :expires_at);

-- name: find_live(hash, now)
SELECT id, workspace_id, kind, name, subject, scopes, created_by, created_at, expires_at, last_used_at, revoked_at
  FROM tokens
 WHERE hash = :hash AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now);

-- name: is_struck_off(hash)
-- The key of a computer that was revoked, whether or not it was its newest one.
SELECT 1 FROM tokens t JOIN computers c ON c.id = t.subject
 WHERE t.hash = :hash AND t.kind = 'computer' AND c.revoked_at IS NOT NULL;

-- name: user_of(workspace_id, user_id)
SELECT u.id, u.username, u.display_name, m.role
  FROM users u JOIN memberships m ON m.user_id = u.id
 WHERE u.id = :user_id AND m.workspace_id = :workspace_id AND u.disabled = 0;

-- name: computer_of(computer_id)
SELECT id, name FROM computers WHERE id = :computer_id AND revoked_at IS NULL;

-- name: run_of(run_id)
-- A token dies with its run, also when revoking it was forgotten.
SELECT r.id, r.agent, r.room_id, r.topic_id, r.computer_id, a.display_name
  FROM runs r JOIN agents a ON a.workspace_id = r.workspace_id AND a.key = r.agent
 WHERE r.id = :run_id AND r.status IN ('starting', 'running', 'waiting', 'paused');

-- name: get(workspace_id, id)
SELECT id, workspace_id, kind, name, subject, scopes, created_by, created_at, expires_at, last_used_at, revoked_at
  FROM tokens
 WHERE workspace_id = :workspace_id AND id = :id;

-- name: by_prefix(workspace_id, pattern)
SELECT id FROM tokens WHERE workspace_id = :workspace_id AND id LIKE :pattern ORDER BY id LIMIT 6;

-- name: list_page(workspace_id, at, id, limit)
-- Tokens of runs and log-in links come and go by themselves.
SELECT id, workspace_id, kind, name, subject, scopes, created_by, created_at, expires_at, last_used_at, revoked_at
  FROM tokens
 WHERE workspace_id = :workspace_id AND kind NOT IN ('run', 'code') AND (created_at, id) < (:at, :id)
 ORDER BY created_at DESC, id DESC
 LIMIT :limit;

-- name: list_page_of(workspace_id, subject, at, id, limit)
SELECT id, workspace_id, kind, name, subject, scopes, created_by, created_at, expires_at, last_used_at, revoked_at
  FROM tokens
 WHERE workspace_id = :workspace_id AND kind IN ('user', 'session', 'bridge') AND subject = :subject
   AND (created_at, id) < (:at, :id)
 ORDER BY created_at DESC, id DESC
 LIMIT :limit;

-- name: revoke(id, now)
-- No row changed means that it was revoked before: a code works once.
UPDATE tokens SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: set_hash(id, hash)
-- Another secret for a token whose first one nobody heard.
UPDATE tokens SET hash = :hash WHERE id = :id AND revoked_at IS NULL;

-- name: revoke_of(workspace_id, kind, subject, except_id, now)
UPDATE tokens
   SET revoked_at = :now
 WHERE workspace_id = :workspace_id AND kind = :kind AND subject = :subject AND id <> :except_id
   AND revoked_at IS NULL;

-- name: touch(id, at)
UPDATE tokens SET last_used_at = :at WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at);

-- name: forget(before)
-- Sessions, codes, tokens of runs and of the server's own bridges that ended long ago; the audit log keeps what happened.
DELETE FROM tokens
 WHERE (kind IN ('run', 'code', 'session') OR (kind = 'bridge' AND created_by = 'system:pal'))
   AND (revoked_at < :before OR expires_at < :before);

-- name: revoke_made_by(workspace_id, kind, created_by, name, now)
UPDATE tokens
   SET revoked_at = :now
 WHERE workspace_id = :workspace_id AND kind = :kind AND created_by = :created_by AND name = :name AND revoked_at IS NULL;
