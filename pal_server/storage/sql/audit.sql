-- The audit log: append only, each row chained to the one before.

-- name: lock(workspace_id)
-- Two rows must not follow the same one. An UPDATE that changes nothing locks the workspace's row on both engines; the log takes the
-- same lock at commit.
UPDATE workspaces SET position = position WHERE id = :workspace_id;

-- name: head(workspace_id)
SELECT hash FROM audit WHERE workspace_id = :workspace_id ORDER BY id DESC LIMIT 1;

-- name: insert(workspace_id, now, actor, action, target, detail, hash)
INSERT INTO audit (workspace_id, at, actor, action, target, detail, hash)
VALUES (:workspace_id, :now, :actor, :action, :target, :detail, :hash);

-- name: list_page(workspace_id, action, before, limit)
-- An empty action means every one.
SELECT id, workspace_id, at, actor, action, target, detail, hash
  FROM audit
 WHERE workspace_id = :workspace_id AND id < :before AND (action = :action OR '' = :action)
 ORDER BY id DESC
 LIMIT :limit;

-- name: list_forward(workspace_id, after, limit)
SELECT id, workspace_id, at, actor, action, target, detail, hash
  FROM audit
 WHERE workspace_id = :workspace_id AND id > :after
 ORDER BY id
 LIMIT :limit;
