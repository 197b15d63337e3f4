-- name: put
-- Written again it is no longer archived.
INSERT INTO docs (project_id, name, content, inject, written_by, created_at, updated_at)
VALUES (:project_id, :name, :content, :inject, :written_by, :now, :now)
ON CONFLICT (project_id, name) DO UPDATE
   SET content = excluded.content, inject = excluded.inject, written_by = excluded.written_by,
       updated_at = excluded.updated_at, archived_at = NULL;

-- name: change
UPDATE docs SET inject = :inject, archived_at = :archived_at, updated_at = :now WHERE project_id = :project_id AND name = :name;

-- name: by_name
SELECT *, LENGTH(content) AS size FROM docs WHERE project_id = :project_id AND name = :name;

-- name: count
SELECT COUNT(*) AS number FROM docs WHERE project_id = :project_id;

-- name: page
SELECT project_id, name, '' AS content, LENGTH(content) AS size, inject, written_by, created_at, updated_at, archived_at
  FROM docs
 WHERE project_id = :project_id AND name > :after
 ORDER BY name LIMIT :limit;

-- name: beginning
SELECT project_id, name, SUBSTR(content, 1, :characters) AS content, LENGTH(content) AS size, inject, written_by, created_at,
       updated_at, archived_at
  FROM docs
 WHERE project_id = :project_id AND name = :name;

-- name: injected
SELECT project_id, name, '' AS content, 0 AS size, inject, written_by, created_at, updated_at, archived_at
  FROM docs
 WHERE project_id = :project_id AND inject = 1 AND archived_at IS NULL
 ORDER BY name;
