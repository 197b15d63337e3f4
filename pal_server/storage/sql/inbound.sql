-- What platforms told.

-- name: find(bot_id, event)
SELECT * FROM inbound_events WHERE bot_id = :bot_id AND event = :event;

-- name: by_id(workspace_id, id)
SELECT * FROM inbound_events WHERE workspace_id = :workspace_id AND id = :id;

-- name: insert(workspace_id, bot_id, event, kind, chat, thread, person, identity_id, ref, outcome, message_id, answer, held, raw, said_at, now)
-- No row back: the same event again, told at the same moment on another server.
INSERT INTO inbound_events (workspace_id, bot_id, event, kind, chat, thread, person, identity_id, ref, outcome, message_id,
                            answer, held, raw, said_at, received_at)
VALUES (:workspace_id, :bot_id, :event, :kind, :chat, :thread, :person, :identity_id, :ref, :outcome, :message_id,
        :answer, :held, :raw, :said_at, :now)
ON CONFLICT (bot_id, event) DO NOTHING
RETURNING id;

-- name: finish(id, outcome, message_id, answer)
UPDATE inbound_events SET outcome = :outcome, message_id = :message_id, answer = :answer, held = NULL
 WHERE id = :id AND outcome = 'waiting';

-- name: press_again(id, outcome, answer)
UPDATE inbound_events SET outcome = :outcome, answer = :answer WHERE id = :id AND outcome = 'refused';

-- name: waiting(bot_id, limit)
SELECT * FROM inbound_events WHERE bot_id = :bot_id AND outcome = 'waiting' ORDER BY id LIMIT :limit;

-- name: waiting_as(bot_id, chat, ref)
-- The message as it is on the platform, while its files are being fetched.
SELECT * FROM inbound_events WHERE bot_id = :bot_id AND outcome = 'waiting' AND chat = :chat AND ref = :ref ORDER BY id LIMIT 1;

-- name: reword(id, held)
UPDATE inbound_events SET held = :held WHERE id = :id AND outcome = 'waiting';

-- name: said_since(identity_id, since)
SELECT COUNT(*) AS said FROM inbound_events
 WHERE identity_id = :identity_id AND kind = 'said' AND received_at >= :since AND outcome IN ('waiting', 'done');

-- name: of_message(message_id, workspace_id)
SELECT i.*, b.platform FROM inbound_events i JOIN bots b ON b.id = i.bot_id
 WHERE i.workspace_id = :workspace_id AND i.message_id = :message_id AND i.kind = 'said'
 ORDER BY i.id LIMIT 1;

-- name: list_page(workspace_id, platform, before, limit)
SELECT i.*, b.platform, b.app_id FROM inbound_events i JOIN bots b ON b.id = i.bot_id
 WHERE i.workspace_id = :workspace_id AND (b.platform = :platform OR :platform = '') AND i.id < :before
 ORDER BY i.id DESC LIMIT :limit;

-- name: clear_raw(before, keep_from)
-- People look at the newest only.
UPDATE inbound_events SET raw = '' WHERE raw <> '' AND (received_at < :before OR id < :keep_from);

-- name: keep_from(keep)
-- The oldest of the newest ones.
SELECT MIN(id) AS id FROM (SELECT id FROM inbound_events ORDER BY id DESC LIMIT :keep) AS newest;
