-- Words of messages, split by `storage/search.py`; the vector holds the room as one more word.
CREATE TABLE message_index (
    message_id BIGINT PRIMARY KEY,
    room       TEXT NOT NULL,
    body       TSVECTOR NOT NULL
);
CREATE INDEX message_index_body ON message_index USING gin (body) WITH (fastupdate = off);
