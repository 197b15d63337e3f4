-- Posts: what shall be seen outside.

-- name: insert(workspace_id, bot_id, link_id, chat, thread, key, kind, purpose, message_id, delivery_id, interaction_id, part, parts, base_id, body, is_open, not_before, now)
-- The key is made once from what it shows: the same again is the same post.
INSERT INTO posts (workspace_id, bot_id, link_id, chat, thread, key, kind, purpose, message_id, delivery_id, interaction_id, part,
                   parts, base_id, body, is_open, state, not_before, created_at, updated_at)
VALUES (:workspace_id, :bot_id, :link_id, :chat, :thread, :key, :kind, :purpose, :message_id, :delivery_id, :interaction_id,
        :part, :parts, :base_id, :body, :is_open, 'pending', :not_before, :now, :now)
ON CONFLICT (key) DO NOTHING;

-- name: by_key(workspace_id, key)
SELECT * FROM posts WHERE workspace_id = :workspace_id AND key = :key;

-- name: by_id(workspace_id, id)
SELECT * FROM posts WHERE workspace_id = :workspace_id AND id = :id;

-- name: locked(workspace_id, id)
SELECT * FROM posts WHERE workspace_id = :workspace_id AND id = :id;

-- name: due(bot_id, now, limit)
-- In one place things appear in the order they were made: what was never shown waits for what was made before it.
SELECT p.* FROM posts p
 WHERE p.bot_id = :bot_id
   AND ((p.state = 'pending' AND p.not_before <= :now) OR (p.state = 'sending' AND p.lease_until <= :now))
   AND (p.ref IS NOT NULL OR p.kind = 'reaction' OR p.link_id IS NULL
        OR NOT EXISTS (SELECT 1 FROM posts e
                        WHERE e.link_id = p.link_id AND e.state IN ('pending', 'sending') AND e.ref IS NULL
                          AND e.kind <> 'reaction' AND e.id <> p.id
                          AND (COALESCE(e.base_id, e.id), e.part) < (COALESCE(p.base_id, p.id), p.part)))
 ORDER BY p.id
 LIMIT :limit;

-- name: waiting(workspace_id, platform, now)
-- For each bot with posts on their way: whether one may be tried now, and when the next one may. One look for all bots.
SELECT p.bot_id,
       MAX(CASE WHEN CASE WHEN p.state = 'sending' THEN p.lease_until ELSE p.not_before END <= :now THEN 1 ELSE 0 END) AS is_due,
       MIN(CASE WHEN CASE WHEN p.state = 'sending' THEN p.lease_until ELSE p.not_before END > :now
                THEN CASE WHEN p.state = 'sending' THEN p.lease_until ELSE p.not_before END END) AS next_at
  FROM bots b JOIN posts p ON p.bot_id = b.id
 WHERE b.workspace_id = :workspace_id AND b.platform = :platform AND p.state IN ('pending', 'sending')
 GROUP BY p.bot_id;

-- name: put(id, key, body, wanted, shown, shown_hash, gone, is_open, seen_seq, parts, ref, state, doubt, repeated, tries, not_before, lease_id, lease_until, fence, since, error, created_at, updated_at, was_fence, was_wanted, was_state)
-- Compare-and-set on the fence, the wish and the state that were read.
UPDATE posts
   SET key = :key, body = :body, wanted = :wanted, shown = :shown, shown_hash = :shown_hash, gone = :gone, is_open = :is_open,
       seen_seq = :seen_seq, parts = :parts, ref = :ref, state = :state, doubt = :doubt, repeated = :repeated, tries = :tries,
       not_before = :not_before, lease_id = :lease_id, lease_until = :lease_until, fence = :fence, since = :since,
       error = :error, created_at = :created_at, updated_at = :updated_at
 WHERE id = :id AND fence = :was_fence AND wanted = :was_wanted AND state = :was_state;

-- name: end_leases(bot_id, now)
-- Whoever had them is known to be gone. They are still `sending`, so whoever claims them next asks the platform first.
UPDATE posts SET lease_until = :now WHERE bot_id = :bot_id AND state = 'sending' AND lease_until > :now;

-- name: of_message(message_id)
SELECT * FROM posts WHERE message_id = :message_id ORDER BY id;

-- name: of_delivery(delivery_id)
SELECT * FROM posts WHERE delivery_id = :delivery_id ORDER BY id;

-- name: of_interaction(interaction_id)
SELECT * FROM posts WHERE interaction_id = :interaction_id ORDER BY id;

-- name: open(workspace_id)
-- Cards of turns that are not over.
SELECT * FROM posts WHERE workspace_id = :workspace_id AND is_open = 1 ORDER BY id;

-- name: any_open(workspace_id)
SELECT 1 AS found FROM posts WHERE workspace_id = :workspace_id AND is_open = 1 LIMIT 1;

-- name: open_and_behind(workspace_id)
-- Cards of turns whose last run has done something since it was shown.
SELECT p.* FROM posts p
  JOIN runs r ON r.id = (SELECT MAX(last.id) FROM runs last WHERE last.delivery_id = p.delivery_id)
 WHERE p.workspace_id = :workspace_id AND p.is_open = 1 AND r.last_seq > p.seen_seq
 ORDER BY p.id;

-- name: list_page(workspace_id, platform, state, before, limit)
SELECT p.* FROM posts p JOIN bots b ON b.id = p.bot_id
 WHERE p.workspace_id = :workspace_id AND (b.platform = :platform OR :platform = '') AND (p.state = :state OR :state = '')
   AND p.id < :before
 ORDER BY p.id DESC LIMIT :limit;

-- name: counts(workspace_id)
SELECT state, COUNT(*) AS posts FROM posts WHERE workspace_id = :workspace_id GROUP BY state;

-- name: position(workspace_id)
SELECT position FROM posting WHERE workspace_id = :workspace_id;

-- name: set_position(workspace_id, position)
INSERT INTO posting (workspace_id, position) VALUES (:workspace_id, :position)
ON CONFLICT (workspace_id) DO UPDATE SET position = excluded.position;

-- name: advance(workspace_id, position, was)
-- Of two servers one goes on.
UPDATE posting SET position = :position WHERE workspace_id = :workspace_id AND position = :was;

-- name: news(workspace_id, position, newest, limit)
-- What happened in rooms that are shown outside, and with computers.
SELECT position, room_id, kind, at, data FROM events
 WHERE workspace_id = :workspace_id AND position > :position AND position <= :newest
   AND (room_id IN (SELECT room_id FROM links WHERE workspace_id = :workspace_id)
        OR kind = 'run.finished' OR kind LIKE 'computer.%')
 ORDER BY position
 LIMIT :limit;

-- name: newest_run_events(run_id, limit)
-- What a run did last, of what people follow.
SELECT seq, kind, text, data FROM run_events
 WHERE run_id = :run_id AND lane = 'main' AND kind IN ('tool_call', 'tool_result', 'todo')
 ORDER BY seq DESC
 LIMIT :limit;
