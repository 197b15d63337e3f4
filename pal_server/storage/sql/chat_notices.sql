-- Who is told what in which chat outside.

-- name: get(user_id)
SELECT * FROM chat_notices WHERE user_id = :user_id;

-- name: put(user_id, workspace_id, bot_id, identity_id, chat, needs, mentions, runs, position, window_at, newest_key, now)
-- The log is read from the newest event on: what was before is no news.
INSERT INTO chat_notices (user_id, workspace_id, bot_id, identity_id, chat, needs, mentions, runs, position, window_at,
                          newest_key, created_at)
VALUES (:user_id, :workspace_id, :bot_id, :identity_id, :chat, :needs, :mentions, :runs, :position, :window_at,
        :newest_key, :now)
ON CONFLICT (user_id) DO UPDATE
   SET bot_id = excluded.bot_id, identity_id = excluded.identity_id, chat = excluded.chat, needs = excluded.needs,
       mentions = excluded.mentions, runs = excluded.runs, position = excluded.position, window_at = excluded.window_at,
       told = 0, held = 0, newest_key = excluded.newest_key, created_at = excluded.created_at;

-- name: choose(user_id, needs, mentions, runs)
UPDATE chat_notices SET needs = :needs, mentions = :mentions, runs = :runs WHERE user_id = :user_id;

-- name: drop(user_id)
DELETE FROM chat_notices WHERE user_id = :user_id;

-- name: any(workspace_id)
SELECT 1 AS found FROM chat_notices WHERE workspace_id = :workspace_id LIMIT 1;

-- name: behind(workspace_id, newest, limit)
-- Who is furthest behind comes first: with a log that never rests nobody is left out.
SELECT * FROM chat_notices WHERE workspace_id = :workspace_id AND position < :newest ORDER BY position, user_id LIMIT :limit;

-- name: holding(workspace_id)
SELECT * FROM chat_notices WHERE workspace_id = :workspace_id AND held > 0 ORDER BY user_id;

-- name: advance(user_id, position, window_at, told, held, newest_key, was, created_at)
-- No row changed: another server has read on, or the choice is another one now.
UPDATE chat_notices
   SET position = :position, window_at = :window_at, told = :told, held = :held, newest_key = :newest_key
 WHERE user_id = :user_id AND position = :was AND created_at = :created_at;
