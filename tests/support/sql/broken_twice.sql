-- Two runs of one attempt, which the index on live runs does not stop once the first has ended.

-- name: end_runs()
UPDATE runs SET status = 'failed';

-- name: copy_runs()
INSERT INTO runs (workspace_id, room_id, topic_id, delivery_id, agent, session_id, status, lease_id, fence, created_at)
SELECT workspace_id, room_id, topic_id, delivery_id, agent, session_id, status, lease_id, fence, created_at FROM runs;
