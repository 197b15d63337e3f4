-- Computers: machines with a daemon.

-- name: insert(id, workspace_id, name, now)
INSERT INTO computers (id, workspace_id, name, created_at) VALUES (:id, :workspace_id, :name, :now);

-- name: get(id)
SELECT c.id, c.workspace_id, c.name, c.machine, c.epoch, c.host, c.os, c.daemon_version, c.runtimes, c.checkouts, c.beat_every, c.max_runs,
       c.draining, c.is_offline, c.last_seen_at, c.created_at, c.revoked_at,
       (SELECT COUNT(*) FROM runs r WHERE r.computer_id = c.id AND r.status IN ('starting', 'running', 'waiting', 'paused'))
           AS live_runs
  FROM computers c
 WHERE c.id = :id;

-- name: by_name(workspace_id, name)
-- The short handle of a computer that is not revoked.
SELECT id FROM computers WHERE workspace_id = :workspace_id AND name = :name AND revoked_at IS NULL;

-- name: by_prefix(workspace_id, pattern)
SELECT id FROM computers WHERE workspace_id = :workspace_id AND id LIKE :pattern ORDER BY id LIMIT 6;

-- name: list_page(workspace_id, at, id, limit)
SELECT c.id, c.workspace_id, c.name, c.machine, c.epoch, c.host, c.os, c.daemon_version, c.runtimes, c.checkouts, c.beat_every, c.max_runs,
       c.draining, c.is_offline, c.last_seen_at, c.created_at, c.revoked_at,
       (SELECT COUNT(*) FROM runs r WHERE r.computer_id = c.id AND r.status IN ('starting', 'running', 'waiting', 'paused'))
           AS live_runs
  FROM computers c
 WHERE c.workspace_id = :workspace_id AND (c.created_at, c.id) > (:at, :id)
 ORDER BY c.created_at, c.id
 LIMIT :limit;

-- name: agents_of(computer_id)
SELECT key FROM agents WHERE computer_id = :computer_id ORDER BY key;

-- name: assigned(workspace_id)
SELECT computer_id, key FROM agents WHERE workspace_id = :workspace_id AND computer_id IS NOT NULL ORDER BY key;

-- name: connect(id, machine, epoch, host, os, daemon_version, runtimes, beat_every, now)
UPDATE computers
   SET machine = :machine, epoch = :epoch, host = :host, os = :os, daemon_version = :daemon_version,
       runtimes = :runtimes, beat_every = :beat_every, is_offline = 0, last_seen_at = :now
 WHERE id = :id AND revoked_at IS NULL;

-- name: lock(id)
-- Two daemons with one key are let in one after the other. An UPDATE that changes nothing locks on both engines.
UPDATE computers SET epoch = epoch WHERE id = :id;

-- name: beat(id, now)
UPDATE computers SET last_seen_at = :now, is_offline = 0 WHERE id = :id AND revoked_at IS NULL;

-- name: set_runtimes(id, runtimes)
UPDATE computers SET runtimes = :runtimes WHERE id = :id;

-- name: set_checkouts(id, checkouts)
UPDATE computers SET checkouts = :checkouts WHERE id = :id;

-- name: silent(now, beats, least)
-- Computers not heard of for some beats and at least `least` milliseconds.
SELECT id
  FROM computers
 WHERE is_offline = 0 AND last_seen_at < :now - :least AND last_seen_at < :now - :beats * beat_every
 ORDER BY id;

-- name: mark_offline(id, now, beats, least)
-- Guarded again: it may have been heard of in the meantime.
UPDATE computers
   SET is_offline = 1
 WHERE id = :id AND is_offline = 0 AND last_seen_at < :now - :least AND last_seen_at < :now - :beats * beat_every;

-- name: set_draining(id, draining)
UPDATE computers SET draining = :draining WHERE id = :id;

-- name: cut_off(id)
-- Its key is void: no daemon holds it any more, and one that did is fenced out.
UPDATE computers SET machine = NULL, epoch = epoch + 1, is_offline = 1 WHERE id = :id;

-- name: revoke(id, now)
UPDATE computers SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: stall(run_id, computer_id, now)
UPDATE runs
   SET stalled_since = :now
 WHERE id = :run_id AND computer_id = :computer_id AND stalled_since IS NULL
   AND status IN ('starting', 'running', 'waiting', 'paused')
RETURNING id, room_id, stalled_since;

-- name: stalled(computer_id)
SELECT id
  FROM runs
 WHERE computer_id = :computer_id AND stalled_since IS NOT NULL AND status IN ('starting', 'running', 'waiting', 'paused');

-- name: unstall(run_id, computer_id)
UPDATE runs SET stalled_since = NULL WHERE id = :run_id AND computer_id = :computer_id
RETURNING id, room_id, stalled_since;
