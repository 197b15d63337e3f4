-- name: add
INSERT INTO decisions (workspace_id, project_id, number, title, rationale, status, proposed_by, proposer, supersedes, room_id,
                       topic_id, created_at, updated_at)
VALUES (:workspace_id, :project_id, :number, :title, :rationale, 'proposed', :proposed_by, :proposer, :supersedes, :room_id,
        :topic_id, :now, :now)
RETURNING id;

-- name: show
-- Where its card is.
UPDATE decisions SET message_id = :message_id, interaction_id = :interaction_id WHERE id = :id;

-- name: put
-- The first who settles it wins: the state that was read is part of the condition.
UPDATE decisions SET status = :status, superseded_by = :superseded_by, decided_by = :decided_by, decided_at = :decided_at,
                     reason = :reason, updated_at = :updated_at
 WHERE id = :id AND status = :was_status;

-- name: by_id
SELECT * FROM decisions WHERE id = :id;

-- name: by_number
SELECT * FROM decisions WHERE project_id = :project_id AND number = :number;

-- name: page
SELECT * FROM decisions
 WHERE project_id = :project_id AND number < :before
   AND (CAST(:status AS TEXT) IS NULL OR status = :status)
   AND (LOWER(title) LIKE :pattern ESCAPE '!' OR LOWER(rationale) LIKE :pattern ESCAPE '!')
 ORDER BY number DESC LIMIT :limit;

-- name: page_everywhere
-- Computers and runs know of a project by seeing a room of it.
SELECT * FROM decisions d
 WHERE d.workspace_id = :workspace_id AND d.id < :before
   AND (CAST(:project_id AS TEXT) IS NULL OR d.project_id = :project_id)
   AND (CAST(:status AS TEXT) IS NULL OR d.status = :status)
   AND (LOWER(d.title) LIKE :pattern ESCAPE '!' OR LOWER(d.rationale) LIKE :pattern ESCAPE '!')
   AND (:knows_all = 1
        OR EXISTS (SELECT 1 FROM rooms r JOIN room_viewers v ON v.room_id = r.id
                    WHERE r.project_id = d.project_id AND v.kind = :kind AND v.principal = :principal))
 ORDER BY d.id DESC LIMIT :limit;

-- name: count_proposed_by_runs
SELECT COUNT(*) AS number FROM decisions
 WHERE project_id = :project_id AND status = 'proposed' AND proposer LIKE :beginning;

-- name: approved
SELECT id, workspace_id, project_id, number, title, SUBSTR(rationale, 1, :characters) AS rationale, status, proposed_by,
       proposer, supersedes, superseded_by, decided_by, decided_at, reason, room_id, topic_id, message_id, interaction_id,
       created_at, updated_at
  FROM decisions
 WHERE project_id = :project_id AND status = 'approved' ORDER BY number DESC LIMIT :limit;
