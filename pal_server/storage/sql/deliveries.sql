-- name: add
-- It waits when its lane (topic, agent) already has an open delivery, or is held by the agent's terminal; the room's row is
-- locked, so nobody slips between.
INSERT INTO deliveries (workspace_id, room_id, topic_id, message_id, agent, reason, status, waits, max_attempts, not_before,
                        chain_id, hop, created_at, updated_at)
VALUES (:workspace_id, :room_id, :topic_id, :message_id, :agent, :reason, 'pending',
        CASE WHEN EXISTS (SELECT 1 FROM deliveries
                           WHERE topic_id = :topic_id AND agent = :agent
                             AND (status = 'claimed' OR (status = 'pending' AND waits = 0)))
               OR EXISTS (SELECT 1 FROM terminals
                           WHERE topic_id = :topic_id AND agent = :agent AND kind = 'agent'
                             AND state IN ('opening', 'open', 'closing')) THEN 1 ELSE 0 END,
        :max_attempts, :not_before, :chain_id, :hop, :now, :now)
RETURNING id, waits;

-- name: by_id
SELECT * FROM deliveries WHERE id = :id AND workspace_id = :workspace_id;

-- name: locked
SELECT * FROM deliveries WHERE id = :id AND workspace_id = :workspace_id;

-- name: of_message
SELECT * FROM deliveries WHERE message_id = :message_id ORDER BY id;

-- name: ready
-- Oldest first, one per lane: what waits is not in the index this reads.
SELECT * FROM deliveries
 WHERE workspace_id = :workspace_id AND agent = :agent AND status = 'pending' AND waits = 0 AND not_before <= :now
 ORDER BY id LIMIT :limit;

-- name: pending_for
SELECT COUNT(*) AS waiting FROM (
    SELECT 1 FROM agents a JOIN deliveries d
        ON d.workspace_id = a.workspace_id AND d.agent = a.key AND d.status = 'pending' AND d.waits = 0
     WHERE a.computer_id = :computer_id AND a.enabled = 1 LIMIT 1000) AS counted;

-- name: next_due
-- When the next debounced delivery of a computer may be claimed.
SELECT MIN(d.not_before) AS at FROM agents a JOIN deliveries d
    ON d.workspace_id = a.workspace_id AND d.agent = a.key AND d.status = 'pending' AND d.waits = 0
 WHERE a.computer_id = :computer_id AND a.enabled = 1 AND d.not_before > :now;

-- name: held_on
-- How many deliveries of each agent a computer has in hand.
SELECT agent, COUNT(*) AS held FROM deliveries WHERE computer_id = :computer_id AND status = 'claimed' GROUP BY agent;

-- name: load_of
-- Whether there is room for one more at once: what the agent has in hand, what of it is ready before this one (a hundred are
-- enough to know), and what its computer has in hand.
SELECT c.max_runs,
       (SELECT COUNT(*) FROM deliveries d WHERE d.computer_id = c.id AND d.status = 'claimed') AS on_computer,
       (SELECT COUNT(*) FROM deliveries d
         WHERE d.computer_id = c.id AND d.agent = :agent AND d.status = 'claimed') AS in_hand,
       (SELECT COUNT(*) FROM (SELECT 1 FROM deliveries d
                               WHERE d.workspace_id = c.workspace_id AND d.agent = :agent AND d.status = 'pending'
                                 AND d.waits = 0 AND d.id < :id LIMIT 100) AS counted) AS ready
  FROM computers c WHERE c.id = :computer_id;

-- name: unstarted_on
SELECT * FROM deliveries
 WHERE computer_id = :computer_id AND status = 'claimed' AND started = 0 AND lease_until >= :now
 ORDER BY id;

-- name: put
-- Compare-and-set on the fence and the state that were read: no row changed means somebody was quicker.
UPDATE deliveries
   SET status = :status, waits = :waits, attempts = :attempts, not_before = :not_before, lease_id = :lease_id,
       lease_until = :lease_until, fence = :fence, started = :started, computer_id = :computer_id, run_id = :run_id,
       fresh = :fresh, error = :error, steered_into = :steered_into, read_step = :read_step, ahead = :ahead,
       recap = CASE WHEN :status = 'claimed' THEN recap END, updated_at = :updated_at
 WHERE id = :id AND fence = :was_fence AND status = :was_status AND started = :was_started;

-- name: promote
-- The lane's next one, once the open one has ended: what a person put ahead, else the oldest.
UPDATE deliveries SET waits = 0
 WHERE id = COALESCE(
           (SELECT id FROM deliveries WHERE topic_id = :topic_id AND agent = :agent AND status = 'pending' AND ahead > 0
             ORDER BY ahead DESC, id LIMIT 1),
           (SELECT MIN(id) FROM deliveries WHERE topic_id = :topic_id AND agent = :agent AND status = 'pending'))
   AND NOT EXISTS (SELECT 1 FROM deliveries WHERE topic_id = :topic_id AND agent = :agent
                     AND (status = 'claimed' OR (status = 'pending' AND waits = 0)))
   AND NOT EXISTS (SELECT 1 FROM terminals WHERE topic_id = :topic_id AND agent = :agent AND kind = 'agent'
                     AND state IN ('opening', 'open', 'closing'))
RETURNING id;

-- name: lane_is_open
SELECT 1 AS open FROM deliveries
 WHERE topic_id = :topic_id AND agent = :agent AND (status = 'claimed' OR (status = 'pending' AND waits = 0))
 UNION ALL
SELECT 1 FROM terminals
 WHERE topic_id = :topic_id AND agent = :agent AND kind = 'agent' AND state IN ('opening', 'open', 'closing');

-- name: before_in_lane
-- How many come first; enough to tell a person, bounded for the machine. The usual case, with nothing put ahead, reads one
-- index and no row: looking at `ahead` of each would be a quarter of a send into a long lane.
SELECT COUNT(*) AS place FROM (
    SELECT 1 FROM deliveries
     WHERE topic_id = :topic_id AND agent = :agent AND status = 'pending' AND id < :id AND :ahead = 0
    UNION ALL
    SELECT 1 FROM deliveries
     WHERE topic_id = :topic_id AND agent = :agent AND status = 'pending' AND ahead > 0
       AND (ahead > :ahead OR (ahead = :ahead AND id < :id)) AND (:ahead > 0 OR id > :id)
    UNION ALL
    SELECT 1 FROM deliveries WHERE topic_id = :topic_id AND agent = :agent AND status = 'claimed'
    LIMIT 100) AS counted;

-- name: burst
-- The delivery a burst goes on with: still waiting, same sender, newest of its lane, not called by name, and not told to a
-- run already, which would never see what joins it.
SELECT d.*, m.sender AS said_by, m.sender_kind AS said_by_kind FROM deliveries d JOIN messages m ON m.id = d.message_id
 WHERE d.topic_id = :topic_id AND d.agent = :agent AND d.status = 'pending' AND d.reason IN ('all', 'reply')
   AND d.steered_into IS NULL
   AND NOT EXISTS (SELECT 1 FROM deliveries later
                    WHERE later.topic_id = d.topic_id AND later.agent = d.agent AND later.status = 'pending' AND later.id > d.id)
 ORDER BY d.id DESC LIMIT 1;

-- name: join_burst
INSERT INTO delivery_messages (delivery_id, message_id) VALUES (:delivery_id, :message_id);

-- name: burst_messages
SELECT message_id FROM delivery_messages WHERE delivery_id = :delivery_id ORDER BY message_id;

-- name: burst_of
SELECT delivery_id FROM delivery_messages WHERE message_id = :message_id;

-- name: leave_burst
DELETE FROM delivery_messages WHERE message_id = :message_id;

-- name: lead_with
-- The message a burst began with is gone; the next of it takes its place.
UPDATE deliveries SET message_id = :message_id, updated_at = :now WHERE id = :id;

-- name: offer
-- The live run is told its words while it waits.
UPDATE deliveries SET steered_into = :run_id, updated_at = :now WHERE id = :id AND status = 'pending' AND waits = 1;

-- name: offered_to
SELECT * FROM deliveries WHERE steered_into = :run_id ORDER BY id;

-- name: told_to_runs_of
-- Messages that earlier runs of a delivery have read while they worked.
SELECT d.message_id FROM runs r JOIN deliveries d ON d.steered_into = r.id
 WHERE r.delivery_id = :delivery_id AND d.read_step IS NOT NULL ORDER BY d.message_id;

-- name: any_at_work
-- What is open in a topic: what waits for its lane has an open one before it.
SELECT 1 AS found FROM deliveries
 WHERE topic_id = :topic_id AND (status = 'claimed' OR (status = 'pending' AND waits = 0)) LIMIT 1;

-- name: waiting_in_lane
SELECT COUNT(*) AS number FROM deliveries WHERE topic_id = :topic_id AND agent = :agent AND status = 'pending';

-- name: front_of_lane
-- What comes first of those that wait.
SELECT * FROM deliveries
 WHERE id = COALESCE(
           (SELECT id FROM deliveries WHERE topic_id = :topic_id AND agent = :agent AND status = 'pending' AND waits = 0),
           (SELECT id FROM deliveries WHERE topic_id = :topic_id AND agent = :agent AND status = 'pending' AND ahead > 0
             ORDER BY ahead DESC, id LIMIT 1),
           (SELECT MIN(id) FROM deliveries WHERE topic_id = :topic_id AND agent = :agent AND status = 'pending'));

-- name: any_overdue
SELECT 1 AS found FROM deliveries WHERE status = 'claimed' AND started = 0 AND lease_until < :now LIMIT 1;

-- name: overdue
SELECT * FROM deliveries
 WHERE status = 'claimed' AND started = 0 AND lease_until < :now
 ORDER BY lease_until LIMIT :limit;

-- name: pending_of_agent
SELECT * FROM deliveries WHERE workspace_id = :workspace_id AND agent = :agent AND status = 'pending' ORDER BY id LIMIT :limit;

-- name: page
SELECT d.* FROM deliveries d
 WHERE d.workspace_id = :workspace_id AND d.id < :before
   AND (CAST(:agent AS TEXT) IS NULL OR d.agent = :agent)
   AND (CAST(:status AS TEXT) IS NULL OR d.status = :status)
   AND (CAST(:room_id AS TEXT) IS NULL OR d.room_id = :room_id)
   AND (CAST(:topic_id AS BIGINT) IS NULL OR d.topic_id = :topic_id)
   AND (CAST(:message_id AS BIGINT) IS NULL OR d.message_id = :message_id)
   AND (CAST(:computer AS TEXT) IS NULL OR d.computer_id = :computer
        OR EXISTS (SELECT 1 FROM agents a WHERE a.workspace_id = d.workspace_id AND a.key = d.agent AND a.computer_id = :computer))
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = d.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY d.id DESC LIMIT :limit;

-- name: page_of_ended
-- The status twice, so that the index of what did not end well is used: it is small, and history is not.
SELECT d.* FROM deliveries d
 WHERE d.workspace_id = :workspace_id AND d.status = :status AND d.id < :before
   AND d.status IN ('failed', 'interrupted', 'cancelled', 'dead')
   AND (CAST(:computer AS TEXT) IS NULL OR d.computer_id = :computer
        OR EXISTS (SELECT 1 FROM agents a WHERE a.workspace_id = d.workspace_id AND a.key = d.agent AND a.computer_id = :computer))
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = d.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY d.id DESC LIMIT :limit;

-- name: page_of_queue
-- What waits in a topic; the index of lanes knows.
SELECT d.* FROM deliveries d
 WHERE d.topic_id = :topic_id AND d.status = 'pending' AND d.workspace_id = :workspace_id AND d.id < :before
   AND (CAST(:agent AS TEXT) IS NULL OR d.agent = :agent)
   AND (CAST(:computer AS TEXT) IS NULL
        OR EXISTS (SELECT 1 FROM agents a WHERE a.workspace_id = d.workspace_id AND a.key = d.agent AND a.computer_id = :computer))
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = d.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY d.id DESC LIMIT :limit;

-- name: page_of_agent
-- In the order of its messages, which is that of the index and, but for what was given by hand later, that of ids.
SELECT d.* FROM deliveries d
 WHERE d.workspace_id = :workspace_id AND d.agent = :agent
   AND d.message_id < COALESCE((SELECT message_id FROM deliveries WHERE id = :before), :before)
   AND (CAST(:status AS TEXT) IS NULL OR d.status = :status)
   AND (CAST(:computer AS TEXT) IS NULL OR d.computer_id = :computer
        OR EXISTS (SELECT 1 FROM agents a WHERE a.workspace_id = d.workspace_id AND a.key = d.agent AND a.computer_id = :computer))
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = d.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY d.message_id DESC LIMIT :limit;

-- name: counts
SELECT status, COUNT(*) AS number FROM deliveries WHERE status IN ('pending', 'claimed') GROUP BY status;

-- name: set_given
-- What this attempt is told and works with; its run keeps a copy of prompt and profile.
UPDATE deliveries SET prompt = :prompt, profile = :profile, recap = :recap WHERE id = :id;

-- name: given
SELECT prompt, profile FROM deliveries WHERE id = :id;

-- name: recap
SELECT recap FROM deliveries WHERE id = :id;

-- name: forget_recap
UPDATE deliveries SET recap = NULL WHERE id = :id;

