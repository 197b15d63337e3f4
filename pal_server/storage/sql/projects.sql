-- name: add
INSERT INTO projects (id, workspace_id, key, name, goal, rules, tech_stack, default_room, created_by, created_at, updated_at)
VALUES (:id, :workspace_id, :key, :name, :goal, :rules, :tech_stack, :default_room, :created_by, :now, :now);

-- name: change
UPDATE projects
   SET name = :name, goal = :goal, rules = :rules, tech_stack = :tech_stack, default_room = :default_room,
       archived_at = :archived_at, updated_at = :now
 WHERE id = :id;

-- name: by_id
SELECT * FROM projects WHERE workspace_id = :workspace_id AND id = :ref;

-- name: by_key
SELECT * FROM projects WHERE workspace_id = :workspace_id AND key = :ref;

-- name: by_prefix
SELECT id FROM projects WHERE workspace_id = :workspace_id AND id >= :prefix AND id < :past ORDER BY id LIMIT 5;

-- name: page
SELECT * FROM projects WHERE workspace_id = :workspace_id AND key > :after ORDER BY key LIMIT :limit;

-- name: page_seen
-- For those who know of a project by seeing a room of it.
SELECT * FROM projects p
 WHERE p.workspace_id = :workspace_id AND p.key > :after
   AND EXISTS (SELECT 1 FROM rooms r JOIN room_viewers v ON v.room_id = r.id
                WHERE r.project_id = p.id AND v.kind = :kind AND v.principal = :principal)
 ORDER BY p.key LIMIT :limit;

-- name: sees
SELECT 1 AS sees FROM rooms r JOIN room_viewers v ON v.room_id = r.id
 WHERE r.project_id = :project_id AND v.kind = :kind AND v.principal = :principal
 LIMIT 1;

-- name: approvers
SELECT COALESCE(MAX(approvers), 1) AS number FROM rooms WHERE project_id = :id;

-- name: next_task
UPDATE projects SET next_task = next_task + 1 WHERE id = :id RETURNING next_task - 1 AS number;

-- name: next_decision
UPDATE projects SET next_decision = next_decision + 1 WHERE id = :id RETURNING next_decision - 1 AS number;

-- name: next_requirement
UPDATE projects SET next_requirement = next_requirement + 1 WHERE id = :id RETURNING next_requirement - 1 AS number;

-- name: set_room
UPDATE rooms SET project_id = :project_id WHERE id = :room_id;
