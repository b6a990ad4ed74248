-- A database as the application's first release with sync left it: the tables of before, with what sync needed
-- added behind, and leftovers of syncs with a server that is none of ours.
CREATE TABLE user (id TEXT PRIMARY KEY, email TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
    emailVerified BOOLEAN NOT NULL, image TEXT, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL,
    username TEXT, displayUsername TEXT);
CREATE TABLE addons (id INTEGER PRIMARY KEY AUTOINCREMENT, manifest_url TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL, version TEXT, description TEXT, logo TEXT, logo_url TEXT, behavior_hints TEXT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE settings_profiles (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, name TEXT NOT NULL,
    is_default BOOLEAN DEFAULT FALSE, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (user_id) REFERENCES user(id) ON DELETE CASCADE);
CREATE TABLE profiles (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, name TEXT NOT NULL,
    avatar TEXT NOT NULL, avatar_type TEXT DEFAULT 'initials', is_default BOOLEAN DEFAULT FALSE,
    theme_id TEXT DEFAULT 'zentrio', created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (user_id) REFERENCES user(id) ON DELETE CASCADE);
ALTER TABLE profiles ADD COLUMN settings_profile_id INTEGER REFERENCES settings_profiles(id) ON DELETE SET NULL;
CREATE TABLE profile_addons (id INTEGER PRIMARY KEY AUTOINCREMENT, profile_id INTEGER, settings_profile_id INTEGER,
    addon_id INTEGER NOT NULL, enabled BOOLEAN DEFAULT TRUE, priority INTEGER DEFAULT 0,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE(profile_id, addon_id), UNIQUE(settings_profile_id, addon_id),
    FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE,
    FOREIGN KEY (settings_profile_id) REFERENCES settings_profiles(id) ON DELETE CASCADE,
    FOREIGN KEY (addon_id) REFERENCES addons(id) ON DELETE CASCADE);
CREATE TABLE stream_settings (id INTEGER PRIMARY KEY AUTOINCREMENT, profile_id INTEGER UNIQUE,
    settings_profile_id INTEGER, qualities TEXT, preferred_keywords TEXT, required_keywords TEXT, config TEXT,
    FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE,
    FOREIGN KEY (settings_profile_id) REFERENCES settings_profiles(id) ON DELETE CASCADE);
CREATE TABLE appearance_settings (id INTEGER PRIMARY KEY AUTOINCREMENT, settings_profile_id INTEGER UNIQUE,
    theme_id TEXT DEFAULT 'zentrio', background_style TEXT DEFAULT 'vanta', custom_theme_config TEXT,
    show_imdb_ratings BOOLEAN DEFAULT TRUE, show_age_ratings BOOLEAN DEFAULT TRUE,
    FOREIGN KEY (settings_profile_id) REFERENCES settings_profiles(id) ON DELETE CASCADE);
CREATE TABLE watch_history (id INTEGER PRIMARY KEY AUTOINCREMENT, profile_id INTEGER NOT NULL, meta_id TEXT NOT NULL,
    meta_type TEXT NOT NULL, title TEXT, poster TEXT, duration INTEGER, position INTEGER,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE(profile_id, meta_id),
    FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE);
CREATE TABLE lists (id INTEGER PRIMARY KEY AUTOINCREMENT, profile_id INTEGER NOT NULL, name TEXT NOT NULL,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE(profile_id, name),
    FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE);
CREATE TABLE list_items (id INTEGER PRIMARY KEY AUTOINCREMENT, list_id INTEGER NOT NULL, meta_id TEXT NOT NULL,
    type TEXT NOT NULL, title TEXT, poster TEXT, imdb_rating REAL, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    UNIQUE(list_id, meta_id), FOREIGN KEY (list_id) REFERENCES lists(id) ON DELETE CASCADE);
ALTER TABLE settings_profiles ADD COLUMN remote_id TEXT;
ALTER TABLE settings_profiles ADD COLUMN dirty BOOLEAN DEFAULT FALSE;
ALTER TABLE settings_profiles ADD COLUMN deleted_at DATETIME;
ALTER TABLE profiles ADD COLUMN remote_id TEXT;
ALTER TABLE profiles ADD COLUMN dirty BOOLEAN DEFAULT FALSE;
ALTER TABLE profiles ADD COLUMN deleted_at DATETIME;
ALTER TABLE profile_addons ADD COLUMN remote_id TEXT;
ALTER TABLE profile_addons ADD COLUMN dirty BOOLEAN DEFAULT FALSE;
ALTER TABLE profile_addons ADD COLUMN deleted_at DATETIME;
ALTER TABLE profile_addons ADD COLUMN updated_at DATETIME;
ALTER TABLE stream_settings ADD COLUMN remote_id TEXT;
ALTER TABLE stream_settings ADD COLUMN dirty BOOLEAN DEFAULT FALSE;
ALTER TABLE stream_settings ADD COLUMN deleted_at DATETIME;
ALTER TABLE stream_settings ADD COLUMN updated_at DATETIME;
ALTER TABLE appearance_settings ADD COLUMN remote_id TEXT;
ALTER TABLE appearance_settings ADD COLUMN dirty BOOLEAN DEFAULT FALSE;
ALTER TABLE appearance_settings ADD COLUMN deleted_at DATETIME;
ALTER TABLE appearance_settings ADD COLUMN updated_at DATETIME;
ALTER TABLE watch_history ADD COLUMN remote_id TEXT;
ALTER TABLE watch_history ADD COLUMN dirty BOOLEAN DEFAULT FALSE;
ALTER TABLE watch_history ADD COLUMN deleted_at DATETIME;
ALTER TABLE lists ADD COLUMN remote_id TEXT;
ALTER TABLE lists ADD COLUMN dirty BOOLEAN DEFAULT FALSE;
ALTER TABLE lists ADD COLUMN deleted_at DATETIME;
ALTER TABLE lists ADD COLUMN updated_at DATETIME;
ALTER TABLE list_items ADD COLUMN remote_id TEXT;
ALTER TABLE list_items ADD COLUMN dirty BOOLEAN DEFAULT FALSE;
ALTER TABLE list_items ADD COLUMN deleted_at DATETIME;
ALTER TABLE list_items ADD COLUMN updated_at DATETIME;
CREATE TABLE sync_state (id INTEGER PRIMARY KEY CHECK (id = 1), remote_url TEXT, remote_user_id TEXT,
    auth_token TEXT, last_sync_at DATETIME, is_syncing BOOLEAN DEFAULT FALSE);

INSERT INTO user VALUES ('u1', 'anna@example.org', 'Anna', 1, NULL, '2025-03-01T10:00:00.000Z',
    '2025-03-01T10:00:00.000Z', 'anna', 'Anna');
INSERT INTO addons (id, manifest_url, name, created_at)
    VALUES (1, 'zentrio://tmdb-addon', 'TMDB', '2025-03-01 10:00:00'),
           (9, 'https://addons.example.org/manifest.json', 'Some', NULL);
INSERT INTO settings_profiles VALUES (1, 'u1', 'Default', 1, '2025-03-01 10:00:00', '2025-03-02 10:00:00', '1', 0, NULL),
    (2, 'u1', 'Kids', 0, NULL, NULL, '0197a0b0-1111-7000-8000-000000000001', 1, NULL);
INSERT INTO profiles (id, user_id, name, avatar, avatar_type, is_default, theme_id, created_at, updated_at,
    settings_profile_id, remote_id, dirty, deleted_at)
    VALUES (4, 'u1', 'Anna', 'a.png', 'image', 1, 'dusk', '2025-03-01 10:00:00', '2025-03-01T11:00:00.5Z', 1, '17', 1, NULL),
           (5, 'u1', 'Bo', 'B', NULL, 0, NULL, NULL, NULL, 2, '17', 0, NULL),
           (7, 'u1', 'Gone', 'g', NULL, 0, NULL, NULL, '2025-05-01 00:00:00', NULL, '19', 1, '2025-05-01 00:00:00');
INSERT INTO profile_addons (id, profile_id, settings_profile_id, addon_id, enabled, priority, created_at, remote_id, dirty, updated_at)
    VALUES (1, 4, NULL, 9, 0, 1, '2025-03-01 10:00:00', '17', 1, NULL), (2, NULL, 1, 1, 1, 2, NULL, NULL, 0, '2025-03-03T00:00:00Z'),
           (3, 4, NULL, 1, 1, 3, NULL, '17', NULL, '2025-03-03 00:00:00.75');
INSERT INTO stream_settings (id, profile_id, settings_profile_id, qualities, remote_id, dirty, updated_at)
    VALUES (1, NULL, 1, '["1080p"]', '4', 1, '2025-03-03 00:00:00'), (2, 5, NULL, NULL, '4', 0, NULL);
INSERT INTO appearance_settings (id, settings_profile_id, theme_id, background_style, custom_theme_config,
    show_imdb_ratings, remote_id, dirty, updated_at)
    VALUES (1, 1, 'mine', 'legacy', '{"accent":"#00f"}', 0, '17', 1, '2025-03-03T00:00:00+01:00'),
           (2, 2, NULL, NULL, NULL, NULL, NULL, 0, NULL);
INSERT INTO watch_history (id, profile_id, meta_id, meta_type, title, duration, position, updated_at, remote_id, dirty, deleted_at)
    VALUES (10, 4, 'tt1', 'movie', 'One', 5400, 61, '2025-04-01T20:00:00.123Z', '17', 1, NULL),
           (11, 4, 'tt2', 'series', 'Two', 2700, 2699, '2025-04-01 20:00:00', '17', 0, NULL),
           (12, 4, 'tt3', 'series', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
           (13, 5, 'tt1', 'movie', 'One', 5400, 5400, '2025-04-02 20:00:00', '18', 1, '2025-04-03 00:00:00'),
           (14, 7, 'tt1', 'movie', 'One', 5400, 1, '2025-04-02 20:00:00', NULL, 0, NULL);
INSERT INTO lists (id, profile_id, name, created_at, remote_id, dirty, deleted_at, updated_at)
    VALUES (7, 4, 'My List', '2025-03-01 10:00:00', '3', 0, NULL, NULL), (8, 5, 'My List', NULL, '3', 1, NULL, '2025-03-01 10:00:00');
INSERT INTO list_items (id, list_id, meta_id, type, title, imdb_rating, created_at, remote_id, dirty, deleted_at, updated_at)
    VALUES (1, 7, 'tt1', 'movie', 'One', 7.5, '2025-03-01T10:00:00Z', '17', 1, NULL, NULL),
           (2, 7, 'tt4', 'series', 'Four', 8, NULL, '17', 0, NULL, '2025-03-05 10:00:00'),
           (3, 7, 'tt5', 'movie', 'Five', NULL, NULL, '99', 1, '2025-06-01T00:00:00.000Z', '2025-06-01T00:00:00.000Z'),
           (4, 8, 'tt1', 'movie', 'One', NULL, '2025-03-01 10:00:00', NULL, 0, NULL, NULL);
INSERT INTO sync_state VALUES (1, 'https://zentrio.eu', 'u1', 'secret', '2025-06-01 00:00:00', 1);
