-- What an agent's profile holds beside its instructions. `skills` and `servers` are names that its computer knows; `settings`
-- is for its program's sandbox; `isolation` is put before its program, as a container's command line.
ALTER TABLE agents ADD COLUMN skills TEXT NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN servers TEXT NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE agents ADD COLUMN isolation TEXT;

-- The profile a session began with; without one it has not begun.
ALTER TABLE sessions ADD COLUMN profile TEXT;
