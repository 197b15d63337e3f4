-- name: by_id
-- Two agents may speak in one chain at once, in different rooms: its counts and its one question are for one of them at a time.
SELECT * FROM chains WHERE id = :id FOR UPDATE;
