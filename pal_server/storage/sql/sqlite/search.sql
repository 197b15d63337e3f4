-- FTS5 has its own match operator and language, hence one variant per engine.

-- name: put(message_id, room, body)
-- A second text for the same message replaces the first.
INSERT OR REPLACE INTO message_index (rowid, body, room)
VALUES (:message_id, :body, :room);

-- name: remove(message_id)
DELETE FROM message_index WHERE rowid = :message_id;

-- name: remove_room(room_id)
DELETE FROM message_index WHERE rowid IN (SELECT id FROM messages WHERE room_id = :room_id);

-- name: find(query, before, limit)
-- Newest first by rowid: ordering by rank reads every hit, seconds for a common word.
SELECT rowid AS message_id
  FROM message_index
 WHERE message_index MATCH :query AND rowid < :before
 ORDER BY rowid DESC
 LIMIT :limit;

-- name: find_after(query, after, limit)
SELECT rowid AS message_id
  FROM message_index
 WHERE message_index MATCH :query AND rowid > :after
 ORDER BY rowid
 LIMIT :limit;
