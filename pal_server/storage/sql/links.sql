-- Links: which outside place is which room and topic, and which outside message is which of ours.

-- name: find(bot_id, chat, thread)
SELECT * FROM links WHERE bot_id = :bot_id AND chat = :chat AND thread = :thread;

-- name: by_id(id)
SELECT * FROM links WHERE id = :id;

-- name: of_place(workspace_id, platform, chat, thread)
-- The same place as other bots know it; the oldest first.
SELECT * FROM links
 WHERE workspace_id = :workspace_id AND platform = :platform AND chat = :chat AND thread = :thread
 ORDER BY id;

-- name: room_of_chat(workspace_id, platform, chat)
SELECT room_id FROM links WHERE workspace_id = :workspace_id AND platform = :platform AND chat = :chat ORDER BY id LIMIT 1;

-- name: insert(workspace_id, bot_id, platform, chat, thread, kind, title, memo, room_id, topic_id, answer_to, asker, now)
INSERT INTO links (workspace_id, bot_id, platform, chat, thread, kind, title, memo, room_id, topic_id, answer_to, asker,
                   created_at, last_at)
VALUES (:workspace_id, :bot_id, :platform, :chat, :thread, :kind, :title, :memo, :room_id, :topic_id, :answer_to, :asker,
        :now, :now)
RETURNING id;

-- name: heard(id, title, memo, answer_to, asker, now)
-- What is empty leaves what was known.
UPDATE links
   SET title = CASE WHEN :title = '' THEN title ELSE :title END, memo = CASE WHEN :memo = '' THEN memo ELSE :memo END,
       answer_to = CASE WHEN :answer_to = '' THEN answer_to ELSE :answer_to END, asker = :asker, last_at = :now
 WHERE id = :id;

-- name: lead_to(workspace_id, platform, chat, thread, topic_id)
UPDATE links SET topic_id = :topic_id
 WHERE workspace_id = :workspace_id AND platform = :platform AND chat = :chat AND thread = :thread;

-- name: add_topic(topic_id, link_id)
INSERT INTO linked_topics (topic_id, link_id) VALUES (:topic_id, :link_id) ON CONFLICT (topic_id, link_id) DO NOTHING;

-- name: of_topic(topic_id)
SELECT l.* FROM links l JOIN linked_topics t ON t.link_id = l.id WHERE t.topic_id = :topic_id ORDER BY l.id;

-- name: rooms(workspace_id)
SELECT DISTINCT room_id FROM links WHERE workspace_id = :workspace_id;

-- name: any(workspace_id)
SELECT 1 AS there FROM links WHERE workspace_id = :workspace_id LIMIT 1;

-- name: recent(bot_id, since, limit)
SELECT * FROM links WHERE bot_id = :bot_id AND last_at >= :since ORDER BY last_at DESC LIMIT :limit;

-- name: of_chat(bot_id, chat, since, limit)
SELECT * FROM links WHERE bot_id = :bot_id AND chat = :chat AND last_at >= :since ORDER BY last_at DESC, id DESC LIMIT :limit;

-- name: remember_ref(workspace_id, platform, chat, ref, message_id, bot_id, incoming)
INSERT INTO outside_refs (workspace_id, platform, chat, ref, message_id, bot_id, incoming)
VALUES (:workspace_id, :platform, :chat, :ref, :message_id, :bot_id, :incoming)
ON CONFLICT (workspace_id, platform, chat, ref) DO NOTHING;

-- name: message_of_ref(workspace_id, platform, chat, ref)
SELECT message_id FROM outside_refs
 WHERE workspace_id = :workspace_id AND platform = :platform AND chat = :chat AND ref = :ref;

-- name: refs_of_message(message_id)
SELECT platform, chat, ref, bot_id FROM outside_refs WHERE message_id = :message_id AND incoming = 1 ORDER BY ref;
