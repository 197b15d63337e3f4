-- tsvector has its own match operator and language, hence one variant per engine.

-- name: put(message_id, room, body)
-- A second text for the same message replaces the first. The words are split here in Python (both engines find the same), so the vector
-- comes ready-made.
INSERT INTO message_index (message_id, room, body)
VALUES (:message_id, :room, CAST(:body AS tsvector))
ON CONFLICT (message_id) DO UPDATE SET room = excluded.room, body = excluded.body;

-- name: remove(message_id)
DELETE FROM message_index WHERE message_id = :message_id;

-- name: remove_room(room_id)
DELETE FROM message_index WHERE message_id IN (SELECT id FROM messages WHERE room_id = :room_id);

-- name: find(query, before, limit)
SELECT message_id
  FROM message_index
 WHERE body @@ CAST(:query AS tsquery) AND message_id < :before
 ORDER BY message_id DESC
 LIMIT :limit;

-- name: find_after(query, after, limit)
SELECT message_id
  FROM message_index
 WHERE body @@ CAST(:query AS tsquery) AND message_id > :after
 ORDER BY message_id
 LIMIT :limit;
