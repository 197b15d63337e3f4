-- Statements that only tests of the store run; `leaders` serves as a table without ties to others.

-- name: add(chore, holder)
INSERT INTO leaders (chore, holder, held_until) VALUES (:chore, :holder, 0);

-- name: change(chore, holder)
UPDATE leaders SET holder = :holder WHERE chore = :chore;

-- name: get(chore)
SELECT chore, holder, held_until FROM leaders WHERE chore = :chore;

-- name: chores()
SELECT chore FROM leaders ORDER BY chore;

-- name: add_returning(chore, holder)
INSERT INTO leaders (chore, holder, held_until) VALUES (:chore, :holder, 0) RETURNING chore;

-- name: workspace(id)
INSERT INTO workspaces (id, slug, name, created_at) VALUES (:id, :id, :id, 0);

-- name: room(id, workspace_id, visibility)
INSERT INTO rooms (id, workspace_id, name, title, visibility, created_by, created_at)
VALUES (:id, :workspace_id, 'same', '', :visibility, 'somebody', 0);

-- name: events_after(workspace_id, position)
SELECT position, kind, room_id, audience, at, data
  FROM events
 WHERE workspace_id = :workspace_id AND position > :position
 ORDER BY position;

-- name: wrong()
SELECT nothing FROM nowhere;

-- name: forget_event(workspace_id, position)
DELETE FROM events WHERE workspace_id = :workspace_id AND position = :position;

-- name: add_until(chore, holder, held_until)
INSERT INTO leaders (chore, holder, held_until) VALUES (:chore, :holder, :held_until);
