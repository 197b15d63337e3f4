-- What one person keeps, and the lists they begin with.

-- name: read_mark
SELECT message_id FROM reads WHERE user_id = :user_id AND topic_id = :topic_id;

-- name: mark_read
INSERT INTO reads (user_id, topic_id, message_id) VALUES (:user_id, :topic_id, :message_id)
ON CONFLICT (user_id, topic_id) DO UPDATE SET message_id = excluded.message_id;

-- name: unread
SELECT COUNT(*) AS unread FROM (
    SELECT 1 AS one FROM messages
     WHERE topic_id = :topic_id AND id > :after AND deleted_at IS NULL AND sender_key <> :sender_key
     LIMIT :unread_max) counted;

-- name: glances
-- The newest topics first. Everything beside the topic is found through an index, once per topic. Who has no read mark
-- has read what was said before they came.
SELECT t.*, m.id AS last_id, m.sender_kind, m.sender, m.sender_name, m.content, m.created_at AS last_at,
       COALESCE(d.message_id, 0) AS read_id, r.id AS run_id, r.agent AS run_agent, r.status AS run_status,
       (SELECT COUNT(*) FROM (
            SELECT 1 AS one FROM messages n
             WHERE n.topic_id = t.id AND n.id > COALESCE(d.message_id, 0) AND n.deleted_at IS NULL
               AND n.sender_key <> :sender_key AND (d.message_id IS NOT NULL OR n.created_at >= :since)
             LIMIT :unread_max) counted) AS unread
  FROM topics t
  JOIN rooms o ON o.id = t.room_id
  LEFT JOIN reads d ON d.user_id = :user_id AND d.topic_id = t.id
  LEFT JOIN messages m ON m.id = (SELECT MAX(n.id) FROM messages n WHERE n.topic_id = t.id AND n.deleted_at IS NULL)
  LEFT JOIN runs r ON r.id = (SELECT MAX(n.id) FROM runs n WHERE n.topic_id = t.id)
 WHERE o.workspace_id = :workspace_id AND o.archived_at IS NULL
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = o.id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY COALESCE(t.last_message_at, t.created_at) DESC, t.id DESC
 LIMIT :limit;

-- name: workers
-- Which agents have had a session in each topic.
SELECT DISTINCT topic_id, agent FROM sessions WHERE workspace_id = :workspace_id ORDER BY topic_id, agent;

-- name: live_runs
SELECT x.* FROM runs x
 WHERE x.workspace_id = :workspace_id AND x.status IN ('starting', 'running', 'waiting', 'paused')
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = x.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY x.id DESC LIMIT :limit;

-- name: drafts
SELECT * FROM drafts WHERE user_id = :user_id ORDER BY topic_id;

-- name: put_draft
INSERT INTO drafts (user_id, topic_id, content, updated_at) VALUES (:user_id, :topic_id, :content, :now)
ON CONFLICT (user_id, topic_id) DO UPDATE SET content = excluded.content, updated_at = excluded.updated_at;

-- name: drop_draft
DELETE FROM drafts WHERE user_id = :user_id AND topic_id = :topic_id;

-- name: saved
SELECT * FROM saved WHERE user_id = :user_id ORDER BY place, id;

-- name: add_saved
INSERT INTO saved (user_id, topic_id, content, place, created_at)
VALUES (:user_id, :topic_id, :content, :place, :now) RETURNING *;

-- name: set_saved
UPDATE saved SET content = :content, place = :place WHERE id = :id AND user_id = :user_id;

-- name: drop_saved
DELETE FROM saved WHERE id = :id AND user_id = :user_id;

-- name: saved_prompts
SELECT name, content, updated_at FROM saved_prompts WHERE user_id = :user_id ORDER BY name;

-- name: put_saved_prompt
INSERT INTO saved_prompts (user_id, name, content, updated_at) VALUES (:user_id, :name, :content, :now)
ON CONFLICT (user_id, name) DO UPDATE SET content = excluded.content, updated_at = excluded.updated_at;

-- name: drop_saved_prompt
DELETE FROM saved_prompts WHERE user_id = :user_id AND name = :name;

-- name: preferences
SELECT data FROM preferences WHERE user_id = :user_id;

-- name: put_preferences
INSERT INTO preferences (user_id, data) VALUES (:user_id, :data)
ON CONFLICT (user_id) DO UPDATE SET data = excluded.data;

-- name: came
-- No row back: it was known that they are here.
UPDATE users SET seen_at = :now, is_present = 1 WHERE id = :user_id AND is_present = 0 RETURNING username;

-- name: seen
UPDATE users SET seen_at = :now WHERE id = :user_id;

-- name: went
UPDATE users SET is_present = 0
 WHERE id IN (SELECT id FROM users WHERE is_present = 1 AND seen_at < :before ORDER BY seen_at LIMIT :limit)
   AND is_present = 1 AND seen_at < :before
RETURNING id, username;

-- name: any_gone
SELECT 1 AS gone FROM users WHERE is_present = 1 AND seen_at < :before LIMIT 1;

-- name: present
SELECT u.username FROM users u JOIN memberships ms ON ms.user_id = u.id
 WHERE ms.workspace_id = :workspace_id AND u.is_present = 1 ORDER BY u.username;

-- name: workspaces_of
SELECT workspace_id FROM memberships WHERE user_id = :user_id ORDER BY workspace_id;

-- name: came_at
SELECT created_at FROM users WHERE id = :user_id;
