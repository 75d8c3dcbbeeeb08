// What stays of a forgotten text must not be guessed back from it: the log commits to a content with the salt of its node, which is
// erased with the node, and tombstones are sealed under the secret of the `Store` node. `rekeying.py` does the rest of this step.
DROP CONSTRAINT ai_memory_tombstone IF EXISTS;
CREATE CONSTRAINT ai_memory_tombstone_digest IF NOT EXISTS FOR (t:Tombstone) REQUIRE (t.namespace, t.digest) IS UNIQUE;
CREATE INDEX ai_memory_tombstone_sequence IF NOT EXISTS FOR (t:Tombstone) ON (t.sequence);
