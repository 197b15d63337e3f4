-- What a person keeps of their own: how far they have read, what they began to write, how they like things.

-- Up to which message a person has read a topic. Without a row: everything that was said before the person came.
CREATE TABLE reads (
    user_id    TEXT NOT NULL REFERENCES users (id),
    topic_id   INTEGER NOT NULL REFERENCES topics (id),
    message_id INTEGER NOT NULL,
    PRIMARY KEY (user_id, topic_id)
);

CREATE TABLE drafts (
    user_id    TEXT NOT NULL REFERENCES users (id),
    topic_id   INTEGER NOT NULL REFERENCES topics (id),
    content    TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, topic_id)
);

-- Messages to be sent later, in the order of their places.
CREATE TABLE saved (
    id         INTEGER PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id),
    topic_id   INTEGER NOT NULL REFERENCES topics (id),
    content    TEXT NOT NULL,
    place      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX saved_of ON saved (user_id, place);

CREATE TABLE preferences (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    data    TEXT NOT NULL
);

-- When somebody was last here with a browser, and whether that was announced.
ALTER TABLE users ADD COLUMN seen_at INTEGER;
ALTER TABLE users ADD COLUMN is_present INTEGER NOT NULL DEFAULT 0;
CREATE INDEX users_present ON users (seen_at) WHERE is_present = 1;
