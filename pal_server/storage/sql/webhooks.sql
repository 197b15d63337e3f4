-- Webhooks of people, and what waits to be told to them.

-- name: get(user_id)
SELECT * FROM webhooks WHERE user_id = :user_id;

-- name: put(user_id, workspace_id, url, sealed, needs, mentions, runs, position, now)
-- The log is read from the newest event on: what was before is no news.
INSERT INTO webhooks (user_id, workspace_id, url, sealed, needs, mentions, runs, position, created_at)
VALUES (:user_id, :workspace_id, :url, :sealed, :needs, :mentions, :runs, :position, :now)
ON CONFLICT (user_id) DO UPDATE
   SET url = excluded.url, sealed = excluded.sealed, needs = excluded.needs, mentions = excluded.mentions,
       runs = excluded.runs, position = excluded.position, created_at = excluded.created_at, error = NULL, failed_at = NULL;

-- name: choose(user_id, needs, mentions, runs)
UPDATE webhooks SET needs = :needs, mentions = :mentions, runs = :runs WHERE user_id = :user_id;

-- name: drop(user_id)
DELETE FROM webhooks WHERE user_id = :user_id;

-- name: drop_posts(user_id)
DELETE FROM webhook_posts WHERE user_id = :user_id;

-- name: behind(workspace_id, newest, limit)
-- Who is furthest behind comes first: with a log that never rests nobody is left out.
SELECT * FROM webhooks WHERE workspace_id = :workspace_id AND position < :newest ORDER BY position, user_id LIMIT :limit;

-- name: any(workspace_id)
SELECT 1 AS found FROM webhooks WHERE workspace_id = :workspace_id LIMIT 1;

-- name: advance(user_id, position, was)
-- No row changed: another server has read on, or the webhook is another one now.
UPDATE webhooks SET position = :position WHERE user_id = :user_id AND position = :was;

-- name: add_post(user_id, event, body, now)
INSERT INTO webhook_posts (user_id, event, body, not_before, created_at)
VALUES (:user_id, :event, :body, :now, :now) ON CONFLICT (user_id, event) DO NOTHING;

-- name: due(workspace_id, now, limit)
SELECT p.id, p.user_id, p.body, p.attempts, p.created_at, w.url, w.sealed
  FROM webhook_posts p JOIN webhooks w ON w.user_id = p.user_id
 WHERE w.workspace_id = :workspace_id AND p.not_before <= :now
 ORDER BY p.not_before, p.id LIMIT :limit;

-- name: arrived(id)
DELETE FROM webhook_posts WHERE id = :id;

-- name: later(id, not_before)
UPDATE webhook_posts SET attempts = attempts + 1, not_before = :not_before WHERE id = :id;

-- name: well(user_id)
UPDATE webhooks SET error = NULL, failed_at = NULL WHERE user_id = :user_id AND error IS NOT NULL;

-- name: ill(user_id, error, now)
UPDATE webhooks SET error = :error, failed_at = :now WHERE user_id = :user_id;
