-- Bridges: bots on outside chats, who may talk to them, which outside place is which topic, what came in, what goes out.

-- `sealed` holds the credentials, encrypted with the key file. `draft` is the same of settings that wait for a reload.
-- Whoever listens for it holds the lease; `heard_at` is the last real round trip, `deaf_since` since when nobody listens.
CREATE TABLE bots (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    platform     TEXT NOT NULL,
    app_id       TEXT NOT NULL,
    sealed       TEXT NOT NULL,
    draft        TEXT,
    agent        TEXT,
    label        TEXT NOT NULL DEFAULT '',
    name         TEXT NOT NULL DEFAULT '',
    bot_id       TEXT NOT NULL DEFAULT '',
    base_url     TEXT,
    options      TEXT NOT NULL DEFAULT '{}',
    notify_chat  TEXT,
    from_file    INTEGER NOT NULL DEFAULT 0,
    revision     INTEGER NOT NULL DEFAULT 1,
    state        TEXT NOT NULL CHECK (state IN ('unverified', 'listening', 'error', 'unbound')),
    error        TEXT,
    heard_at     INTEGER,
    deaf_since   INTEGER,
    holder       TEXT,
    lease_id     TEXT,
    lease_until  INTEGER,
    fence        INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (workspace_id, platform, app_id),
    CHECK ((state = 'unbound') = (agent IS NULL)),
    CHECK ((lease_id IS NULL) = (lease_until IS NULL))
);
CREATE UNIQUE INDEX bots_of_agent ON bots (workspace_id, platform, agent) WHERE agent IS NOT NULL;

-- `asked` is somebody who talked to a bot, was refused, and may be let in.
CREATE TABLE identities (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    platform     TEXT NOT NULL,
    external_id  TEXT NOT NULL,
    name         TEXT NOT NULL,
    standing     TEXT NOT NULL CHECK (standing IN ('allowed', 'denied', 'asked')),
    level        TEXT NOT NULL DEFAULT 'operate' CHECK (level IN ('talk', 'operate', 'own')),
    quota        INTEGER,
    created_by   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    UNIQUE (workspace_id, platform, external_id)
);

-- One bot's place outside: the chat is a room for ever, the thread a topic until `/new` begins another one.
CREATE TABLE links (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    bot_id       TEXT NOT NULL REFERENCES bots (id),
    platform     TEXT NOT NULL,
    chat         TEXT NOT NULL,
    thread       TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('direct', 'group')),
    title        TEXT NOT NULL DEFAULT '',
    memo         TEXT NOT NULL DEFAULT '',
    room_id      TEXT NOT NULL REFERENCES rooms (id),
    topic_id     INTEGER NOT NULL REFERENCES topics (id),
    answer_to    TEXT NOT NULL DEFAULT '',
    asker        TEXT NOT NULL DEFAULT '{}',
    created_at   INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    UNIQUE (bot_id, chat, thread)
);
CREATE INDEX links_of_place ON links (workspace_id, platform, chat, thread);
CREATE INDEX links_of_room ON links (room_id);

-- Every topic a place ever was: late answers find their way from topics that `/new` has left.
CREATE TABLE linked_topics (
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    link_id  INTEGER NOT NULL REFERENCES links (id),
    PRIMARY KEY (topic_id, link_id)
) WITHOUT ROWID;

-- What a platform told, once however often it tells it. `held` is what waits for its files; `raw` is for people to look at.
CREATE TABLE inbound_events (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    bot_id       TEXT NOT NULL REFERENCES bots (id),
    event        TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('said', 'edited', 'deleted', 'action', 'command')),
    chat         TEXT NOT NULL,
    thread       TEXT NOT NULL,
    person       TEXT NOT NULL,
    identity_id  TEXT,
    ref          TEXT NOT NULL DEFAULT '',
    outcome      TEXT NOT NULL CHECK (outcome IN ('waiting', 'done', 'refused', 'ignored')),
    message_id   INTEGER,
    answer       TEXT NOT NULL DEFAULT '{}',
    held         TEXT,
    raw          TEXT NOT NULL DEFAULT '',
    said_at      INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    UNIQUE (bot_id, event),
    CHECK ((outcome = 'waiting') = (held IS NOT NULL))
);
CREATE INDEX inbound_events_of_identity ON inbound_events (identity_id, received_at) WHERE kind = 'said';
CREATE INDEX inbound_events_waiting ON inbound_events (bot_id, id) WHERE outcome = 'waiting';
CREATE INDEX inbound_events_by_time ON inbound_events (received_at);
CREATE INDEX inbound_events_of_message ON inbound_events (message_id) WHERE message_id IS NOT NULL;

-- Which outside message is which of ours, in both directions.
CREATE TABLE outside_refs (
    workspace_id TEXT NOT NULL,
    platform     TEXT NOT NULL,
    chat         TEXT NOT NULL,
    ref          TEXT NOT NULL,
    message_id   INTEGER NOT NULL REFERENCES messages (id),
    bot_id       TEXT NOT NULL,
    incoming     INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, platform, chat, ref)
) WITHOUT ROWID;
CREATE INDEX outside_refs_of_message ON outside_refs (message_id);

-- One visible part outside: what it shall show (`body`, version `wanted`) and what the platform has (`shown`). A row is claimed
-- under a lease like a delivery. Later parts of a text name the first one (`base_id`). `doubt`: a try may have happened, ask
-- first. `repeated`: it was sent again without knowing.
CREATE TABLE posts (
    id             INTEGER PRIMARY KEY,
    workspace_id   TEXT NOT NULL,
    bot_id         TEXT NOT NULL REFERENCES bots (id),
    link_id        INTEGER REFERENCES links (id),
    chat           TEXT NOT NULL,
    thread         TEXT NOT NULL,
    key            TEXT NOT NULL UNIQUE,
    kind           TEXT NOT NULL CHECK (kind IN ('text', 'card', 'file', 'reaction')),
    purpose        TEXT NOT NULL CHECK (purpose IN ('message', 'turn', 'ask', 'notice', 'working')),
    message_id     INTEGER,
    delivery_id    INTEGER,
    interaction_id INTEGER,
    part           INTEGER NOT NULL DEFAULT 1,
    parts          INTEGER NOT NULL DEFAULT 1,
    base_id        INTEGER,
    body           TEXT NOT NULL,
    wanted         INTEGER NOT NULL DEFAULT 1,
    shown          INTEGER NOT NULL DEFAULT 0,
    shown_hash     TEXT,
    gone           INTEGER NOT NULL DEFAULT 0,
    is_open        INTEGER NOT NULL DEFAULT 0,
    seen_seq       INTEGER NOT NULL DEFAULT 0,
    ref            TEXT,
    state          TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'confirmed', 'doubtful', 'failed')),
    doubt          INTEGER NOT NULL DEFAULT 0,
    repeated       INTEGER NOT NULL DEFAULT 0,
    tries          INTEGER NOT NULL DEFAULT 0,
    not_before     INTEGER NOT NULL,
    lease_id       TEXT,
    lease_until    INTEGER,
    fence          INTEGER NOT NULL DEFAULT 0,
    since          INTEGER,
    error          TEXT,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    CHECK ((state = 'sending') = (lease_id IS NOT NULL)),
    CHECK ((lease_id IS NULL) = (lease_until IS NULL))
);
CREATE INDEX posts_due ON posts (bot_id, id) WHERE state IN ('pending', 'sending');
CREATE INDEX posts_first ON posts (link_id, id) WHERE state IN ('pending', 'sending') AND ref IS NULL AND kind <> 'reaction';
CREATE INDEX posts_open ON posts (workspace_id, id) WHERE is_open = 1;
CREATE INDEX posts_of_message ON posts (message_id, id) WHERE message_id IS NOT NULL;
CREATE INDEX posts_of_delivery ON posts (delivery_id, id) WHERE delivery_id IS NOT NULL;
CREATE INDEX posts_of_interaction ON posts (interaction_id, id) WHERE interaction_id IS NOT NULL;
CREATE INDEX posts_failed ON posts (workspace_id, id) WHERE state IN ('failed', 'doubtful');

-- How far the log has been turned into posts.
CREATE TABLE posting (
    workspace_id TEXT PRIMARY KEY REFERENCES workspaces (id),
    position     INTEGER NOT NULL
);
