-- name: add
INSERT INTO topics (room_id, title, is_default, is_placeholder, created_by, created_at)
VALUES (:room_id, :title, :is_default, :is_placeholder, :created_by, :now)
RETURNING id;

-- name: by_id
SELECT t.*, r.workspace_id FROM topics t JOIN rooms r ON r.id = t.room_id
 WHERE t.id = :id AND r.workspace_id = :workspace_id;

-- name: page
SELECT * FROM topics WHERE room_id = :room_id AND id > :after ORDER BY id LIMIT :limit;

-- name: change
UPDATE topics SET title = :title, is_placeholder = :is_placeholder, archived_at = :archived_at WHERE id = :id;

-- name: touch
UPDATE topics SET last_message_at = :now WHERE id = :id;

-- name: speak
UPDATE topics SET last_message_at = :now
 WHERE id = :id AND room_id = :room_id AND archived_at IS NULL
RETURNING *;
