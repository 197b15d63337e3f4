-- name: add
INSERT INTO commands (workspace_id, computer_id, kind, run_id, data, created_at)
VALUES (:workspace_id, :computer_id, :kind, :run_id, :data, :now)
RETURNING id;

-- name: open_for
SELECT * FROM commands WHERE computer_id = :computer_id AND done_at IS NULL ORDER BY id LIMIT :limit;

-- name: open_of_run
SELECT * FROM commands WHERE run_id = :run_id AND done_at IS NULL ORDER BY id;

-- name: done
UPDATE commands SET done_at = :now, ok = :ok, detail = :detail
 WHERE id = :id AND computer_id = :computer_id AND done_at IS NULL;

-- name: exists
SELECT 1 AS known FROM commands WHERE id = :id AND computer_id = :computer_id;

-- name: close_of_run
UPDATE commands SET done_at = :now, ok = :ok, detail = :detail WHERE run_id = :run_id AND done_at IS NULL;
