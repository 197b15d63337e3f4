-- People in control: messages told to a run that works, and the order of what waits.

-- What a message does when its agent is at work: wait, be told to the run, or stop it.
ALTER TABLE rooms ADD COLUMN busy TEXT NOT NULL DEFAULT 'queue' CHECK (busy IN ('queue', 'steer', 'interrupt'));

-- `steered_into` is the live run that was offered the words and, once they are read, the run that has them. What is ahead
-- goes before older ones of its lane.
ALTER TABLE deliveries ADD COLUMN steered_into INTEGER;
ALTER TABLE deliveries ADD COLUMN read_step INTEGER;
ALTER TABLE deliveries ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_steered ON deliveries (steered_into) WHERE steered_into IS NOT NULL;
CREATE INDEX deliveries_ahead ON deliveries (topic_id, agent, ahead, id) WHERE status = 'pending' AND ahead > 0;

-- What an agent may do without asking a person.
ALTER TABLE agents ADD COLUMN mode TEXT NOT NULL DEFAULT 'ask'
    CHECK (mode IN ('ask', 'accept_edits', 'auto', 'bypass', 'read_only', 'plan'));

-- What was chosen for an agent in one topic, in place of what its profile says.
CREATE TABLE topic_choices (
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    agent    TEXT NOT NULL,
    model    TEXT,
    effort   TEXT,
    mode     TEXT CHECK (mode IN ('ask', 'accept_edits', 'auto', 'bypass', 'read_only', 'plan')),
    PRIMARY KEY (topic_id, agent)
);

-- When a run that waits for a limit goes on, in UTC milliseconds.
ALTER TABLE runs ADD COLUMN resume_at INTEGER;

-- Nobody has named the topic yet: the first run that succeeds in it does.
ALTER TABLE topics ADD COLUMN is_placeholder INTEGER NOT NULL DEFAULT 0;
