-- Who outside may talk to bots.

-- name: insert(id, workspace_id, platform, external_id, name, standing, level, quota, user_id, created_by, now)
INSERT INTO identities (id, workspace_id, platform, external_id, name, standing, level, quota, user_id, created_by, created_at)
VALUES (:id, :workspace_id, :platform, :external_id, :name, :standing, :level, :quota, :user_id, :created_by, :now)
ON CONFLICT (workspace_id, platform, external_id) DO NOTHING;

-- name: get(workspace_id, platform, external_id)
SELECT i.*, u.username FROM identities i LEFT JOIN users u ON u.id = i.user_id
 WHERE i.workspace_id = :workspace_id AND i.platform = :platform AND i.external_id = :external_id;

-- name: by_id(workspace_id, id)
SELECT i.*, u.username FROM identities i LEFT JOIN users u ON u.id = i.user_id
 WHERE i.workspace_id = :workspace_id AND i.id = :id;

-- name: of_user(workspace_id, user_id)
SELECT i.*, u.username FROM identities i JOIN users u ON u.id = i.user_id
 WHERE i.workspace_id = :workspace_id AND i.user_id = :user_id
 ORDER BY i.platform, i.external_id;

-- name: list_page(workspace_id, platform, standing, after, limit)
-- Those who only asked are listed when asked for.
SELECT i.*, u.username FROM identities i LEFT JOIN users u ON u.id = i.user_id
 WHERE i.workspace_id = :workspace_id AND (i.platform = :platform OR :platform = '')
   AND (i.standing = :standing OR (:standing = '' AND i.standing <> 'asked')) AND i.external_id > :after
 ORDER BY i.external_id
 LIMIT :limit;

-- name: put(id, name, standing, level, quota, user_id)
UPDATE identities SET name = :name, standing = :standing, level = :level, quota = :quota, user_id = :user_id WHERE id = :id;

-- name: delete(id)
DELETE FROM identities WHERE id = :id;
