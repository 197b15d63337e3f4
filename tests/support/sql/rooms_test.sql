-- Everything that may hold words, for the test that none is left.

-- name: messages()
SELECT * FROM messages;

-- name: events()
SELECT * FROM events;

-- name: rooms()
SELECT * FROM rooms;

-- name: topics()
SELECT * FROM topics;

-- name: runs()
SELECT * FROM runs;

-- name: run_events()
SELECT * FROM run_events;

-- name: interactions()
SELECT * FROM interactions;

-- name: files()
SELECT * FROM files;

-- name: wanted(id)
SELECT wanted FROM runs WHERE id = :id;
