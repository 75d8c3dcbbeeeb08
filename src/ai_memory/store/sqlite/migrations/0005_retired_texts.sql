-- The newest revision of a memory alone keeps its dedup key, also once it is retired: so a text that comes back is known to
-- have been retired, by the look-up that finds what is current.

DROP INDEX revisions_by_dedup_key;
UPDATE revisions SET dedup_key = NULL
WHERE retired_at IS NOT NULL AND key < (SELECT max(o.key) FROM revisions o WHERE o.memory = revisions.memory);
CREATE INDEX revisions_by_dedup_key ON revisions (dedup_key) WHERE dedup_key IS NOT NULL;

-- An idempotency key and its request may repeat what is forgotten later: of the key a digest is kept that covers the namespace
-- and the operation, and of the request one that is erased with any of the `memories`, a JSON list, that the answer is about.
-- Answers of earlier versions, which are kept for a day, have neither.

DROP TABLE idempotency;

CREATE TABLE idempotency (
    key BLOB PRIMARY KEY,
    namespace INTEGER NOT NULL REFERENCES namespaces (number),
    request_digest BLOB,
    response BLOB NOT NULL,
    memories TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (at);

-- What the old table held leaves the file and its write-ahead log, as after a forget.
INSERT OR REPLACE INTO meta VALUES ('wipe_pending', '0');
