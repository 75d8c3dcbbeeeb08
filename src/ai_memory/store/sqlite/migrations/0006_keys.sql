-- A name of the caller's own for a fact, the field `key` (the column of that name is a revision's number). `line` is 16 bytes that the
-- values of one key of one user share: at any moment one of them holds, and a new one is put between its neighbours in time.

ALTER TABLE revisions ADD COLUMN fact_key TEXT;
ALTER TABLE revisions ADD COLUMN line BLOB;

CREATE INDEX revisions_by_line ON revisions (line, valid_from) WHERE line IS NOT NULL AND retired_at IS NULL;
CREATE INDEX revisions_by_fact_key ON revisions (namespace, fact_key) WHERE fact_key IS NOT NULL;
