-- Workspaces: the unit everything belongs to.

-- name: insert(id, slug, name, now)
-- Two servers may start first at once: the second finds the row and changes nothing.
INSERT INTO workspaces (id, slug, name, created_at)
VALUES (:id, :slug, :name, :now)
ON CONFLICT DO NOTHING;

-- name: first()
SELECT id, slug, name, created_at FROM workspaces ORDER BY created_at, id LIMIT 1;
