-- Standing approvals.

-- name: add
INSERT INTO approval_rules (workspace_id, scope, room_id, project_id, topic_id, agent, decision, reason, title, body, action_hash,
                            interaction_id, made_by, people, created_at)
VALUES (:workspace_id, :scope, :room_id, :project_id, :topic_id, :agent, :decision, :reason, :title, :body, :action_hash,
        :interaction_id, :made_by, :people, :now)
RETURNING *;

-- name: by_id
SELECT * FROM approval_rules WHERE id = :id AND workspace_id = :workspace_id;

-- name: of_action
SELECT * FROM approval_rules
 WHERE workspace_id = :workspace_id AND action_hash = :action_hash AND revoked_at IS NULL ORDER BY id;

-- name: used
UPDATE approval_rules SET used = used + 1, used_at = :now WHERE id = :id;

-- name: revoke
UPDATE approval_rules SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: revoke_of_agent
-- The agent is deleted; a successor of its name asks anew.
UPDATE approval_rules SET revoked_at = :now
 WHERE workspace_id = :workspace_id AND agent = :agent AND revoked_at IS NULL;

-- name: page
SELECT p.* FROM approval_rules p
 WHERE p.workspace_id = :workspace_id AND p.id < :before
   AND (CAST(:agent AS TEXT) IS NULL OR p.agent = :agent)
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = p.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY p.id DESC LIMIT :limit;
