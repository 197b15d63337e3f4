-- The project a standing approval holds in; before there were projects, and in a room of none, it is the room's.

ALTER TABLE approval_rules ADD COLUMN project_id TEXT;
