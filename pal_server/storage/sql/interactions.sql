-- name: add
INSERT INTO interactions (workspace_id, room_id, topic_id, run_id, chain_id, key, agent, kind, status, title, body, options,
                          hash, held, deny_at, folder, needs, questions,
                          version, decision_id, created_at)
VALUES (:workspace_id, :room_id, :topic_id, :run_id, :chain_id, :key, :agent, :kind, 'pending', :title, :body, :options,
        :hash, :held, :deny_at, :folder, :needs, :questions, :version, :decision_id,
        :now)
RETURNING id;

-- name: by_id
SELECT * FROM interactions WHERE id = :id AND workspace_id = :workspace_id;

-- name: by_key
SELECT * FROM interactions WHERE run_id = :run_id AND key = :key;

-- name: pending_of_chain
SELECT * FROM interactions WHERE chain_id = :chain_id AND status = 'pending';

-- name: pending_of_run
SELECT * FROM interactions WHERE run_id = :run_id AND status = 'pending' ORDER BY id;

-- name: unsettled_of_run
SELECT * FROM interactions WHERE run_id = :run_id AND status IN ('pending', 'answered') ORDER BY id;

-- name: pending_of_lane
-- What waits is little, what a topic has ever asked may be much: the plus keeps SQLite from the index of the topic.
SELECT * FROM interactions
 WHERE workspace_id = :workspace_id AND status = 'pending' AND +topic_id = :topic_id AND agent = :agent
   AND run_id IS NOT NULL
 ORDER BY id DESC LIMIT 1;

-- name: count_plans
SELECT COUNT(*) AS number FROM interactions WHERE run_id = :run_id AND kind = 'plan';

-- name: open_of_run
SELECT COUNT(*) AS number FROM interactions WHERE run_id = :run_id AND status IN ('pending', 'answered');

-- name: same_in_room
SELECT * FROM interactions
 WHERE room_id = :room_id AND action_hash = :action_hash AND id < :before AND status IN ('answered', 'applied')
 ORDER BY id DESC LIMIT :limit;

-- name: recall
UPDATE interactions SET action_hash = :action_hash, suggestion = :suggestion WHERE id = :id;

-- name: any_overdue
SELECT 1 AS found FROM interactions WHERE status = 'pending' AND deny_at <= :now LIMIT 1;

-- name: overdue
SELECT * FROM interactions WHERE status = 'pending' AND deny_at <= :now ORDER BY deny_at LIMIT :limit;

-- name: put
-- First answer wins: the state that was read is part of the condition.
UPDATE interactions SET status = :status, answer = :answer, answered_by = :answered_by, answered_at = :answered_at,
                        message_id = :message_id, held = :held, approvals = :approvals
 WHERE id = :id AND status = :was_status;

-- name: page
SELECT i.* FROM interactions i
 WHERE i.workspace_id = :workspace_id AND i.id < :before
   AND (CAST(:status AS TEXT) IS NULL OR i.status = :status)
   AND (CAST(:topic_id AS BIGINT) IS NULL OR i.topic_id = :topic_id)
   AND (CAST(:run_id AS BIGINT) IS NULL OR i.run_id = :run_id)
   AND (CAST(:asked_kind AS TEXT) IS NULL OR i.kind = :asked_kind)
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = i.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY i.id DESC LIMIT :limit;
