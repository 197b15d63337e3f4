-- The log of a workspace: events under positions without holes.

-- name: advance(workspace_id, count)
-- The row stays locked until the commit, so positions follow commit order.
UPDATE workspaces
   SET position = position + :count
 WHERE id = :workspace_id
RETURNING position;

-- name: append(workspace_id, position, room_id, audience, kind, at, data)
INSERT INTO events (workspace_id, position, room_id, audience, kind, at, data)
VALUES (:workspace_id, :position, :room_id, :audience, :kind, :at, :data);
