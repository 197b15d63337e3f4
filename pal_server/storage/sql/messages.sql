-- name: add
INSERT INTO messages (workspace_id, room_id, topic_id, seq, parent_id, kind, sender_kind, sender, sender_name,
                      sender_origin, sender_key, content, mentions, unresolved, files, card, run_id, chain_id, hop,
                      client_id, created_at)
VALUES (:workspace_id, :room_id, :topic_id, :seq, :parent_id, :kind, :sender_kind, :sender, :sender_name,
        :sender_origin, :sender_key, :content, :mentions, :unresolved, :files, :card, :run_id, :chain_id, :hop,
        :client_id, :now)
RETURNING id;

-- name: by_id
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.id = :id AND m.workspace_id = :workspace_id;

-- name: room_after
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.room_id = :room_id AND m.seq > :after ORDER BY m.seq LIMIT :limit;

-- name: room_before
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.room_id = :room_id AND m.seq < :before ORDER BY m.seq DESC LIMIT :limit;

-- name: seq_at
-- The place in a room of a message id that may belong to another room.
SELECT COALESCE(MAX(seq), 0) AS seq FROM messages WHERE room_id = :room_id AND id <= :id;

-- name: seq_of
SELECT seq FROM messages WHERE id = :id AND room_id = :room_id;

-- name: topic_after
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.topic_id = :topic_id AND m.id > :after ORDER BY m.id LIMIT :limit;

-- name: topic_before
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.topic_id = :topic_id AND m.id < :before ORDER BY m.id DESC LIMIT :limit;

-- name: replies_after
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.parent_id = :parent_id AND m.id > :after ORDER BY m.id LIMIT :limit;

-- name: replies_before
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.parent_id = :parent_id AND m.id < :before ORDER BY m.id DESC LIMIT :limit;

-- name: all_after
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.workspace_id = :workspace_id AND m.id > :after
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = m.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY m.id LIMIT :limit;

-- name: all_before
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.workspace_id = :workspace_id AND m.id < :before
   AND EXISTS (SELECT 1 FROM room_viewers v WHERE v.room_id = m.room_id
                AND ((v.kind = :kind AND v.principal = :principal) OR (v.kind = :kind2 AND v.principal = :principal2)))
 ORDER BY m.id DESC LIMIT :limit;

-- name: edit
UPDATE messages SET content = :content, mentions = :mentions, unresolved = :unresolved, edited_at = :now
 WHERE id = :id AND deleted_at IS NULL;

-- name: delete
-- The row stays, so that numbers and replies keep their place; what was said goes.
UPDATE messages SET content = '', mentions = '[]', unresolved = '[]', files = '[]', card = NULL, deleted_at = :now
 WHERE id = :id AND deleted_at IS NULL;

-- name: set_card
UPDATE messages SET card = :card, edited_at = :now WHERE id = :id;

-- name: said_between
-- What an agent has not read of a topic: people's and agents' words, without its own.
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.topic_id = :topic_id AND m.id > :after AND m.id < :before AND m.kind = 'text' AND m.deleted_at IS NULL
   AND NOT (m.sender_kind = 'agent' AND m.sender = :agent)
 ORDER BY m.id DESC LIMIT :limit;

-- name: said_up_to
-- The end of what everybody had said in a topic.
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.topic_id = :topic_id AND m.id <= :up_to AND m.kind = 'text' AND m.deleted_at IS NULL
 ORDER BY m.id DESC LIMIT :limit;

-- name: said_itself_after
-- What an agent said soon after a message: its answers are among what comes next, however much others say later.
SELECT m.*, r.name AS room_name
  FROM (SELECT * FROM messages WHERE topic_id = :topic_id AND id > :after ORDER BY id LIMIT :within) m
  JOIN rooms r ON r.id = m.room_id
 WHERE m.sender_kind = 'agent' AND m.sender = :agent AND m.kind = 'text' AND m.deleted_at IS NULL
 ORDER BY m.id;

-- name: first_words
-- What began a topic.
SELECT content FROM messages
 WHERE topic_id = :topic_id AND kind = 'text' AND deleted_at IS NULL AND sender_kind <> 'agent' ORDER BY id LIMIT 1;

-- name: topic_carries
SELECT 1 AS yes FROM messages
 WHERE topic_id = :topic_id AND deleted_at IS NULL AND files <> '[]' AND files LIKE :pattern ESCAPE '!' LIMIT 1;

-- name: room_carries
SELECT 1 AS yes FROM messages
 WHERE room_id = :room_id AND deleted_at IS NULL AND files <> '[]' AND files LIKE :pattern ESCAPE '!' LIMIT 1;

-- name: unread
-- What came through a share link that calls nobody is nothing to run for. Such a sender's key is `guest:` and the link's id.
SELECT m.id, m.seq FROM messages m
 WHERE m.room_id = :room_id AND m.seq > :after AND m.kind = 'text' AND m.deleted_at IS NULL
   AND NOT (m.sender_kind = 'agent' AND m.sender = :agent)
   AND NOT EXISTS (SELECT 1 FROM shares s WHERE s.id = SUBSTR(m.sender_key, 7) AND s.may_trigger = 0)
 ORDER BY m.seq LIMIT :limit;

-- name: inbox_add
INSERT INTO inbox (workspace_id, agent, message_id, reason) VALUES (:workspace_id, :agent, :message_id, :reason)
ON CONFLICT DO NOTHING;

-- name: kept_for
SELECT i.agent, i.reason FROM inbox i JOIN messages m ON m.id = :message_id
  JOIN members r ON r.room_id = m.room_id AND r.kind = 'agent'
 WHERE i.workspace_id = m.workspace_id AND i.agent = r.principal AND i.message_id = :message_id
 ORDER BY i.agent;

-- name: inbox
-- Each half is cut to the page before they are put together: an agent's history may be long.
SELECT m.*, r.name AS room_name, i.reason AS inbox_reason, i.delivery_id, i.delivery_status
  FROM (SELECT * FROM (SELECT d.message_id, d.reason, d.id AS delivery_id, d.status AS delivery_status
                         FROM deliveries d JOIN messages said ON said.id = d.message_id
                        WHERE d.agent = :agent AND d.workspace_id = :workspace_id AND d.message_id > :after
                          AND said.deleted_at IS NULL
                        ORDER BY d.message_id LIMIT :limit) AS delivered
        UNION ALL
        SELECT * FROM (SELECT b.message_id, b.reason, CAST(NULL AS BIGINT), CAST(NULL AS TEXT)
                         FROM inbox b JOIN messages said ON said.id = b.message_id
                        WHERE b.workspace_id = :workspace_id AND b.agent = :agent AND b.message_id > :after
                          AND said.deleted_at IS NULL
                          AND NOT EXISTS (SELECT 1 FROM deliveries d
                                           WHERE d.agent = b.agent AND d.message_id = b.message_id)
                        ORDER BY b.message_id LIMIT :limit) AS kept) i
  JOIN messages m ON m.id = i.message_id
  JOIN rooms r ON r.id = m.room_id
 ORDER BY m.id LIMIT :limit;

-- name: lock_client_id
-- SQLite has one writer and needs no lock of its own.
SELECT :name AS locked;

-- name: client_id
SELECT verb, target, digest FROM client_ids
 WHERE actor = :actor AND client_id = :client_id;

-- name: keep_client_id
INSERT INTO client_ids (actor, client_id, verb, target, digest, created_at)
VALUES (:actor, :client_id, :verb, :target, :digest, :now);

-- name: last_of_run
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.topic_id = :topic_id AND m.run_id = :run_id AND m.kind = 'text' AND m.deleted_at IS NULL
 ORDER BY m.id DESC LIMIT 1;

-- name: by_ids_of_run
SELECT m.id FROM messages m WHERE m.topic_id = :topic_id AND m.id > :after AND m.run_id = :run_id ORDER BY m.id LIMIT :limit;

-- name: last_of_people
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.topic_id = :topic_id AND m.sender_kind IN ('user', 'guest') AND m.kind = 'text' AND m.deleted_at IS NULL
 ORDER BY m.id DESC LIMIT 1;

-- name: sent_by_run
-- In order of the key: after a crash it reads what was said since the run began, for which no send has to keep an index.
SELECT m.id FROM messages m
 WHERE m.id > :after AND m.run_id = :run_id AND m.kind = 'text' AND m.deleted_at IS NULL ORDER BY m.id LIMIT :limit;

-- name: unread_by_run
SELECT m.id FROM messages m
 WHERE m.topic_id = :topic_id AND m.id > :after AND m.kind = 'text' AND m.deleted_at IS NULL
   AND NOT (m.sender_kind = 'agent' AND m.sender = :agent)
   AND NOT EXISTS (SELECT 1 FROM deliveries d
                    WHERE d.message_id = m.id AND d.agent = :agent AND d.run_id = :run_id AND d.read_step IS NOT NULL)
 ORDER BY m.id LIMIT :limit;

-- name: cards_under
SELECT m.*, r.name AS room_name FROM messages m JOIN rooms r ON r.id = m.room_id
 WHERE m.parent_id = :parent_id AND m.kind = 'card' AND m.deleted_at IS NULL ORDER BY m.id DESC LIMIT 50;

-- name: forget_client_ids
-- Ids grow with time: everything below the oldest one to keep may go, and finding that one reads only what goes.
DELETE FROM client_ids WHERE id IN (
    SELECT id FROM client_ids
     WHERE id < COALESCE((SELECT id FROM client_ids WHERE created_at >= :before ORDER BY id LIMIT 1), 9223372036854775807)
     ORDER BY id LIMIT :limit);
