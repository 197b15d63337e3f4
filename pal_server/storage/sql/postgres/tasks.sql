-- name: lock
-- SQLite has one writer; here the row is held until the commit.
SELECT id FROM tasks WHERE id = :id FOR UPDATE;

-- name: lock_order
-- A circle may go through many tasks, of which each request holds one: who comes after whom in a project is said by one at a time.
SELECT pg_advisory_xact_lock(hashtextextended('order of ' || :project_id, 0));
