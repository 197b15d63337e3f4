-- name: add
INSERT INTO terminals (id, workspace_id, room_id, topic_id, computer_id, agent, kind, folder, cols, rows, state, opened_by,
                       created_at, last_used_at)
VALUES (:id, :workspace_id, :room_id, :topic_id, :computer_id, :agent, :kind, :folder, :cols, :rows, 'opening', :opened_by,
        :now, :now);

-- name: by_id
SELECT * FROM terminals WHERE id = :id AND workspace_id = :workspace_id;

-- name: put
-- Compare-and-set on the state that was read: no row changed means somebody was quicker.
UPDATE terminals
   SET state = :state, folder = :folder, reason = :reason, exit = :exit, opened_at = :opened_at, closed_at = :closed_at,
       last_used_at = :last_used_at
 WHERE id = :id AND state = :was_state;

-- name: resize
UPDATE terminals SET cols = :cols, rows = :rows WHERE id = :id AND state IN ('opening', 'open', 'closing');

-- name: touch
UPDATE terminals SET last_used_at = :now WHERE id = :id AND state = 'open';

-- name: live_in_topic
SELECT COUNT(*) AS number FROM terminals WHERE topic_id = :topic_id AND state IN ('opening', 'open', 'closing');

-- name: live_on_computer
SELECT * FROM terminals WHERE computer_id = :computer_id AND state IN ('opening', 'open', 'closing') ORDER BY created_at, id;

-- name: live_in_room
SELECT * FROM terminals WHERE room_id = :room_id AND state IN ('opening', 'open', 'closing') ORDER BY created_at, id;

-- name: live_of_agent
-- Those that are the agent's program; a shell in its folder is nobody's.
SELECT * FROM terminals
 WHERE workspace_id = :workspace_id AND agent = :agent AND kind = 'agent' AND state IN ('opening', 'open', 'closing')
 ORDER BY created_at, id;

-- name: of_lane
-- Who holds the lane of an agent in a topic, beside its runs.
SELECT * FROM terminals
 WHERE topic_id = :topic_id AND agent = :agent AND kind = 'agent' AND state IN ('opening', 'open', 'closing');

-- name: overdue
-- What did not open in time, and what nobody used for long.
SELECT * FROM terminals
 WHERE (state = 'opening' AND created_at < :opening_before) OR (state = 'open' AND last_used_at < :used_before)
 ORDER BY created_at LIMIT :limit;

-- name: page
SELECT t.* FROM terminals t
 WHERE t.workspace_id = :workspace_id AND (t.created_at, t.id) < (:at, :id)
   AND (:is_all = 1 OR t.state IN ('opening', 'open', 'closing'))
   AND (CAST(:room_id AS TEXT) IS NULL OR t.room_id = :room_id)
   AND (CAST(:topic_id AS BIGINT) IS NULL OR t.topic_id = :topic_id)
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = t.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY t.created_at DESC, t.id DESC LIMIT :limit;
