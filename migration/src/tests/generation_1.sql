-- A database as the application made it before there was sync: no sync columns at all, and of a show one row
-- whatever the episode. Profiles know no settings profile yet; a few columns and tables are none of ours.
CREATE TABLE user (id TEXT PRIMARY KEY, email TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
    emailVerified BOOLEAN NOT NULL, image TEXT, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL);
CREATE TABLE addons (id INTEGER PRIMARY KEY AUTOINCREMENT, manifest_url TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL, version TEXT, description TEXT, logo TEXT, logo_url TEXT, behavior_hints TEXT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE settings_profiles (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, name TEXT NOT NULL,
    is_default BOOLEAN DEFAULT FALSE, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (user_id) REFERENCES user(id) ON DELETE CASCADE);
CREATE TABLE profiles (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, name TEXT NOT NULL,
    avatar TEXT NOT NULL, avatar_type TEXT DEFAULT 'initials', is_default BOOLEAN DEFAULT FALSE,
    theme_id TEXT DEFAULT 'zentrio', hero_banner_enabled BOOLEAN DEFAULT TRUE,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (user_id) REFERENCES user(id) ON DELETE CASCADE);
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
CREATE TABLE watch_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id INTEGER NOT NULL,
    meta_id TEXT NOT NULL,
    meta_type TEXT NOT NULL, -- 'movie', 'series'
    title TEXT COLLATE NOCASE,
    poster TEXT,
    duration INTEGER CHECK (duration IS NULL OR duration <> -1), -- in seconds, or minutes, once
    position INTEGER,
    rating REAL DEFAULT 5,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE,
    UNIQUE(profile_id, meta_id)
);
CREATE INDEX idx_history ON watch_history (profile_id, updated_at DESC);
CREATE TABLE plays (history_id INTEGER, n INTEGER);
CREATE TRIGGER watched AFTER UPDATE OF position ON watch_history BEGIN
    INSERT INTO plays VALUES (new.id, new.position); END;
CREATE TABLE lists (id INTEGER PRIMARY KEY AUTOINCREMENT, profile_id INTEGER NOT NULL, name TEXT NOT NULL,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE(profile_id, name),
    FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE);
CREATE TABLE list_items (id INTEGER PRIMARY KEY AUTOINCREMENT, list_id INTEGER NOT NULL, meta_id TEXT NOT NULL,
    type TEXT NOT NULL, title TEXT, poster TEXT, imdb_rating REAL, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    UNIQUE(list_id, meta_id), FOREIGN KEY (list_id) REFERENCES lists(id) ON DELETE CASCADE);

INSERT INTO user VALUES ('guest', 'guest@local', 'Guest', 0, NULL, '2024-01-01 10:00:00', '2024-01-01 10:00:00');
INSERT INTO addons (id, manifest_url, name, created_at)
    VALUES (2, 'https://addons.example.org/manifest.json', 'Some', '2024-01-01 10:00:00'),
           (4, 'zentrio://tmdb-addon', 'TMDB', NULL);
INSERT INTO settings_profiles (id, user_id, name, is_default, created_at, updated_at)
    VALUES (3, 'guest', 'Default', 1, '2024-01-01 10:00:00', '2024-02-01T09:08:07.006Z');
INSERT INTO profiles (id, user_id, name, avatar, avatar_type, is_default, theme_id, hero_banner_enabled, created_at, updated_at)
    VALUES (6, 'guest', 'Åsa', 'Å', 'initials', 1, 'dusk', 0, '2024-01-01 10:00:00', '2024-03-01T10:00:00Z'),
           (8, 'guest', 'Kid', 'k', NULL, 0, 'zentrio', 1, NULL, NULL);
INSERT INTO profile_addons (id, profile_id, settings_profile_id, addon_id, enabled, priority, created_at)
    VALUES (1, 6, NULL, 2, 1, 1, '2024-01-01T10:00:00.250Z'), (5, NULL, 3, 4, 0, NULL, NULL);
INSERT INTO stream_settings (id, profile_id, settings_profile_id, qualities, config)
    VALUES (1, 6, NULL, '["4k"]', '{"sort":["size"]}'), (2, NULL, 3, NULL, '');
INSERT INTO appearance_settings (id, settings_profile_id, theme_id, background_style, custom_theme_config, show_age_ratings)
    VALUES (2, 3, 'mine', 'legacy', '{"accent":"#e50914"}', 0);
INSERT INTO watch_history (id, profile_id, meta_id, meta_type, title, duration, position, rating, updated_at)
    VALUES (10, 6, 'tt1', 'movie', 'One', 5400, 61, 8.25, '2024-04-01 20:00:00'),
           (12, 6, 'tt2', 'series', 'Two', 2700, 2699, 'high', '2024-04-02T22:30:00.123+02:00'),
           (13, 6, 'tt3', 'movie', NULL, NULL, NULL, NULL, NULL),
           (20, 8, 'tt1', 'movie', 'One', 5400, 0, 1, '2024-04-03T00:00:00Z');
DELETE FROM watch_history WHERE id = 20;
INSERT INTO lists (id, profile_id, name, created_at)
    VALUES (7, 6, 'My List', '2024-01-02 10:00:00'), (9, 8, 'My List', NULL);
INSERT INTO list_items (id, list_id, meta_id, type, title, imdb_rating, created_at)
    VALUES (1, 7, 'tt1', 'movie', 'One', 7.5, '2024-01-02T10:00:00Z'), (2, 7, 'tt4', 'series', 'Four', 8, NULL),
           (3, 9, 'tt1', 'movie', 'One', NULL, '2024-01-03 23:59:59.5');
