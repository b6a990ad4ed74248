-- What a server of the app has beside a device's tables: Better Auth's, more people, and their rows.
CREATE TABLE session (id TEXT PRIMARY KEY, expiresAt DATE NOT NULL, token TEXT NOT NULL UNIQUE, createdAt DATE NOT NULL,
    updatedAt DATE NOT NULL, ipAddress TEXT, userAgent TEXT, userId TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    impersonatedBy TEXT);
CREATE TABLE account (id TEXT PRIMARY KEY, accountId TEXT NOT NULL, providerId TEXT NOT NULL,
    userId TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE, accessToken TEXT, refreshToken TEXT, idToken TEXT,
    accessTokenExpiresAt DATE, refreshTokenExpiresAt DATE, scope TEXT, password TEXT, createdAt DATE NOT NULL,
    updatedAt DATE NOT NULL);
CREATE TABLE verification (id TEXT PRIMARY KEY, identifier TEXT NOT NULL, value TEXT NOT NULL, expiresAt DATE NOT NULL,
    createdAt DATE, updatedAt DATE);
CREATE TABLE app_settings (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE VIEW people AS SELECT name FROM user;
DROP TABLE sync_state;
INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt) VALUES
    ('u2', 'bob@example.org', 'Bob', 1, '2025-03-01T10:00:00.000Z', '2025-03-01T10:00:00.000Z'),
    ('u3', 'eve@example.org', 'Eve', 0, '2025-03-01T10:00:00.000Z', '2025-03-01T10:00:00.000Z');
INSERT INTO account (id, accountId, providerId, userId, password, createdAt, updatedAt) VALUES
    ('a1', 'u1', 'credential', 'u1', '00112233445566778899aabbccddeeff:267a33c2ae63f1c2d542f84d50b7d87c68900c8b9475f6a47ade71cf44b234822e0a34af1d226572b5caf52809319d4c486f3d209cc2fd022fb53bb4eaeb35b1',
        '2025-03-01T10:00:00.000Z', '2025-03-01T10:00:00.000Z'),
    ('a2', 'u2', 'credential', 'u2', 'ffeeddccbbaa99887766554433221100:f7ec996f34f371bfab8325d04018981ce3e86d741f817df76d69026030a75ffe746e9a9ff6251eed057a3a1aaf3e37d245c02d97d2489e515561d4b8382f9ff0',
        '2025-03-01T10:00:00.000Z', '2025-03-01T10:00:00.000Z');
INSERT INTO session VALUES ('s1', '2099-01-01T00:00:00.000Z', 'token-of-anna', '2025-03-01T10:00:00.000Z',
    '2025-03-01T10:00:00.000Z', '10.0.0.1', 'Firefox', 'u1', NULL);
INSERT INTO verification VALUES ('v1', 'bob@example.org', '123456', '2025-03-01T10:10:00.000Z', NULL, NULL);
INSERT INTO app_settings VALUES ('theme', x'00ff');
INSERT INTO settings_profiles (user_id, name, is_default) VALUES ('u2', 'Bob''s', TRUE), ('u3', 'Eve''s', TRUE);
INSERT INTO profiles (user_id, name, avatar, is_default, settings_profile_id)
    SELECT user_id, name, 'x', TRUE, id FROM settings_profiles WHERE user_id IN ('u2', 'u3');
INSERT INTO lists (profile_id, name, is_default) SELECT id, 'Favourites', TRUE FROM profiles WHERE user_id IN ('u2', 'u3');
INSERT INTO list_items (list_id, meta_id, type, title)
    SELECT id, 'tt0111161', 'movie', 'The Shawshank Redemption' FROM lists WHERE name = 'Favourites';
INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, duration, position, is_watched, watched_at)
    SELECT id, 'tt0903747', 'series', 1, 2, 2900, 2800, TRUE, '2025-05-05 20:15:00' FROM profiles WHERE user_id = 'u2';
