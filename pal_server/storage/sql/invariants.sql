-- Rules over rows. Each statement returns the rows that break it, the first column naming one; a rule's name is what people read.

-- name: the_log_has_a_hole()
-- Retention may take the oldest events, never one between others, and the newest one is where the workspace stands.
SELECT w.id
  FROM workspaces w
  JOIN (SELECT workspace_id, MIN(position) AS oldest, MAX(position) AS newest, COUNT(*) AS stored
          FROM events
         GROUP BY workspace_id) e
    ON e.workspace_id = w.id
 WHERE e.newest <> w.position OR e.stored <> e.newest - e.oldest + 1;

-- name: a_room_is_behind_its_messages()
SELECT r.id
  FROM rooms r
 WHERE r.seq < (SELECT COALESCE(MAX(m.seq), 0) FROM messages m WHERE m.room_id = r.id);

-- name: a_message_is_in_a_topic_of_another_room()
SELECT m.id
  FROM messages m
  JOIN topics t ON t.id = m.topic_id
 WHERE t.room_id <> m.room_id;

-- name: a_reply_is_in_another_room_than_its_parent()
SELECT m.id
  FROM messages m
  JOIN messages p ON p.id = m.parent_id
 WHERE p.room_id <> m.room_id;
