-- What stays of a forgotten text must not be guessed back from it: the log commits to a content with the salt of its row, which is
-- erased with the row, and tombstones are sealed under a secret that is not in this file. `rekeying.py` does the rest of this step.

ALTER TABLE revisions DROP COLUMN value_digest;
ALTER TABLE revisions ADD COLUMN salt BLOB;
UPDATE revisions SET salt = randomblob(16);
ALTER TABLE relations ADD COLUMN salt BLOB;
UPDATE relations SET salt = randomblob(16);

-- `digest` and `sealed` are of this store's secret. Those from an archive have its `salt`, and its two digests in their place.
ALTER TABLE tombstones RENAME TO earlier_tombstones;
CREATE TABLE tombstones (
    namespace INTEGER NOT NULL REFERENCES namespaces (number),
    digest BLOB NOT NULL,
    sealed BLOB,
    salt BLOB,
    sequence INTEGER NOT NULL REFERENCES log (sequence),
    PRIMARY KEY (namespace, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_by_sequence ON tombstones (sequence);
