-- name: lock_client_id
-- There is no row to lock before the first request is committed, so the name itself is locked.
SELECT pg_advisory_xact_lock(hashtextextended(:name, 0));
