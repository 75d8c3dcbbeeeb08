-- When a memory lapses, and whether the rules that age memories pass it over. `seals.py` gives the rows that were sound another seal, since a
-- seal covers these columns too. Changes are found by when they were made, and revisions by when they lapse.

ALTER TABLE revisions ADD COLUMN expires_at INTEGER;
ALTER TABLE revisions ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;

CREATE INDEX revisions_by_expiry ON revisions (namespace, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX log_by_time ON log (namespace, at);
