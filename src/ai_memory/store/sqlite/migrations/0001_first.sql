-- The whole memory model. Instants are integers, microseconds since the Unix epoch; digests and vectors are blobs.
-- References are declared for `PRAGMA foreign_key_check` (run by doctor) and not enforced row by row.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE namespaces (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One row for each change, in commit order, chained by digest. Never updated, never deleted, and without any text.
CREATE TABLE log (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    namespace INTEGER NOT NULL REFERENCES namespaces (number),
    memory_id TEXT,
    relation_id TEXT,
    erased_keys TEXT,
    retired_keys TEXT,
    actor TEXT,
    reason TEXT,
    content_hash ANY,
    digest BLOB NOT NULL
) STRICT;

-- What never changes about a memory. `number` is the key of its first revision.
CREATE TABLE memories (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    namespace INTEGER NOT NULL REFERENCES namespaces (number),
    user TEXT,
    agent TEXT,
    session TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (namespace, id)
) STRICT;

CREATE INDEX memories_by_session ON memories (namespace, session) WHERE session IS NOT NULL;

-- What a memory said from `recorded_at` to `retired_at`. `key` is the sequence of the log entry that made the row.
-- `occurred` is valid_from, or created_at where there is none. The long column comes last.
CREATE TABLE revisions (
    key INTEGER PRIMARY KEY REFERENCES log (sequence),
    memory INTEGER NOT NULL REFERENCES memories (number),
    namespace INTEGER NOT NULL REFERENCES namespaces (number),
    revision INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    retired_at INTEGER,
    retired_reason TEXT,
    occurred INTEGER NOT NULL,
    content_hash ANY NOT NULL,
    dedup_key BLOB,
    value_digest BLOB NOT NULL,
    valid_from INTEGER,
    valid_to INTEGER,
    type TEXT NOT NULL,
    context TEXT NOT NULL,
    title TEXT,
    author TEXT,
    tags TEXT,
    importance REAL NOT NULL,
    confidence REAL NOT NULL,
    attributes TEXT,
    source TEXT,
    text TEXT NOT NULL
) STRICT;

CREATE INDEX revisions_by_memory ON revisions (memory);
CREATE INDEX revisions_by_time ON revisions (namespace, occurred);
CREATE INDEX revisions_by_dedup_key ON revisions (dedup_key) WHERE retired_at IS NULL;
CREATE INDEX revisions_by_context ON revisions (namespace, context, type, retired_at) WHERE retired_at IS NULL;

CREATE TABLE tags (
    tag TEXT NOT NULL,
    revision INTEGER NOT NULL REFERENCES revisions (key),
    PRIMARY KEY (tag, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE tombstones (
    namespace INTEGER NOT NULL REFERENCES namespaces (number),
    value_digest BLOB NOT NULL,
    sequence INTEGER NOT NULL REFERENCES log (sequence),
    PRIMARY KEY (namespace, value_digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE entities (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    namespace INTEGER NOT NULL REFERENCES namespaces (number),
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (namespace, id),
    UNIQUE (namespace, folded, kind)
) STRICT;

CREATE TABLE aliases (
    entity INTEGER NOT NULL REFERENCES entities (number),
    alias TEXT NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (entity, alias)
) STRICT, WITHOUT ROWID;

CREATE INDEX aliases_by_name ON aliases (folded);

CREATE TABLE mentions (
    memory INTEGER NOT NULL REFERENCES memories (number),
    entity INTEGER NOT NULL REFERENCES entities (number),
    PRIMARY KEY (memory, entity)
) STRICT, WITHOUT ROWID;

CREATE INDEX mentions_by_entity ON mentions (entity);

-- `key` is the sequence of the log entry that made the row.
CREATE TABLE relations (
    key INTEGER PRIMARY KEY REFERENCES log (sequence),
    id TEXT NOT NULL,
    namespace INTEGER NOT NULL REFERENCES namespaces (number),
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    type TEXT NOT NULL,
    weight REAL NOT NULL,
    attributes TEXT,
    evidence TEXT,
    valid_from INTEGER,
    valid_to INTEGER,
    recorded_at INTEGER NOT NULL,
    retired_at INTEGER,
    UNIQUE (namespace, id)
) STRICT;

CREATE INDEX relations_by_source ON relations (namespace, source);
CREATE INDEX relations_by_target ON relations (namespace, target);
CREATE INDEX relations_by_evidence ON relations (namespace, evidence) WHERE evidence IS NOT NULL;

CREATE TABLE generations (
    number INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    revision TEXT NOT NULL,
    prompts TEXT NOT NULL,
    dtype TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (model, revision, prompts, dtype, dimension)
) STRICT;

CREATE UNIQUE INDEX generations_active ON generations (state) WHERE state = 'active';

-- AUTOINCREMENT: a position is never given twice, so a follower that has read up to one misses nothing.
CREATE TABLE vectors (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    generation INTEGER NOT NULL REFERENCES generations (number),
    revision INTEGER NOT NULL REFERENCES revisions (key),
    passage INTEGER NOT NULL,
    vector BLOB NOT NULL,
    UNIQUE (revision, generation, passage)
) STRICT;

CREATE INDEX vectors_by_generation ON vectors (generation);

CREATE TABLE owed (
    generation INTEGER NOT NULL REFERENCES generations (number),
    revision INTEGER NOT NULL REFERENCES revisions (key),
    PRIMARY KEY (generation, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    namespace TEXT,
    payload TEXT NOT NULL,
    progress TEXT NOT NULL,
    error TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    request_digest BLOB NOT NULL,
    response BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (at);
