-- What was chosen for an agent in one topic.

-- name: find
SELECT * FROM topic_choices WHERE topic_id = :topic_id AND agent = :agent;

-- name: put
INSERT INTO topic_choices (topic_id, agent, model, effort, mode) VALUES (:topic_id, :agent, :model, :effort, :mode)
ON CONFLICT (topic_id, agent) DO UPDATE SET model = excluded.model, effort = excluded.effort, mode = excluded.mode;

-- name: forget
-- The agent is deleted; a successor of its name begins with its own profile.
DELETE FROM topic_choices
 WHERE agent = :agent AND topic_id IN (SELECT t.id FROM topics t JOIN rooms r ON r.id = t.room_id
                                        WHERE r.workspace_id = :workspace_id);
