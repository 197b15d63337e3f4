-- Files: artifacts and attachments. The bytes lie under their hash beside the database.

-- name: insert(id, workspace_id, room_id, run_id, name, title, mime, size, sha256, created_by, now, expires_at)
INSERT INTO files (id, workspace_id, room_id, run_id, name, title, mime, size, sha256, created_by, created_at, expires_at)
VALUES (:id, :workspace_id, :room_id, :run_id, :name, :title, :mime, :size, :sha256, :created_by, :now, :expires_at);

-- name: get(id)
SELECT id, workspace_id, room_id, run_id, name, title, mime, size, sha256, created_by, created_at, expires_at, revoked_at
  FROM files
 WHERE id = :id;

-- name: by_prefix(workspace_id, pattern)
SELECT id FROM files WHERE workspace_id = :workspace_id AND id LIKE :pattern ORDER BY id LIMIT 6;

-- name: list_page(workspace_id, pattern, room_id, run_id, mime, state, now, at, id, limit)
-- Empty and 0 leave a filter out.
SELECT id, workspace_id, room_id, run_id, name, title, mime, size, sha256, created_by, created_at, expires_at, revoked_at
  FROM files
 WHERE workspace_id = :workspace_id AND (created_at, id) < (:at, :id)
   AND (LOWER(name) LIKE :pattern ESCAPE '!' OR LOWER(title) LIKE :pattern ESCAPE '!')
   AND (:room_id = '' OR room_id = :room_id) AND (:run_id = 0 OR run_id = :run_id) AND mime LIKE :mime ESCAPE '!'
   AND (:state = '' OR (:state = 'live') = (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)))
 ORDER BY created_at DESC, id DESC
 LIMIT :limit;

-- name: of_run(workspace_id, run_id, since)
-- What a run uploaded is no older than the run, which is what the index knows.
SELECT id, workspace_id, room_id, run_id, name, title, mime, size, sha256, created_by, created_at, expires_at, revoked_at
  FROM files
 WHERE workspace_id = :workspace_id AND created_at >= :since AND run_id = :run_id AND revoked_at IS NULL
 ORDER BY created_at, id
 LIMIT 50;

-- name: move(id, room_id)
UPDATE files SET room_id = :room_id WHERE id = :id AND room_id IS NULL;

-- name: revoke(id, now)
UPDATE files SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: ended(workspace_id, now, limit)
SELECT id, sha256, room_id
  FROM files
 WHERE workspace_id = :workspace_id AND (revoked_at IS NOT NULL OR expires_at <= :now)
 ORDER BY id
 LIMIT :limit;

-- name: delete(id)
DELETE FROM files WHERE id = :id;

-- name: is_used(sha256)
SELECT 1 AS yes FROM files WHERE sha256 = :sha256 LIMIT 1;
