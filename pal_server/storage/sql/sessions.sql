-- name: newest
SELECT * FROM sessions WHERE topic_id = :topic_id AND agent = :agent ORDER BY generation DESC LIMIT 1;

-- name: add
INSERT INTO sessions (id, workspace_id, topic_id, agent, computer_id, generation, created_at)
VALUES (:id, :workspace_id, :topic_id, :agent, :computer_id, :generation, :now);

-- name: by_id
SELECT * FROM sessions WHERE id = :id AND workspace_id = :workspace_id;

-- name: bind
UPDATE sessions SET native_session = :native_session WHERE id = :id;

-- name: seen
-- On another computer the program begins a conversation of its own.
UPDATE sessions SET seen_message = CASE WHEN seen_message < :message_id THEN :message_id ELSE seen_message END,
                    native_session = CASE WHEN computer_id IS NULL OR computer_id = :computer_id THEN native_session END,
                    computer_id = :computer_id
 WHERE id = :id;

-- name: freeze
-- At its first run, and when a person applies a newer profile.
UPDATE sessions SET profile = :profile WHERE id = :id;

-- name: outdated
-- The newest session of each topic that goes on with another profile.
SELECT s.* FROM sessions s
 WHERE s.workspace_id = :workspace_id AND s.agent = :agent AND s.profile IS NOT NULL AND s.profile <> :profile
   AND (CAST(:topic_id AS BIGINT) IS NULL OR s.topic_id = :topic_id)
   AND NOT EXISTS (SELECT 1 FROM sessions n WHERE n.topic_id = s.topic_id AND n.agent = s.agent AND n.generation > s.generation)
 ORDER BY s.topic_id
 LIMIT :limit;

-- name: page
SELECT s.* FROM sessions s JOIN topics t ON t.id = s.topic_id
 WHERE s.workspace_id = :workspace_id AND s.id > :after
   AND (CAST(:topic_id AS BIGINT) IS NULL OR s.topic_id = :topic_id)
   AND (CAST(:agent AS TEXT) IS NULL OR s.agent = :agent)
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = t.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY s.id LIMIT :limit;
