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

-- name: by_id
SELECT * FROM commands WHERE id = :id AND computer_id = :computer_id;

-- name: of_run_by_id
SELECT * FROM commands WHERE id = :id AND run_id = :run_id;

-- name: set_data
UPDATE commands SET data = :data WHERE id = :id AND done_at IS NULL;

-- name: close_of_run
UPDATE commands SET done_at = :now, ok = :ok, detail = :detail WHERE run_id = :run_id AND done_at IS NULL;
