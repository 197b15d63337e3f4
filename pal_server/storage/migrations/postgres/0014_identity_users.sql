-- Somebody outside may be a user of pal: what they say and press there is that user's then, with that user's rights.
ALTER TABLE identities ADD COLUMN user_id TEXT REFERENCES users (id);
