-- Orders for runs that have ended: put aside what a dropped one left, read the log of one again.

ALTER TABLE commands DROP CONSTRAINT commands_kind_check;
ALTER TABLE commands ADD CONSTRAINT commands_kind_check
    CHECK (kind IN ('kill', 'stop', 'steer', 'answer', 'set_aside', 'rebuild'));
