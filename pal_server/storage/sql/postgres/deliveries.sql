-- name: locked
-- SQLite has one writer; here the row is held until the commit.
SELECT * FROM deliveries WHERE id = :id AND workspace_id = :workspace_id FOR UPDATE;

-- name: ready
-- Two daemons or two servers claiming at once pass each other by instead of waiting.
SELECT * FROM deliveries
 WHERE workspace_id = :workspace_id AND agent = :agent AND status = 'pending' AND waits = 0 AND not_before <= :now
 ORDER BY id LIMIT :limit
   FOR UPDATE SKIP LOCKED;
