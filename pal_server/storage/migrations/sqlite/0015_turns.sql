-- What an attempt is given beside its prompt: model, effort and mode, of which its run keeps a copy (runs.profile); and what is
-- told before the prompt where the program's own session turns out to be gone.
ALTER TABLE deliveries ADD COLUMN profile TEXT;
ALTER TABLE deliveries ADD COLUMN recap TEXT;

-- Opening a topic asks for the newest words of a person, however much agents have said since.
CREATE INDEX messages_of_people ON messages (topic_id, id)
    WHERE sender_kind IN ('user', 'guest') AND kind = 'text' AND deleted_at IS NULL;
