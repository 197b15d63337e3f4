-- What goes with a room whose time is over. Rows that others point at stay, without words.

-- name: messages
UPDATE messages
   SET content = '', mentions = '[]', unresolved = '[]', files = '[]', card = NULL, deleted_at = COALESCE(deleted_at, :now)
 WHERE room_id = :room_id;

-- name: runs
UPDATE runs SET prompt = NULL, stderr = NULL, error = NULL, result = NULL
 WHERE room_id = :room_id AND status IN ('succeeded', 'failed', 'cancelled', 'interrupted', 'dry_run');

-- name: run_events
DELETE FROM run_events WHERE run_id IN (SELECT id FROM runs WHERE room_id = :room_id);

-- name: interactions
UPDATE interactions SET title = '', body = '', options = '[]' WHERE room_id = :room_id;

-- name: decisions
-- They are the project's: they stay, without the place of their card.
UPDATE decisions SET room_id = NULL, topic_id = NULL, message_id = NULL, interaction_id = NULL WHERE room_id = :room_id;

-- name: drafts
DELETE FROM drafts WHERE topic_id IN (SELECT id FROM topics WHERE room_id = :room_id);

-- name: saved
DELETE FROM saved WHERE topic_id IN (SELECT id FROM topics WHERE room_id = :room_id);

-- name: log
-- The log has no holes; nobody sees what is about this room any more.
UPDATE events SET kind = 'room.forgotten', data = '{}' WHERE room_id = :room_id;

-- name: members
DELETE FROM members WHERE room_id = :room_id;

-- name: topics
UPDATE topics SET title = '' WHERE room_id = :room_id;

-- name: tasks
UPDATE tasks
   SET body = '', acceptance = '[]', verification = '', verification_required = 0, paths = '[]', "references" = '[]', note = '',
       result = NULL, updated_at = :now
 WHERE topic_id IN (SELECT id FROM topics WHERE room_id = :room_id);

-- name: dependencies
-- What it was to come before is held up by it no more.
DELETE FROM task_dependencies
 WHERE depends_on IN (SELECT t.id FROM tasks t JOIN topics tp ON tp.id = t.topic_id WHERE tp.room_id = :room_id)
    OR task_id IN (SELECT t.id FROM tasks t JOIN topics tp ON tp.id = t.topic_id WHERE tp.room_id = :room_id);

-- name: verifications
DELETE FROM task_verifications
 WHERE task_id IN (SELECT t.id FROM tasks t JOIN topics tp ON tp.id = t.topic_id WHERE tp.room_id = :room_id);

-- name: guests
UPDATE guests SET left_at = :now WHERE room_id = :room_id AND left_at IS NULL;

-- name: invites
UPDATE invites SET revoked_at = :now WHERE room_id = :room_id AND revoked_at IS NULL;

-- name: files
UPDATE files SET revoked_at = :now WHERE room_id = :room_id AND revoked_at IS NULL;

-- name: terminals
UPDATE terminals SET folder = NULL, reason = NULL WHERE room_id = :room_id;

-- name: live_runs
SELECT id FROM runs WHERE room_id = :room_id AND status IN ('starting', 'running', 'waiting', 'paused') ORDER BY id;

-- name: pending
SELECT id FROM deliveries WHERE room_id = :room_id AND status = 'pending' ORDER BY id;
