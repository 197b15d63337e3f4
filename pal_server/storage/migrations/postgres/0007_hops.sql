-- How often agents may pass a message of a person on in this room before a card asks people.
ALTER TABLE rooms ADD COLUMN hop_limit BIGINT NOT NULL DEFAULT 8 CHECK (hop_limit BETWEEN 1 AND 100);
