-- What today's application writes, in its own words, whatever generation a file is of.
INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, episode_id, title, duration, position, is_watched, watched_at, last_stream, updated_at, dirty)
    SELECT min(id), 'tt9', 'series', 1, 1, 'tt9:1:1', 'Nine', 2700, 30, FALSE, NULL, '{"url":"a"}', CURRENT_TIMESTAMP, TRUE FROM profiles WHERE deleted_at IS NULL
    ON CONFLICT(profile_id, meta_id, season, episode) DO UPDATE SET position = excluded.position, duration = excluded.duration, updated_at = CURRENT_TIMESTAMP, dirty = TRUE, deleted_at = NULL;
INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, episode_id, title, duration, position, is_watched, watched_at, last_stream, updated_at, dirty)
    SELECT min(id), 'tt9', 'series', 1, 2, 'tt9:1:2', 'Nine', 2700, 31, FALSE, NULL, NULL, CURRENT_TIMESTAMP, TRUE FROM profiles WHERE deleted_at IS NULL
    ON CONFLICT(profile_id, meta_id, season, episode) DO UPDATE SET position = excluded.position, duration = excluded.duration, updated_at = CURRENT_TIMESTAMP, dirty = TRUE, deleted_at = NULL;
INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, position, duration, updated_at, dirty)
    SELECT min(id), 'tt9', 'series', 1, 1, 2650, 2700, CURRENT_TIMESTAMP, TRUE FROM profiles WHERE deleted_at IS NULL
    ON CONFLICT(profile_id, meta_id, season, episode) DO UPDATE SET position = excluded.position, duration = excluded.duration, updated_at = CURRENT_TIMESTAMP, dirty = TRUE, deleted_at = NULL;
UPDATE watch_history SET is_watched = TRUE, watched_at = CURRENT_TIMESTAMP, updated_at = CURRENT_TIMESTAMP, dirty = TRUE WHERE meta_id = 'tt9' AND season = 1 AND episode = 1;
INSERT INTO watch_history (profile_id, meta_id, meta_type, position, updated_at, dirty)
    SELECT min(id), 'tt1', 'movie', 777, CURRENT_TIMESTAMP, TRUE FROM profiles WHERE deleted_at IS NULL
    ON CONFLICT(profile_id, meta_id, season, episode) DO UPDATE SET position = excluded.position, updated_at = CURRENT_TIMESTAMP, dirty = TRUE, deleted_at = NULL;
INSERT INTO lists (profile_id, name) SELECT min(id), 'Later' FROM profiles WHERE deleted_at IS NULL
    ON CONFLICT(profile_id, name) DO UPDATE SET deleted_at = NULL, updated_at = CURRENT_TIMESTAMP;
INSERT INTO lists (profile_id, name) SELECT min(id), 'Later' FROM profiles WHERE deleted_at IS NULL
    ON CONFLICT(profile_id, name) DO UPDATE SET deleted_at = NULL, updated_at = CURRENT_TIMESTAMP, dirty = TRUE;
INSERT INTO list_items (list_id, meta_id, type, title, poster, imdb_rating, dirty, updated_at)
    SELECT id, 'tt9', 'series', 'Nine', NULL, 7.1, TRUE, CURRENT_TIMESTAMP FROM lists WHERE name = 'Later'
    ON CONFLICT(list_id, meta_id) DO UPDATE SET type = excluded.type, title = excluded.title, imdb_rating = excluded.imdb_rating, deleted_at = NULL, dirty = TRUE, updated_at = CURRENT_TIMESTAMP;
UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP, dirty = TRUE, updated_at = CURRENT_TIMESTAMP WHERE meta_id = 'tt9';
INSERT INTO list_items (list_id, meta_id, type, title, poster, imdb_rating, dirty, updated_at)
    SELECT id, 'tt9', 'series', 'Nine', NULL, 7.2, TRUE, CURRENT_TIMESTAMP FROM lists WHERE name = 'Later'
    ON CONFLICT(list_id, meta_id) DO UPDATE SET type = excluded.type, title = excluded.title, imdb_rating = excluded.imdb_rating, deleted_at = NULL, dirty = TRUE, updated_at = CURRENT_TIMESTAMP;
INSERT INTO stream_settings (profile_id, qualities, config, dirty, updated_at)
    SELECT min(id), '["720p"]', '{"app":1}', TRUE, CURRENT_TIMESTAMP FROM profiles WHERE deleted_at IS NULL
    ON CONFLICT(profile_id) DO UPDATE SET qualities = excluded.qualities, config = excluded.config, dirty = TRUE, updated_at = CURRENT_TIMESTAMP;
INSERT INTO appearance_settings (settings_profile_id, show_imdb_ratings, show_age_ratings, dirty, updated_at)
    SELECT min(id), TRUE, FALSE, TRUE, CURRENT_TIMESTAMP FROM settings_profiles WHERE deleted_at IS NULL
    ON CONFLICT(settings_profile_id) DO UPDATE SET show_imdb_ratings = excluded.show_imdb_ratings, show_age_ratings = excluded.show_age_ratings, dirty = TRUE, updated_at = CURRENT_TIMESTAMP;
INSERT INTO addons (manifest_url, name, version) VALUES ('https://new.example.org/manifest.json', 'New', '1.0')
    ON CONFLICT(manifest_url) DO UPDATE SET name = excluded.name, version = excluded.version;
INSERT INTO profile_addons (profile_id, addon_id, enabled, priority, dirty, updated_at)
    SELECT (SELECT min(id) FROM profiles WHERE deleted_at IS NULL), id, TRUE, 5, TRUE, CURRENT_TIMESTAMP FROM addons WHERE name = 'New'
    ON CONFLICT(profile_id, addon_id) DO UPDATE SET enabled = excluded.enabled, priority = excluded.priority, deleted_at = NULL, dirty = TRUE;
INSERT INTO profile_addons (settings_profile_id, addon_id, enabled, priority, dirty, updated_at)
    SELECT (SELECT min(id) FROM settings_profiles WHERE deleted_at IS NULL), id, TRUE, 6, TRUE, CURRENT_TIMESTAMP FROM addons WHERE name = 'New'
    ON CONFLICT(settings_profile_id, addon_id) DO UPDATE SET enabled = excluded.enabled, priority = excluded.priority, deleted_at = NULL, dirty = TRUE;
UPDATE profiles SET is_default = FALSE WHERE is_default = TRUE;
UPDATE profiles SET is_default = TRUE, dirty = TRUE, updated_at = CURRENT_TIMESTAMP WHERE id = (SELECT max(id) FROM profiles WHERE deleted_at IS NULL);
INSERT INTO settings_profiles (user_id, name) SELECT user_id, 'Extra' FROM profiles WHERE deleted_at IS NULL LIMIT 1;
UPDATE profiles SET settings_profile_id = (SELECT id FROM settings_profiles WHERE name = 'Extra'), dirty = TRUE, updated_at = CURRENT_TIMESTAMP WHERE id = (SELECT min(id) FROM profiles WHERE deleted_at IS NULL);
