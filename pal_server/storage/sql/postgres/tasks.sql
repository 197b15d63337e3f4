-- name: lock
-- SQLite has one writer; here the row is held until the commit.
SELECT id FROM tasks WHERE id = :id FOR UPDATE;
