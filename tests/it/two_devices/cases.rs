//! How an app writes each of the eight tables.

/// How an app writes one table.
pub(super) struct Case {
    pub(super) table: &'static str,
    /// A new row, with a value in every column that is not the other half of a pair.
    pub(super) row: &'static str,
    /// Another value for every column that is not part of a key.
    pub(super) edit: &'static str,
    /// What the app's own table has a UNIQUE constraint on, if it has one.
    pub(super) unique: Option<&'static str>,
    /// Columns of which such a row has none.
    pub(super) without: &'static [&'static str],
}

/// What the rows of the cases are in.
pub(super) const BASE: &str = "
    INSERT INTO addons (manifest_url, name) VALUES ('https://addons.example.org/one', 'One');
    INSERT INTO settings_profiles (user_id, name) SELECT local_user_id, 'Home' FROM sync_state;
    INSERT INTO settings_profiles (user_id, name) SELECT local_user_id, 'Cabin' FROM sync_state;
    INSERT INTO profiles (user_id, name, avatar) SELECT local_user_id, 'Anna', 'a.png' FROM sync_state;
    INSERT INTO lists (profile_id, name) SELECT id, 'Mine' FROM profiles";

/// Stands for ids, which are others on each device.
const IDS: [(&str, &str); 6] = [
    ("{user}", "(SELECT local_user_id FROM sync_state)"),
    ("{profile}", "(SELECT id FROM profiles WHERE name = 'Anna')"),
    (
        "{home}",
        "(SELECT id FROM settings_profiles WHERE name = 'Home')",
    ),
    (
        "{cabin}",
        "(SELECT id FROM settings_profiles WHERE name = 'Cabin')",
    ),
    ("{list}", "(SELECT id FROM lists WHERE name = 'Mine')"),
    (
        "{addon}",
        "(SELECT id FROM addons WHERE manifest_url = 'https://addons.example.org/one')",
    ),
];

pub(super) const CASES: [Case; 10] = [
    Case {
        table: "settings_profiles",
        row: "(user_id, name, is_default, created_at, tmdb_catalog_config)
              VALUES ({user}, 'Guests', 1, '2026-03-01 10:20:30', '{\"rows\":[1,2]}')",
        edit: "name = 'Visitors', is_default = 0, created_at = '2025-03-01T10:20:30.999Z', tmdb_catalog_config = ''",
        unique: None,
        without: &[],
    },
    Case {
        table: "profiles",
        row: "(user_id, name, avatar, avatar_type, avatar_style, is_default, settings_profile_id, created_at)
              VALUES ({user}, 'Ben', 'b.png', 'image', 'bottts', 1, {home}, '2026-03-01T10:20:30.123Z')",
        edit: "name = 'Benno', avatar = 'c.png', avatar_type = 'initials', avatar_style = 'shapes', is_default = 0,
               settings_profile_id = {cabin}, created_at = '2026-02-01 00:00:00'",
        unique: None,
        without: &[],
    },
    Case {
        table: "profile_addons",
        row: "(settings_profile_id, addon_id, enabled, priority, created_at)
              VALUES ({home}, {addon}, 0, 3, '2026-03-01 10:20:30')",
        edit: "enabled = 1, priority = -9223372036854775808, created_at = '2025-12-31T23:59:59.999Z'",
        unique: Some("settings_profile_id, addon_id"),
        without: &["profile_id"],
    },
    Case {
        table: "profile_addons",
        row: "(profile_id, addon_id, enabled, priority, created_at)
              VALUES ({profile}, {addon}, 1, 0, '2026-03-01 10:20:30')",
        edit: "enabled = 0, priority = 9223372036854775807, created_at = '1999-12-31T23:59:59.999Z'",
        unique: Some("profile_id, addon_id"),
        without: &["settings_profile_id"],
    },
    Case {
        table: "stream_settings",
        row: "(profile_id, qualities, preferred_keywords, required_keywords, config)
              VALUES ({profile}, '[\"4k\"]', 'hdr', '', '{\"sort\":[\"size\"]}')",
        edit: "qualities = '[]', preferred_keywords = '', required_keywords = 'dub', config = '{ \"sort\" : [] }'",
        unique: Some("profile_id"),
        without: &["settings_profile_id"],
    },
    Case {
        table: "stream_settings",
        row: "(settings_profile_id, qualities, preferred_keywords, required_keywords, config)
              VALUES ({home}, 'a', 'b', 'c', 'no JSON at all')",
        edit: "qualities = 'A', preferred_keywords = 'B', required_keywords = 'C', config = '{}'",
        unique: None,
        without: &["profile_id"],
    },
    Case {
        table: "appearance_settings",
        row: "(settings_profile_id, show_imdb_ratings, show_age_ratings) VALUES ({home}, 0, 1)",
        edit: "show_imdb_ratings = 1, show_age_ratings = 0",
        unique: Some("settings_profile_id"),
        without: &[],
    },
    Case {
        table: "watch_history",
        row: "(profile_id, meta_id, meta_type, season, episode, episode_id, title, poster, duration, position,
               is_watched, watched_at, last_stream)
              VALUES ({profile}, 'tt0944947', 'series', 1, 2, 'tt0944947:1:2', 'The second', 'p.jpg', 3600, 3599, 1,
               '2026-03-01T10:20:30.007Z', '{\"url\":\"https://example.org/a?b=c\"}')",
        edit: "meta_type = 'show', episode_id = 'x', title = 'II', poster = 'q.jpg', duration = 3601, position = 0,
               is_watched = 0, watched_at = '2026-03-02 10:20:30', last_stream = '{}'",
        unique: Some("profile_id, meta_id, season, episode"),
        without: &[],
    },
    Case {
        table: "lists",
        row: "(profile_id, name, is_default, created_at) VALUES ({profile}, 'Later', 1, '2026-03-01 10:20:30')",
        edit: "is_default = 0, created_at = '2026-02-28T23:59:59.001Z'",
        unique: Some("profile_id, name"),
        without: &[],
    },
    Case {
        table: "list_items",
        row: "(list_id, meta_id, type, title, poster, imdb_rating, created_at)
              VALUES ({list}, 'tt1', 'movie', 'One', 'p.jpg', 7.1, '2026-03-01 10:20:30')",
        edit: "type = 'series', title = 'Eins', poster = '', imdb_rating = 0.1, created_at = '2026-02-01 10:20:30'",
        unique: Some("list_id, meta_id"),
        without: &[],
    },
];

/// With ids as the device has them.
pub(super) fn with_ids(sql: &str) -> String {
    IDS.iter()
        .fold(sql.to_owned(), |sql, (word, id)| sql.replace(word, id))
}
