-- A database as the application makes it today: full UNIQUE constraints, later columns last,
-- and a few columns and tables that are none of ours.
CREATE TABLE user (id TEXT PRIMARY KEY, email TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
    emailVerified BOOLEAN NOT NULL, image TEXT, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL,
    username TEXT, displayUsername TEXT, role TEXT, banned BOOLEAN, banReason TEXT, banExpires DATETIME);
CREATE TABLE addons (id INTEGER PRIMARY KEY AUTOINCREMENT, manifest_url TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL, version TEXT, description TEXT, logo TEXT, logo_url TEXT, behavior_hints TEXT,
    created_at DATETIME);
CREATE TABLE settings_profiles (id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE, name TEXT NOT NULL, is_default BOOLEAN,
    created_at DATETIME, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP);
ALTER TABLE settings_profiles ADD COLUMN remote_id TEXT;
ALTER TABLE settings_profiles ADD COLUMN dirty BOOLEAN DEFAULT FALSE;
ALTER TABLE settings_profiles ADD COLUMN deleted_at DATETIME;
ALTER TABLE settings_profiles ADD COLUMN tmdb_catalog_config TEXT;
CREATE TABLE profiles (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, name TEXT NOT NULL,
    avatar TEXT NOT NULL, avatar_type TEXT DEFAULT 'initials', is_default BOOLEAN, created_at DATETIME,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, remote_id TEXT, dirty BOOLEAN DEFAULT FALSE,
    deleted_at DATETIME, hero_banner_enabled BOOLEAN DEFAULT TRUE,
    FOREIGN KEY (user_id) REFERENCES user(id) ON DELETE CASCADE);
ALTER TABLE profiles ADD COLUMN avatar_style TEXT DEFAULT 'bottts-neutral';
ALTER TABLE profiles ADD COLUMN settings_profile_id INTEGER REFERENCES settings_profiles(id) ON DELETE SET NULL;
CREATE TABLE profile_addons (id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id INTEGER REFERENCES profiles(id) ON DELETE CASCADE,
    settings_profile_id INTEGER REFERENCES settings_profiles(id) ON DELETE CASCADE,
    addon_id INTEGER NOT NULL REFERENCES addons(id) ON DELETE CASCADE, enabled BOOLEAN DEFAULT TRUE,
    priority INTEGER DEFAULT 0, created_at DATETIME, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    remote_id TEXT, dirty BOOLEAN DEFAULT FALSE, deleted_at DATETIME,
    UNIQUE (profile_id, addon_id), UNIQUE (settings_profile_id, addon_id));
CREATE TABLE stream_settings (id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id INTEGER UNIQUE REFERENCES profiles(id) ON DELETE CASCADE,
    settings_profile_id INTEGER REFERENCES settings_profiles(id) ON DELETE CASCADE, qualities TEXT,
    preferred_keywords TEXT, required_keywords TEXT, config TEXT,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, remote_id TEXT, dirty BOOLEAN DEFAULT FALSE,
    deleted_at DATETIME);
CREATE TABLE appearance_settings (id INTEGER PRIMARY KEY AUTOINCREMENT,
    settings_profile_id INTEGER UNIQUE REFERENCES settings_profiles(id) ON DELETE CASCADE,
    theme_id TEXT DEFAULT 'zentrio', show_imdb_ratings BOOLEAN DEFAULT TRUE,
    show_age_ratings BOOLEAN DEFAULT TRUE, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, remote_id TEXT,
    dirty BOOLEAN DEFAULT FALSE, deleted_at DATETIME);
CREATE TABLE watch_history (id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id INTEGER NOT NULL REFERENCES profiles(id) ON DELETE CASCADE, meta_id TEXT NOT NULL,
    meta_type TEXT NOT NULL, season INTEGER NOT NULL DEFAULT -1, episode INTEGER NOT NULL DEFAULT -1,
    episode_id TEXT, title TEXT, poster TEXT, duration INTEGER, position INTEGER, is_watched BOOLEAN,
    watched_at DATETIME, last_stream TEXT, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, remote_id TEXT,
    dirty BOOLEAN DEFAULT FALSE, deleted_at DATETIME, UNIQUE (profile_id, meta_id, season, episode));
CREATE TABLE lists (id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id INTEGER NOT NULL REFERENCES profiles(id) ON DELETE CASCADE, name TEXT NOT NULL,
    is_default BOOLEAN, created_at DATETIME, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, remote_id TEXT,
    dirty BOOLEAN DEFAULT FALSE, deleted_at DATETIME, UNIQUE (profile_id, name));
CREATE TABLE list_items (id INTEGER PRIMARY KEY AUTOINCREMENT,
    list_id INTEGER NOT NULL REFERENCES lists(id) ON DELETE CASCADE, meta_id TEXT NOT NULL,
    type TEXT NOT NULL, title TEXT, poster TEXT, imdb_rating REAL, created_at DATETIME,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, remote_id TEXT, dirty BOOLEAN DEFAULT FALSE,
    deleted_at DATETIME, UNIQUE (list_id, meta_id));
CREATE INDEX idx_items ON list_items (meta_id);
CREATE TABLE sync_state (id INTEGER PRIMARY KEY CHECK (id = 1), remote_url TEXT, remote_user_id TEXT,
    auth_token TEXT, last_sync_at DATETIME, is_syncing BOOLEAN);
CREATE TABLE seaql_migrations (version TEXT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL);

INSERT INTO user VALUES ('u1', 'anna@example.org', 'Anna', 1, NULL, '2025-03-01T10:00:00.000Z',
    '2025-03-01T10:00:00.000Z', 'anna', 'Anna', 'user', 0, NULL, NULL);
INSERT INTO addons (id, manifest_url, name, created_at)
    VALUES (3, 'https://addons.example.org/manifest.json', 'Some', '2025-03-01 10:00:00'),
           (7, 'zentrio://tmdb-addon', 'The Movie Database', NULL);
INSERT INTO settings_profiles VALUES (2, 'u1', 'Home', 1, '2025-03-01 10:00:00', '2025-03-02 10:00:00', NULL, 0,
    NULL, '{"rows":[1]}'), (5, 'u1', 'Gone', NULL, NULL, NULL, NULL, NULL, '2025-05-01T00:00:00Z', NULL);
INSERT INTO profiles (id, user_id, name, avatar, avatar_type, is_default, created_at, updated_at, remote_id, dirty,
    deleted_at, hero_banner_enabled, avatar_style, settings_profile_id)
    VALUES (4, 'u1', 'Änna', 'a.png', 'image', 1, '2025-03-01 10:00:00', '2025-03-01 10:00:00', '17', 1, NULL, 0,
            'bottts', 2),
           (9, 'u1', 'Kid', 'k', NULL, NULL, NULL, NULL, NULL, NULL, '2025-06-01 00:00:00', NULL, NULL, NULL);
INSERT INTO profile_addons (profile_id, settings_profile_id, addon_id, enabled) VALUES (4, NULL, 3, 0), (NULL, 2, 7, NULL);
INSERT INTO stream_settings (profile_id, settings_profile_id, config) VALUES (NULL, 2, '{"sort":["size"]}'), (4, NULL, '');
INSERT INTO appearance_settings (settings_profile_id, theme_id) VALUES (2, 'dusk');
INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, duration, position, updated_at)
    VALUES (4, 'tt1', 'movie', -1, -1, 5400, 61, '2025-04-01T20:00:00.123Z'), (4, 'tt2', 'series', 1, 2, NULL, NULL, NULL);
INSERT INTO lists (id, profile_id, name, is_default) VALUES (11, 4, 'Mine', 1), (12, 9, 'Mine', NULL);
INSERT INTO list_items (list_id, meta_id, type, imdb_rating, deleted_at)
    VALUES (11, 'tt1', 'movie', 7.5, NULL), (11, 'tt3', 'movie', 8, '2025-06-01 00:00:00');
INSERT INTO sync_state VALUES (1, 'https://zentrio.eu', 'u1', 'secret', '2025-06-01 00:00:00', 1);
INSERT INTO seaql_migrations VALUES ('m20240101_000001_theirs', 1);
