-- Agents: named bots with a profile.

-- name: insert(workspace_id, key, display_name, runtime, now)
INSERT INTO agents (workspace_id, key, display_name, runtime, created_at, updated_at)
VALUES (:workspace_id, :key, :display_name, :runtime, :now, :now);

-- name: get(workspace_id, key)
SELECT a.workspace_id, a.key, a.display_name, a.description, a.runtime, a.computer_id, a.command, a.command_allowed, a.cwd,
       a.model, a.effort, a.mode, a.instructions, a.skills, a.servers, a.settings, a.isolation, a.account_id, a.concurrency, a.max_duration, a.enabled, a.created_at, a.updated_at,
       c.name AS computer_name, c.runtimes, c.last_seen_at, c.revoked_at,
       x.label AS account_label, x.bin AS account_bin, x.disabled AS account_disabled
  FROM agents a LEFT JOIN computers c ON c.id = a.computer_id LEFT JOIN accounts x ON x.id = a.account_id
 WHERE a.workspace_id = :workspace_id AND a.key = :key;

-- name: list_page(workspace_id, after, limit)
SELECT a.workspace_id, a.key, a.display_name, a.description, a.runtime, a.computer_id, a.command, a.command_allowed, a.cwd,
       a.model, a.effort, a.mode, a.instructions, a.skills, a.servers, a.settings, a.isolation, a.account_id, a.concurrency, a.max_duration, a.enabled, a.created_at, a.updated_at,
       c.name AS computer_name, c.runtimes, c.last_seen_at, c.revoked_at,
       x.label AS account_label, x.bin AS account_bin, x.disabled AS account_disabled
  FROM agents a LEFT JOIN computers c ON c.id = a.computer_id LEFT JOIN accounts x ON x.id = a.account_id
 WHERE a.workspace_id = :workspace_id AND a.key > :after
 ORDER BY a.key
 LIMIT :limit;

-- name: list_of_computer(computer_id)
SELECT a.workspace_id, a.key, a.display_name, a.description, a.runtime, a.computer_id, a.command, a.command_allowed, a.cwd,
       a.model, a.effort, a.mode, a.instructions, a.skills, a.servers, a.settings, a.isolation, a.account_id, a.concurrency, a.max_duration, a.enabled, a.created_at, a.updated_at,
       c.name AS computer_name, c.runtimes, c.last_seen_at, c.revoked_at,
       x.label AS account_label, x.bin AS account_bin, x.disabled AS account_disabled
  FROM agents a JOIN computers c ON c.id = a.computer_id LEFT JOIN accounts x ON x.id = a.account_id
 WHERE a.computer_id = :computer_id
 ORDER BY a.key;

-- name: shares_room(one, other)
SELECT 1 AS yes
  FROM members m JOIN members n ON n.room_id = m.room_id
 WHERE m.kind = 'agent' AND m.principal = :one AND n.kind = 'agent' AND n.principal = :other
 LIMIT 1;

-- name: update(workspace_id, key, display_name, description, runtime, command, command_allowed, cwd, model, effort, mode, instructions, skills, servers, settings, isolation, account_id, concurrency, max_duration, enabled, now)
UPDATE agents
   SET display_name = :display_name, description = :description, runtime = :runtime, command = :command,
       command_allowed = :command_allowed, cwd = :cwd, model = :model, effort = :effort, mode = :mode,
       instructions = :instructions, skills = :skills, servers = :servers, settings = :settings, isolation = :isolation,
       account_id = :account_id, concurrency = :concurrency, max_duration = :max_duration, enabled = :enabled, updated_at = :now
 WHERE workspace_id = :workspace_id AND key = :key;

-- name: assign(workspace_id, key, computer_id, account_id, now)
UPDATE agents
   SET computer_id = :computer_id, account_id = :account_id, updated_at = :now
 WHERE workspace_id = :workspace_id AND key = :key;

-- name: unstarted(workspace_id, key)
SELECT id, room_id
  FROM deliveries
 WHERE workspace_id = :workspace_id AND agent = :key AND status = 'claimed' AND started = 0
 ORDER BY room_id, id;

-- name: delete(workspace_id, key)
DELETE FROM agents WHERE workspace_id = :workspace_id AND key = :key;

-- name: leave_rooms(workspace_id, key)
DELETE FROM members
 WHERE kind = 'agent' AND principal = :key AND room_id IN (SELECT id FROM rooms WHERE workspace_id = :workspace_id);

-- name: empty_inbox(workspace_id, key)
DELETE FROM inbox WHERE workspace_id = :workspace_id AND agent = :key;

-- name: forget_sessions(workspace_id, key)
-- The name is free again: whoever takes it must not wake up in somebody else's conversation.
UPDATE sessions SET native_session = NULL, computer_id = NULL, seen_message = 0, profile = NULL WHERE workspace_id = :workspace_id AND agent = :key;
