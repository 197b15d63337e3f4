-- name: add
INSERT INTO rooms (id, workspace_id, name, title, rules, visibility, created_by, created_at, expires_at)
VALUES (:id, :workspace_id, :name, :title, :rules, :visibility, :created_by, :now, :expires_at);

-- name: expired
-- Also those that have ended while something still ran in them: what that said since goes too.
SELECT id, workspace_id, CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END AS has_ended
  FROM rooms
 WHERE expires_at <= :now AND (ended_at IS NULL OR archived_at IS NULL)
 ORDER BY has_ended, expires_at
 LIMIT :limit;

-- name: end
-- The id cannot be another room's name: the name is free again. Archived is what has nothing left to say.
UPDATE rooms
   SET name = id, title = '', rules = '', project_id = NULL, ended_at = COALESCE(ended_at, :now),
       archived_at = CASE WHEN EXISTS (SELECT 1 FROM runs r WHERE r.room_id = rooms.id
                                          AND r.status IN ('starting', 'running', 'waiting', 'paused'))
                          THEN archived_at ELSE COALESCE(archived_at, :now) END
 WHERE id = :id;

-- name: set_default_topic
UPDATE rooms SET default_topic = :topic_id WHERE id = :id;

-- name: by_id
SELECT * FROM rooms WHERE workspace_id = :workspace_id AND id = :ref;

-- name: by_name
SELECT * FROM rooms WHERE workspace_id = :workspace_id AND name = :ref;

-- name: by_prefix
SELECT * FROM rooms WHERE workspace_id = :workspace_id AND id >= :prefix AND id < :past ORDER BY id LIMIT 5;

-- name: sees
SELECT 1 AS sees FROM room_viewers
 WHERE room_id = :room_id AND ((kind = :kind AND principal = :principal) OR (kind = :kind2 AND principal = :principal2))
 LIMIT 1;

-- name: page
SELECT r.* FROM rooms r
 WHERE r.workspace_id = :workspace_id AND r.name > :after
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = r.id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY r.name LIMIT :limit;

-- name: any_hidden
SELECT 1 AS hidden FROM rooms r
 WHERE r.workspace_id = :workspace_id
   AND NOT EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = r.id
                    AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 LIMIT 1;

-- name: any_hidden_of
SELECT 1 AS hidden FROM rooms r
 WHERE r.project_id = :project_id AND r.ended_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = r.id
                    AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 LIMIT 1;

-- name: visible_ids
-- For streams, which filter events in memory.
SELECT r.id FROM rooms r
 WHERE r.workspace_id = :workspace_id
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = r.id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)));

-- name: change
UPDATE rooms SET title = :title, rules = :rules, debounce_for = :debounce_for, digest_every = :digest_every,
                 max_duration = :max_duration, busy = :busy, deny_after = :deny_after, approvers = :approvers, fresh = :fresh,
                 hop_limit = :hop_limit
 WHERE id = :id;

-- name: next_seq
-- The room's row is locked from here to the commit, so numbers follow commit order.
UPDATE rooms SET seq = seq + 1 WHERE id = :id RETURNING seq;

-- name: lock
-- The first lock of every transaction that touches a lane of the room.
SELECT id FROM rooms WHERE id = :id;

-- name: set_member
-- Who begins to get digests gets them of what is said from then on.
INSERT INTO members (room_id, kind, principal, mode, joined_at, digest_at, digest_seq)
VALUES (:room_id, :kind, :principal, :mode, :now, :now, (SELECT seq FROM rooms WHERE id = :room_id))
ON CONFLICT (room_id, kind, principal) DO UPDATE
   SET mode = excluded.mode,
       digest_at = CASE WHEN members.mode = 'periodic' THEN members.digest_at ELSE excluded.digest_at END,
       digest_seq = CASE WHEN members.mode = 'periodic' THEN members.digest_seq ELSE excluded.digest_seq END;

-- name: remove_member
DELETE FROM members WHERE room_id = :room_id AND kind = :kind AND principal = :principal;

-- name: member
SELECT m.*, COALESCE(u.username, g.name, m.principal) AS name,
       COALESCE(a.display_name, u.display_name, g.name, m.principal) AS display_name,
       a.runtime AS runtime, ms.role AS role
  FROM members m
  JOIN rooms r ON r.id = m.room_id
  LEFT JOIN users u ON m.kind = 'user' AND u.id = m.principal
  LEFT JOIN memberships ms ON ms.user_id = u.id AND ms.workspace_id = r.workspace_id
  LEFT JOIN agents a ON m.kind = 'agent' AND a.workspace_id = r.workspace_id AND a.key = m.principal
  LEFT JOIN guests g ON m.kind = 'guest' AND g.id = m.principal
 WHERE m.room_id = :room_id AND m.kind = :kind AND m.principal = :principal;

-- name: members
SELECT m.*, COALESCE(u.username, g.name, m.principal) AS name,
       COALESCE(a.display_name, u.display_name, g.name, m.principal) AS display_name,
       a.runtime AS runtime, ms.role AS role
  FROM members m
  JOIN rooms r ON r.id = m.room_id
  LEFT JOIN users u ON m.kind = 'user' AND u.id = m.principal
  LEFT JOIN memberships ms ON ms.user_id = u.id AND ms.workspace_id = r.workspace_id
  LEFT JOIN agents a ON m.kind = 'agent' AND a.workspace_id = r.workspace_id AND a.key = m.principal
  LEFT JOIN guests g ON m.kind = 'guest' AND g.id = m.principal
 WHERE m.room_id = :room_id AND (m.kind > :after_kind OR (m.kind = :after_kind AND m.principal > :after_principal))
 ORDER BY m.kind, m.principal LIMIT :limit;

-- name: agents_in
-- What addressing and receipts need, in one look.
SELECT m.principal AS key, a.display_name, m.mode, a.enabled, a.runtime, a.concurrency, a.computer_id, c.name AS computer_name,
       COALESCE(c.is_offline, 1) AS is_offline, COALESCE(c.draining, 0) AS draining, c.revoked_at
  FROM members m
  JOIN rooms r ON r.id = m.room_id
  JOIN agents a ON a.workspace_id = r.workspace_id AND a.key = m.principal
  LEFT JOIN computers c ON c.id = a.computer_id
 WHERE m.room_id = :room_id AND m.kind = 'agent'
 ORDER BY m.principal;

-- name: people_in
-- Users that can be mentioned: everyone in the workspace in an open room, members alone in a private one.
SELECT u.id, u.username, u.display_name
  FROM users u
  JOIN memberships ms ON ms.user_id = u.id
  JOIN rooms r ON r.workspace_id = ms.workspace_id
 WHERE r.id = :room_id AND u.disabled = 0
   AND (r.visibility = 'workspace'
        OR EXISTS (SELECT 1 FROM members m WHERE m.room_id = r.id AND m.kind = 'user' AND m.principal = u.id))
 ORDER BY u.username;

-- name: name_is_taken
-- A guest may not use the name of a user or an agent.
SELECT 1 AS taken FROM agents WHERE workspace_id = :workspace_id AND lower(key) = lower(:name)
UNION ALL
SELECT 1 FROM users u JOIN memberships ms ON ms.user_id = u.id
 WHERE ms.workspace_id = :workspace_id AND lower(u.username) = lower(:name)
LIMIT 1;

-- name: due_digests
SELECT m.room_id, m.principal AS agent, m.digest_seq, r.workspace_id, r.seq, r.digest_every, r.default_topic
  FROM members m JOIN rooms r ON r.id = m.room_id
 WHERE m.mode = 'periodic' AND m.digest_at + r.digest_every <= :now
 ORDER BY m.digest_at LIMIT :limit;

-- name: digested
UPDATE members SET digest_at = :now, digest_seq = :seq
 WHERE room_id = :room_id AND kind = 'agent' AND principal = :agent;
