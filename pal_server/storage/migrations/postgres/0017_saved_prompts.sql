-- What a person says again and again, kept under a name that is theirs alone.
CREATE TABLE saved_prompts (
    user_id    TEXT NOT NULL REFERENCES users (id),
    name       TEXT NOT NULL,
    content    TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, name)
);
