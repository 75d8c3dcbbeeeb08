-- What the service proposes and what was decided about it, and what people said of memories. Neither holds a memory's text: a
-- proposal is found again by `pair`, a digest of the texts that it is about, sealed under the store's secret.

CREATE TABLE proposals (
    key INTEGER PRIMARY KEY REFERENCES log (sequence),
    id TEXT NOT NULL,
    namespace INTEGER NOT NULL REFERENCES namespaces (number),
    pair BLOB NOT NULL,
    kind TEXT NOT NULL,
    memory_id TEXT NOT NULL,
    other_id TEXT,
    confidence REAL NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    until INTEGER,
    decided_at INTEGER,
    decided_by TEXT,
    note TEXT,
    revision INTEGER,
    relation_id TEXT,
    seal BLOB,
    UNIQUE (namespace, id)
) STRICT;

CREATE INDEX proposals_by_pair ON proposals (namespace, pair);
CREATE INDEX proposals_by_memory ON proposals (namespace, memory_id);
CREATE INDEX proposals_by_other ON proposals (namespace, other_id) WHERE other_id IS NOT NULL;

CREATE TABLE feedback (
    key INTEGER PRIMARY KEY REFERENCES log (sequence),
    id TEXT NOT NULL,
    namespace INTEGER NOT NULL REFERENCES namespaces (number),
    memory_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    note TEXT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    given REAL NOT NULL,
    confidence REAL NOT NULL,
    seal BLOB,
    UNIQUE (namespace, id)
) STRICT;

CREATE INDEX feedback_by_memory ON feedback (namespace, memory_id);
