-- Rules over rows. Each statement returns the rows that break it, the first column naming one; a rule's name is what people read.

-- name: the_log_has_a_hole()
-- Retention may take the oldest events, never one between others, and the newest one is where the workspace stands.
SELECT w.id
  FROM workspaces w
  JOIN (SELECT workspace_id, MIN(position) AS oldest, MAX(position) AS newest, COUNT(*) AS stored
          FROM events
         GROUP BY workspace_id) e
    ON e.workspace_id = w.id
 WHERE e.newest <> w.position OR e.stored <> e.newest - e.oldest + 1;

-- name: a_room_is_behind_its_messages()
SELECT r.id
  FROM rooms r
 WHERE r.seq < (SELECT COALESCE(MAX(m.seq), 0) FROM messages m WHERE m.room_id = r.id);

-- name: a_message_is_in_a_topic_of_another_room()
SELECT m.id
  FROM messages m
  JOIN topics t ON t.id = m.topic_id
 WHERE t.room_id <> m.room_id;

-- name: a_reply_is_in_another_room_than_its_parent()
SELECT m.id
  FROM messages m
  JOIN messages p ON p.id = m.parent_id
 WHERE p.room_id <> m.room_id;

-- name: a_room_has_no_default_topic()
SELECT r.id
  FROM rooms r
 WHERE NOT EXISTS (SELECT 1 FROM topics t WHERE t.id = r.default_topic AND t.room_id = r.id AND t.is_default = 1);

-- name: a_lane_has_two_open_deliveries()
SELECT MIN(d.id)
  FROM deliveries d
 WHERE d.status = 'claimed' OR (d.status = 'pending' AND d.waits = 0)
 GROUP BY d.topic_id, d.agent
HAVING COUNT(*) > 1;

-- name: a_delivery_waits_for_nobody()
-- What waits for its lane has an open delivery before it, or the agent's terminal; else nobody would ever claim it.
SELECT d.id
  FROM deliveries d
 WHERE d.status = 'pending' AND d.waits = 1
   AND NOT EXISTS (SELECT 1 FROM deliveries o
                    WHERE o.topic_id = d.topic_id AND o.agent = d.agent
                      AND (o.status = 'claimed' OR (o.status = 'pending' AND o.waits = 0)))
   AND NOT EXISTS (SELECT 1 FROM terminals t
                    WHERE t.topic_id = d.topic_id AND t.agent = d.agent AND t.kind = 'agent'
                      AND t.state IN ('opening', 'open', 'closing'));

-- name: a_lane_has_an_open_delivery_and_a_terminal()
SELECT t.id
  FROM terminals t
  JOIN deliveries d ON d.topic_id = t.topic_id AND d.agent = t.agent
 WHERE t.kind = 'agent' AND t.state IN ('opening', 'open', 'closing')
   AND (d.status = 'claimed' OR (d.status = 'pending' AND d.waits = 0));

-- name: a_delivery_waits_for_an_agent_that_is_gone()
SELECT d.id
  FROM deliveries d
 WHERE d.status = 'pending'
   AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.workspace_id = d.workspace_id AND a.key = d.agent);

-- name: a_delivery_waits_with_deleted_words()
SELECT d.id
  FROM deliveries d
  JOIN messages m ON m.id = d.message_id
 WHERE d.status = 'pending' AND m.deleted_at IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM delivery_messages b JOIN messages r ON r.id = b.message_id
                    WHERE b.delivery_id = d.id AND r.deleted_at IS NULL);

-- name: a_delivery_is_in_another_place_than_its_message()
SELECT d.id
  FROM deliveries d
  JOIN messages m ON m.id = d.message_id
 WHERE m.topic_id <> d.topic_id OR m.room_id <> d.room_id;

-- name: a_delivery_has_more_attempts_than_fences()
-- Each claim counts one attempt and raises the fence; attempts may be taken back, a fence never is.
SELECT d.id FROM deliveries d WHERE d.attempts > d.fence OR d.attempts > d.max_attempts;

-- name: a_live_run_has_lost_its_delivery()
SELECT r.id
  FROM runs r
 WHERE r.status IN ('starting', 'running', 'waiting', 'paused')
   AND NOT EXISTS (SELECT 1 FROM deliveries d
                    WHERE d.id = r.delivery_id AND d.status = 'claimed' AND d.started = 1 AND d.run_id = r.id
                      AND d.lease_id = r.lease_id AND d.fence = r.fence);

-- name: a_started_delivery_has_no_live_run()
SELECT d.id
  FROM deliveries d
 WHERE d.status = 'claimed' AND d.started = 1
   AND NOT EXISTS (SELECT 1 FROM runs r
                    WHERE r.id = d.run_id AND r.status IN ('starting', 'running', 'waiting', 'paused'));

-- name: an_attempt_has_two_runs()
SELECT MIN(r.id)
  FROM runs r
 WHERE r.delivery_id IS NOT NULL
 GROUP BY r.delivery_id, r.fence
HAVING COUNT(*) > 1;

-- name: a_run_is_behind_its_events()
SELECT r.id
  FROM runs r
 WHERE r.last_seq < (SELECT COALESCE(MAX(e.seq), 0) FROM run_events e WHERE e.run_id = r.id);

-- name: a_token_outlives_its_run()
SELECT t.id
  FROM tokens t
  JOIN runs r ON t.subject = CAST(r.id AS TEXT)
 WHERE t.kind = 'run' AND t.revoked_at IS NULL AND r.status NOT IN ('starting', 'running', 'waiting', 'paused');

-- name: an_order_to_an_ended_run_is_open()
-- But for orders about what it left.
SELECT c.id
  FROM commands c
  JOIN runs r ON r.id = c.run_id
 WHERE c.done_at IS NULL AND c.kind NOT IN ('set_aside', 'rebuild')
   AND r.status NOT IN ('starting', 'running', 'waiting', 'paused');

-- name: a_question_of_an_ended_run_waits()
SELECT i.id
  FROM interactions i
  JOIN runs r ON r.id = i.run_id
 WHERE i.status IN ('pending', 'answered') AND r.status NOT IN ('starting', 'running', 'waiting', 'paused');

-- name: a_task_is_of_another_project_than_what_it_depends_on()
SELECT d.task_id
  FROM task_dependencies d
  JOIN tasks t ON t.id = d.task_id
  JOIN tasks o ON o.id = d.depends_on
 WHERE t.project_id <> o.project_id;

-- name: a_task_has_a_number_its_project_has_not_given()
SELECT t.id FROM tasks t JOIN projects p ON p.id = t.project_id WHERE t.number >= p.next_task;

-- name: a_task_rests_while_something_is_open_in_its_topic()
-- But where a person moved it and no run has started since.
SELECT t.id
  FROM tasks t
 WHERE t.is_moved = 0 AND t.status NOT IN ('in_progress', 'waiting')
   AND EXISTS (SELECT 1 FROM deliveries d WHERE d.topic_id = t.topic_id AND d.status IN ('pending', 'claimed'));

-- name: a_task_is_in_progress_with_nothing_to_do()
SELECT t.id
  FROM tasks t
 WHERE t.is_moved = 0 AND (t.status = 'in_progress' OR t.waiting = 'interaction')
   AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.topic_id = t.topic_id AND d.status IN ('pending', 'claimed'))
   AND NOT EXISTS (SELECT 1 FROM interactions i WHERE i.topic_id = t.topic_id AND i.status = 'pending'
                                                    AND i.decision_id IS NULL);

-- name: a_debate_has_more_turns_than_set()
SELECT d.id FROM debates d WHERE d.taken > d.turns OR (d.taken = d.turns) <> (d.status = 'finished');
