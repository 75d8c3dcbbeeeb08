-- What extraction found, next to the store. `first` and `last` are characters of the memory's text, `last` excluded.

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE entities (
    number INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    UNIQUE (namespace, id)
) STRICT;

CREATE INDEX entities_by_name ON entities (namespace, folded);

-- Current revisions that name anything; `key` is the store's.
CREATE TABLE revisions (
    key INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    memory TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    valid_from INTEGER,
    valid_to INTEGER
) STRICT;

CREATE INDEX revisions_by_memory ON revisions (namespace, memory);

-- `spelt`: 1 where the revision has the entity's name itself, and not only a short or inflected form of it.
CREATE TABLE mentions (
    revision INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    spelt INTEGER NOT NULL,
    PRIMARY KEY (revision, entity)
) STRICT, WITHOUT ROWID;

CREATE INDEX mentions_by_entity ON mentions (entity, revision);
CREATE INDEX mentions_spelt ON mentions (entity) WHERE spelt;

CREATE TABLE statements (
    revision INTEGER NOT NULL,
    number INTEGER NOT NULL,
    source INTEGER NOT NULL,
    target INTEGER NOT NULL,
    type TEXT NOT NULL,
    valid_from INTEGER,
    valid_to INTEGER,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (revision, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX statements_by_source ON statements (source, revision);
CREATE INDEX statements_by_target ON statements (target, revision);
