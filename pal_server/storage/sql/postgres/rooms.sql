-- name: lock
-- SQLite has one writer and needs no lock of its own.
SELECT id FROM rooms WHERE id = :id FOR UPDATE;
