-- name: add
INSERT INTO runs (workspace_id, room_id, topic_id, message_id, delivery_id, agent, computer_id, session_id, status, lease_id,
                  fence, restart_of, prompt, profile, created_at, started_at, ended_at)
VALUES (:workspace_id, :room_id, :topic_id, :message_id, :delivery_id, :agent, :computer_id, :session_id, :status, :lease_id,
        :fence, :restart_of, :prompt, :profile, :now, :started_at, :ended_at)
RETURNING id;

-- name: by_id
SELECT * FROM runs WHERE id = :id AND workspace_id = :workspace_id;

-- name: of_attempt
SELECT * FROM runs WHERE delivery_id = :delivery_id AND lease_id = :lease_id AND fence = :fence;

-- name: last_of_delivery
SELECT * FROM runs WHERE delivery_id = :delivery_id ORDER BY id DESC LIMIT 1;

-- name: of_delivery
SELECT * FROM runs WHERE delivery_id = :delivery_id ORDER BY id;

-- name: last_in_topic
SELECT * FROM runs WHERE topic_id = :topic_id ORDER BY id DESC LIMIT 1;

-- name: live_on
SELECT * FROM runs
 WHERE computer_id = :computer_id AND status IN ('starting', 'running', 'waiting', 'paused') ORDER BY id;

-- name: live_of_agent
SELECT * FROM runs
 WHERE workspace_id = :workspace_id AND agent = :agent AND status IN ('starting', 'running', 'waiting', 'paused');

-- name: live_of_lane
SELECT * FROM runs
 WHERE topic_id = :topic_id AND agent = :agent AND status IN ('starting', 'running', 'waiting', 'paused');

-- name: ended_by_limit
SELECT COUNT(*) AS number FROM runs WHERE delivery_id = :delivery_id AND error_kind = 'rate_limit';

-- name: count_steps
-- How many tools the run had called before an event.
SELECT COUNT(*) AS number FROM run_events WHERE run_id = :run_id AND seq < :before AND kind = 'tool_call';

-- name: live_in_room
SELECT * FROM runs
 WHERE room_id = :room_id AND agent = :agent AND status IN ('starting', 'running', 'waiting', 'paused');

-- name: set_pid
UPDATE runs SET pid = :pid, started_at = COALESCE(started_at, :now),
                status = CASE WHEN status = 'starting' THEN 'running' ELSE status END
 WHERE id = :id AND status IN ('starting', 'running', 'waiting', 'paused');

-- name: set_status
UPDATE runs SET status = :status, started_at = COALESCE(started_at, :now), resume_at = :resume_at
 WHERE id = :id AND status IN ('starting', 'running', 'waiting', 'paused');

-- name: want
UPDATE runs SET wanted = :wanted, wanted_by = :wanted_by
 WHERE id = :id AND status IN ('starting', 'running', 'waiting', 'paused');

-- name: posted
UPDATE runs SET posted = 1 WHERE id = :id;

-- name: set_result
UPDATE runs SET result = :result WHERE id = :id;

-- name: end
-- A run ends once.
UPDATE runs SET status = :status, exit_code = :exit_code, signal = :signal, error_kind = :error_kind, error = :error,
                stderr = :stderr, usage = :usage, input_tokens = :input_tokens, output_tokens = :output_tokens,
                cost_micros = :cost_micros, resume_at = :resume_at, ended_at = :ended_at, stalled_since = NULL,
                started_at = COALESCE(started_at, created_at)
 WHERE id = :id AND status IN ('starting', 'running', 'waiting', 'paused');

-- name: add_event
INSERT INTO run_events (run_id, seq, kind, at, lane, text, data, source)
VALUES (:run_id, :seq, :kind, :at, :lane, :text, :data, :source)
ON CONFLICT (run_id, seq) DO NOTHING;

-- name: took
UPDATE runs SET last_seq = :last_seq, last_source = COALESCE(:last_source, last_source), last_event_at = :now,
                todo_seq = COALESCE(:todo_seq, todo_seq), plan_seq = COALESCE(:plan_seq, plan_seq),
                stalled_since = NULL
 WHERE id = :id;

-- name: set_stalled
UPDATE runs SET stalled_since = :now
 WHERE id = :id AND computer_id = :computer_id AND stalled_since IS NULL
   AND status IN ('starting', 'running', 'waiting', 'paused');

-- name: events
SELECT run_id, seq, kind, at, lane, text, data FROM run_events
 WHERE run_id = :run_id AND seq > :after ORDER BY seq LIMIT :limit;

-- name: events_before
SELECT run_id, seq, kind, at, lane, text, data FROM run_events
 WHERE run_id = :run_id AND seq < :before ORDER BY seq DESC LIMIT :limit;

-- name: summary
SELECT e.run_id, e.seq, e.kind, e.at, e.lane, e.text, e.data FROM runs x
  JOIN run_events e ON e.run_id = x.id AND e.seq IN (x.todo_seq, x.plan_seq)
 WHERE x.id = :run_id;

-- name: count_events
SELECT COUNT(*) AS number FROM run_events WHERE run_id = :run_id;

-- name: forget_rebuilt
DELETE FROM rebuilt_events WHERE run_id = :run_id;

-- name: add_rebuilt
INSERT INTO rebuilt_events (run_id, seq, kind, at, lane, text, data, source)
VALUES (:run_id, :seq, :kind, :at, :lane, :text, :data, :source)
ON CONFLICT (run_id, seq) DO NOTHING;

-- name: rebuilt
SELECT run_id, seq, kind, at, lane, text, data FROM rebuilt_events
 WHERE run_id = :run_id AND seq > :after ORDER BY seq LIMIT :limit;

-- name: forget_events
DELETE FROM run_events WHERE run_id = :run_id;

-- name: move_rebuilt
INSERT INTO run_events (run_id, seq, kind, at, lane, text, data, source)
SELECT run_id, seq, kind, at, lane, text, data, source FROM rebuilt_events WHERE run_id = :run_id;

-- name: recount
UPDATE runs SET last_seq = (SELECT COALESCE(MAX(seq), 0) FROM run_events WHERE run_id = :run_id),
                todo_seq = (SELECT MAX(seq) FROM run_events WHERE run_id = :run_id AND kind = 'todo'),
                plan_seq = (SELECT MAX(seq) FROM run_events WHERE run_id = :run_id AND kind = 'plan')
 WHERE id = :run_id;

-- name: told
SELECT kind, text, data FROM run_events
 WHERE run_id = :run_id AND seq > :after AND kind IN ('file_change', 'command', 'tool_call', 'tool_result')
 ORDER BY seq DESC LIMIT :limit;

-- name: prompt
SELECT prompt FROM runs WHERE id = :id;

-- name: told_before
-- The program was told more than its prompt, which stands here as it was told.
UPDATE runs SET prompt = CAST(:text AS TEXT) || prompt WHERE id = :id;

-- name: turns
-- What the newest runs of a session work with, up to one of them.
SELECT id, profile FROM runs
 WHERE session_id = :session_id AND id <= :up_to AND profile IS NOT NULL AND status <> 'dry_run' ORDER BY id DESC LIMIT 2;

-- name: last_heard
-- The newest run of the session that did something and did not fail: there was a conversation.
SELECT computer_id FROM runs
 WHERE session_id = :session_id AND last_seq > 0 AND status IN ('succeeded', 'cancelled', 'interrupted')
 ORDER BY id DESC LIMIT 1;

-- name: newest_of_topic
-- By the topic's own index: in the list of all runs a quiet topic's would be far down.
SELECT x.* FROM runs x
 WHERE x.topic_id = :topic_id
   AND (CAST(:own AS TEXT) IS NULL OR x.computer_id = :own
        OR EXISTS (SELECT 1 FROM agents a WHERE a.workspace_id = x.workspace_id AND a.key = x.agent AND a.computer_id = :own))
 ORDER BY x.id DESC LIMIT :limit;

-- name: page
SELECT x.* FROM runs x
 WHERE x.workspace_id = :workspace_id AND x.id < :before
   AND (CAST(:agent AS TEXT) IS NULL OR x.agent = :agent)
   AND (CAST(:computer_id AS TEXT) IS NULL OR x.computer_id = :computer_id)
   AND (CAST(:room_id AS TEXT) IS NULL OR x.room_id = :room_id)
   AND (CAST(:topic_id AS BIGINT) IS NULL OR x.topic_id = :topic_id)
   AND (CAST(:session_id AS TEXT) IS NULL OR x.session_id = :session_id)
   AND (CAST(:status AS TEXT) IS NULL OR x.status = :status)
   AND (CAST(:since AS BIGINT) IS NULL OR x.created_at >= :since)
   AND (CAST(:until AS BIGINT) IS NULL OR x.created_at < :until)
   AND (CAST(:own AS TEXT) IS NULL OR x.computer_id = :own
        OR EXISTS (SELECT 1 FROM agents a WHERE a.workspace_id = x.workspace_id AND a.key = x.agent AND a.computer_id = :own))
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = x.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY x.id DESC LIMIT :limit;
