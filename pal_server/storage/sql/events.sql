-- Reading the log of a workspace.

-- name: after(workspace_id, position, limit)
SELECT workspace_id, position, room_id, audience, kind, at, data
  FROM events
 WHERE workspace_id = :workspace_id AND position > :position
 ORDER BY position
 LIMIT :limit;

-- name: of_room_after(workspace_id, room_id, position, limit)
SELECT workspace_id, position, room_id, audience, kind, at, data
  FROM events
 WHERE workspace_id = :workspace_id AND position > :position AND room_id = :room_id AND audience IS NULL
 ORDER BY position
 LIMIT :limit;

-- name: position(workspace_id)
SELECT position FROM workspaces WHERE id = :workspace_id;
