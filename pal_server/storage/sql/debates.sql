-- name: add
INSERT INTO debates (id, workspace_id, room_id, topic_id, a, b, turns, status, created_at)
VALUES (:id, :workspace_id, :room_id, :topic_id, :a, :b, :turns, 'running', :now);

-- name: by_id
SELECT * FROM debates WHERE id = :id AND workspace_id = :workspace_id;

-- name: of_topic
SELECT * FROM debates WHERE topic_id = :topic_id;

-- name: put
UPDATE debates SET taken = :taken, status = :status WHERE id = :id AND status = 'running';
