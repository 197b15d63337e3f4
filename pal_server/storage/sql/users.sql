-- Users and their membership in a workspace.

-- name: insert(id, username, display_name, password_hash, now)
INSERT INTO users (id, username, display_name, password_hash, created_at)
VALUES (:id, :username, :display_name, :password_hash, :now);

-- name: join_workspace(workspace_id, user_id, role)
INSERT INTO memberships (workspace_id, user_id, role) VALUES (:workspace_id, :user_id, :role);

-- name: get(workspace_id, ref)
-- By id or by name; neither can look like the other.
SELECT u.id, m.workspace_id, u.username, u.display_name, m.role, u.disabled, u.created_at
  FROM users u JOIN memberships m ON m.user_id = u.id
 WHERE m.workspace_id = :workspace_id AND (u.id = :ref OR u.username = :ref);

-- name: log_in_of(username)
SELECT u.id, m.workspace_id, u.password_hash, u.disabled
  FROM users u JOIN memberships m ON m.user_id = u.id
 WHERE u.username = :username
 ORDER BY m.workspace_id
 LIMIT 1;

-- name: list_page(workspace_id, after, limit)
SELECT u.id, m.workspace_id, u.username, u.display_name, m.role, u.disabled, u.created_at
  FROM users u JOIN memberships m ON m.user_id = u.id
 WHERE m.workspace_id = :workspace_id AND u.username > :after
 ORDER BY u.username
 LIMIT :limit;

-- name: by_prefix(workspace_id, pattern)
SELECT u.id
  FROM users u JOIN memberships m ON m.user_id = u.id
 WHERE m.workspace_id = :workspace_id AND u.id LIKE :pattern
 ORDER BY u.id
 LIMIT 6;

-- name: first_owner(workspace_id)
-- For whom the server's own bridges speak.
SELECT u.id
  FROM users u JOIN memberships m ON m.user_id = u.id
 WHERE m.workspace_id = :workspace_id AND m.role = 'owner' AND u.disabled = 0
 ORDER BY u.created_at, u.id
 LIMIT 1;

-- name: count_owners(workspace_id)
SELECT COUNT(*) AS owners
  FROM users u JOIN memberships m ON m.user_id = u.id
 WHERE m.workspace_id = :workspace_id AND m.role = 'owner' AND u.disabled = 0;

-- name: update(id, display_name, disabled)
UPDATE users SET display_name = :display_name, disabled = :disabled WHERE id = :id;

-- name: set_password(id, password_hash)
UPDATE users SET password_hash = :password_hash WHERE id = :id;

-- name: set_role(workspace_id, user_id, role)
UPDATE memberships SET role = :role WHERE workspace_id = :workspace_id AND user_id = :user_id;

-- name: lock_workspace(workspace_id)
-- The last owner is found by counting, so changes of owners wait for each other. An UPDATE that changes nothing locks on both engines.
UPDATE workspaces SET position = position WHERE id = :workspace_id;
