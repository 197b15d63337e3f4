-- Bots: our apps on outside chats.

-- name: insert(id, workspace_id, platform, app_id, sealed, agent, label, name, bot_id, base_url, options, notify_chat, from_file, state, now)
INSERT INTO bots (id, workspace_id, platform, app_id, sealed, agent, label, name, bot_id, base_url, options, notify_chat,
                  from_file, state, created_at, updated_at)
VALUES (:id, :workspace_id, :platform, :app_id, :sealed, :agent, :label, :name, :bot_id, :base_url, :options, :notify_chat,
        :from_file, :state, :now, :now);

-- name: get(workspace_id, id)
SELECT * FROM bots WHERE workspace_id = :workspace_id AND id = :id;

-- name: locked(workspace_id, id)
SELECT * FROM bots WHERE workspace_id = :workspace_id AND id = :id;

-- name: by_app(workspace_id, platform, app_id)
SELECT * FROM bots WHERE workspace_id = :workspace_id AND platform = :platform AND app_id = :app_id;

-- name: of_agent(workspace_id, platform, agent)
SELECT * FROM bots WHERE workspace_id = :workspace_id AND platform = :platform AND agent = :agent;

-- name: all_of_agent(workspace_id, agent)
SELECT * FROM bots WHERE workspace_id = :workspace_id AND agent = :agent ORDER BY platform;

-- name: of_platform(workspace_id, platform)
SELECT * FROM bots WHERE workspace_id = :workspace_id AND platform = :platform ORDER BY created_at, id;

-- name: list_page(workspace_id, platform, at, id, limit)
SELECT * FROM bots
 WHERE workspace_id = :workspace_id AND (platform = :platform OR :platform = '') AND (created_at, id) > (:at, :id)
 ORDER BY created_at, id
 LIMIT :limit;

-- name: platforms(workspace_id)
-- Those with a bot that somebody should listen for.
SELECT DISTINCT platform FROM bots WHERE workspace_id = :workspace_id AND agent IS NOT NULL AND sealed <> '' ORDER BY platform;

-- name: put(id, sealed, draft, agent, label, name, bot_id, base_url, options, notify_chat, from_file, revision, state, error, heard_at, deaf_since, holder, lease_id, lease_until, fence, updated_at, was_fence, was_revision)
-- Compare-and-set on the fence and the revision that were read: no row changed means somebody was quicker.
UPDATE bots
   SET sealed = :sealed, draft = :draft, agent = :agent, label = :label, name = :name, bot_id = :bot_id,
       base_url = :base_url, options = :options, notify_chat = :notify_chat, from_file = :from_file, revision = :revision,
       state = :state, error = :error, heard_at = :heard_at, deaf_since = :deaf_since, holder = :holder,
       lease_id = :lease_id, lease_until = :lease_until, fence = :fence, updated_at = :updated_at
 WHERE id = :id AND fence = :was_fence AND revision = :was_revision;

-- name: lapsed(workspace_id, now)
-- Nobody renews these, so nobody listens.
SELECT * FROM bots
 WHERE workspace_id = :workspace_id AND (deaf_since IS NULL OR state = 'listening')
   AND lease_until IS NOT NULL AND lease_until <= :now;

-- name: revision(workspace_id, platform)
-- Another number when any bot of the platform has changed.
SELECT COALESCE(SUM(revision), 0) AS revision FROM bots WHERE workspace_id = :workspace_id AND platform = :platform;
