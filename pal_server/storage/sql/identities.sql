-- Who outside may talk to bots.

-- name: insert(id, workspace_id, platform, external_id, name, standing, level, quota, created_by, now)
INSERT INTO identities (id, workspace_id, platform, external_id, name, standing, level, quota, created_by, created_at)
VALUES (:id, :workspace_id, :platform, :external_id, :name, :standing, :level, :quota, :created_by, :now)
ON CONFLICT (workspace_id, platform, external_id) DO NOTHING;

-- name: get(workspace_id, platform, external_id)
SELECT * FROM identities WHERE workspace_id = :workspace_id AND platform = :platform AND external_id = :external_id;

-- name: by_id(workspace_id, id)
SELECT * FROM identities WHERE workspace_id = :workspace_id AND id = :id;

-- name: list_page(workspace_id, platform, standing, after, limit)
-- Those who only asked are listed when asked for.
SELECT * FROM identities
 WHERE workspace_id = :workspace_id AND (platform = :platform OR :platform = '')
   AND (standing = :standing OR (:standing = '' AND standing <> 'asked')) AND external_id > :after
 ORDER BY external_id
 LIMIT :limit;

-- name: put(id, name, standing, level, quota)
UPDATE identities SET name = :name, standing = :standing, level = :level, quota = :quota WHERE id = :id;

-- name: delete(id)
DELETE FROM identities WHERE id = :id;
