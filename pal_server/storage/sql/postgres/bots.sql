-- name: locked
-- SQLite has one writer; here the row is held until the commit.
SELECT * FROM bots WHERE workspace_id = :workspace_id AND id = :id FOR UPDATE;
