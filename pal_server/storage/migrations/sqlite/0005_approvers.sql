-- Approvals by two people, bound to the folder they are for; suggestions from history; questions with options; drafts.

-- How many people have to approve what an agent of the room asks for.
ALTER TABLE rooms ADD COLUMN approvers INTEGER NOT NULL DEFAULT 1 CHECK (approvers IN (1, 2));

-- Whether an agent's answer is held when something newer was said that it has not read.
ALTER TABLE rooms ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0;

-- `approvals` are those who have approved; with `needs` of them it is answered. `action_hash` is of what is asked, whichever
-- run asks. `questions` are those of a card that asks several, or lets several options be chosen.
ALTER TABLE interactions ADD COLUMN folder TEXT NOT NULL DEFAULT '';
ALTER TABLE interactions ADD COLUMN needs INTEGER NOT NULL DEFAULT 1;
ALTER TABLE interactions ADD COLUMN approvals TEXT NOT NULL DEFAULT '[]';
ALTER TABLE interactions ADD COLUMN action_hash TEXT;
ALTER TABLE interactions ADD COLUMN suggestion TEXT;
ALTER TABLE interactions ADD COLUMN questions TEXT NOT NULL DEFAULT '[]';
CREATE INDEX interactions_alike ON interactions (room_id, action_hash, id) WHERE action_hash IS NOT NULL;

-- A rule decides for a room that asks for two people only when two have made it.
ALTER TABLE approval_rules ADD COLUMN people INTEGER NOT NULL DEFAULT 1;
